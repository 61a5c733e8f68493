"""Roles in the care of one person, which give no right: who may hold which, which are held by one person only.

Pure. Three sources, told apart by the code:
- CI-SIS care-circle roles (TRE_R259 PCP, TRE_R260): cercle-de-soins guide 2.0.1, section 6.1. NOK is
  written for the « personne de confiance » and QUAL, its closed predecessor, is understood on reading (CDS-30);
- functions of TRE_R85, those that tell what somebody does for one person;
- roles of this product (in capitals, not HL7's): aidant principal, référent, what a structure does.
PROV and AGNT are shown as the member's profession: "Infirmière", not "Professionnel de santé".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from coordination.common import nomenclatures

DIRECTORY, MANUAL, PERSON, STRUCTURE = "annuaire", "manuel", "aidant", "structure"
PROFESSIONALS = frozenset({DIRECTORY, MANUAL})

PCP, NOK, QUAL, GUARD, ECON, CON = "PCP", "NOK", "QUAL", "GUARD", "ECON", "CON"
CAREGIVER, PROV, AGNT = "CAREGIVER", "PROV", "AGNT"
MAIN_CAREGIVER, REFERENT, FAMILY = "AIDANT_PRINCIPAL", "REFERENT", "ENTOURAGE"

DOCTOR = "10"
COORDINATORS = frozenset({"330", "309"})
# Held by one member at a time unless an administrator says otherwise (RoleSetting).
UNIQUE_BY_DEFAULT = frozenset({PCP, MAIN_CAREGIVER, REFERENT})
# Shown as the profession of who holds them.
SHOWN_AS_PROFESSION = frozenset({PROV, AGNT})


@dataclass(frozen=True, slots=True)
class Role:
    """One role. `kinds`: members that may hold it; `professions`: only these, when there is any."""

    code: str
    label: str
    feminine: str
    kinds: frozenset[str]
    professions: frozenset[str] = frozenset()


def _role(code, label, feminine=None, *, kinds, professions=()):
    return Role(code, label, feminine or label, frozenset(kinds), frozenset(professions))


_CI_SIS = (
    # In law a « médecin traitant » may also be a health centre; here it is a doctor, by name (issue 2, section 6).
    _role(PCP, "Médecin traitant", kinds=PROFESSIONALS, professions={DOCTOR}),
    _role(PROV, "Professionnel de santé", "Professionnelle de santé", kinds=PROFESSIONALS),
    _role(AGNT, "Professionnel", "Professionnelle", kinds=PROFESSIONALS),
    _role(CAREGIVER, "Aidant", "Aidante", kinds={PERSON}),
    # L. 1111-6 CSP lets the doctor be the « personne de confiance »: kept to relatives, a member has one role.
    _role(NOK, "Personne de confiance", kinds={PERSON}),
    # A judicial officer who is a professional holds 307 instead.
    _role(GUARD, "Responsable légal", "Responsable légale", kinds={PERSON}),
    _role(ECON, "Personne à prévenir en cas d’urgence", kinds={PERSON, *PROFESSIONALS}),
    _role(CON, "Informateur", "Informatrice", kinds={PERSON}),
)
_OWN = (
    _role(MAIN_CAREGIVER, "Aidant principal", "Aidante principale", kinds={PERSON}),
    _role(FAMILY, "Entourage", kinds={PERSON}),
    _role(REFERENT, "Référent du parcours", "Référente du parcours", kinds=PROFESSIONALS),
    _role("SOINS_DOMICILE", "Soins à domicile", kinds={STRUCTURE}),
    _role("AIDE_DOMICILE", "Aide à domicile", kinds={STRUCTURE}),
    _role("PHARMACIE", "Pharmacie habituelle", kinds={STRUCTURE}),
    _role("HEBERGEMENT", "Lieu d’hébergement", kinds={STRUCTURE}),
    _role("ACCUEIL_JOUR", "Accueil de jour", kinds={STRUCTURE}),
    _role("HOSPITALISATION", "Établissement de santé", kinds={STRUCTURE}),
    _role("PORTAGE_REPAS", "Portage de repas", kinds={STRUCTURE}),
    _role("MATERIEL", "Matériel et prestations", kinds={STRUCTURE}),
    _role("COORDINATION", "Appui à la coordination", kinds={STRUCTURE}),
)
# TRE_R85 functions that say what somebody does for a person; the others (archivist, finance...) say nothing here.
_R85 = (
    "307", "309", "310", "313", "315", "318", "319", "320", "321", "322", "323", "324", "325", "326", "327", "328",
    "330", "331", "332", "333", "350", "351", "353", "359", "361", "367", "368", "371",
)  # fmt: skip


@cache
def all_roles() -> dict[str, Role]:
    """Return {code: Role} in the order of the pickers."""
    r85 = (
        _role(c.code, c.label, c.feminine, kinds=PROFESSIONALS)
        for code in _R85
        if (c := nomenclatures.get("role", code)) and c.active
    )
    return {role.code: role for role in (*_CI_SIS, *_OWN, *r85)}


def canonical(code: str) -> str:
    """Return the code to store: QUAL is read as NOK (CDS-30)."""
    return NOK if code == QUAL else code


def get(code: str) -> Role | None:
    return all_roles().get(canonical(code))


def label(code: str, *, feminine: bool = False, profession: str = "") -> str:
    """Return the words of a role; `profession`, its label in the right gender, when the role says only that."""
    if not code:
        return ""
    if code in SHOWN_AS_PROFESSION and profession:
        return profession
    role = get(code)
    if role is None:
        # A code stored before it left our list: its national wording.
        return nomenclatures.label("role_cercle", code, feminine=feminine) or code
    return role.feminine if feminine else role.label


def why_not(code: str, kind: str, profession: str = "") -> str | None:
    """Return the sentence that says why such a member may not hold the role; None when he may.

    `kind` is a Member.Kind value, `profession` a bare profession code.
    """
    role = get(code)
    if role is None:
        return "Ce rôle n’existe pas."
    if kind not in role.kinds:
        return f"Le rôle « {role.label} » se donne {_to_whom(role)}."
    if role.professions and profession not in role.professions:
        return f"Le rôle « {role.label} » se donne seulement à un médecin."
    return None


def may_hold(code: str, kind: str, profession: str = "") -> bool:
    return why_not(code, kind, profession) is None


def likely(kind: str, profession: str = "", fonction: str = "") -> list[Role]:
    """Return the roles to offer first for such a member, most likely first."""
    if kind == PERSON:
        codes = [MAIN_CAREGIVER, CAREGIVER, NOK, ECON, GUARD]
    elif kind == STRUCTURE:
        codes = [role.code for role in all_roles().values() if role.kinds == {STRUCTURE}]
    else:
        codes = _likely_for_professional(profession, fonction)
    return [role for code in codes if (role := get(code))]


def others(kind: str, profession: str = "", fonction: str = "") -> list[Role]:
    """Return the remaining roles such a member may hold: « Autre rôle »."""
    first = {role.code for role in likely(kind, profession, fonction)}
    # By hand, the role is asked beside the profession: « médecin traitant » is offered before the profession is
    # known, and checked after.
    open_yet = kind == MANUAL and not profession
    return [
        r
        for r in all_roles().values()
        if r.code not in first and (may_hold(r.code, kind, profession) or (open_yet and kind in r.kinds))
    ]


def usual(kind: str, profession: str = "", fonction: str = "") -> str:
    """Return the role of who has no other: PROV, AGNT, the function; "" for a relative or a structure."""
    if kind not in PROFESSIONALS:
        return ""
    return next(code for code in _likely_for_professional(profession, fonction) if code not in UNIQUE_BY_DEFAULT)


def is_unique(code: str, settings: dict[str, bool]) -> bool:
    """Say whether one member at a time holds the role; `settings` are the rows of RoleSetting {role: unique}."""
    return settings.get(code, code in UNIQUE_BY_DEFAULT)


def _likely_for_professional(profession: str, fonction: str) -> list[str]:
    own = PROV if is_health_profession(profession) else AGNT
    if profession == DOCTOR:
        return [PCP, own]
    if profession in COORDINATORS or fonction in COORDINATORS:
        return [REFERENT, fonction if fonction in COORDINATORS else profession, own]
    function = next((code for code in (profession, fonction) if code in _R85), None)
    return [code for code in (function, own, REFERENT) if code]


def is_health_profession(code: str) -> bool:
    """Say whether a bare code is in TRE_G15."""
    concept = nomenclatures.get("profession", code)
    return concept is not None and concept.system.oid == "1.2.250.1.71.1.2.7"


def _to_whom(role: Role) -> str:
    if role.kinds == {PERSON}:
        return "à un proche ou un aidant"
    if role.kinds == {STRUCTURE}:
        return "à une structure"
    return "à un professionnel"
