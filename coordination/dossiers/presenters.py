"""An identity said in words: the lines of its page, and what two people wrote differently."""

from __future__ import annotations

from coordination.common.dates import BirthDate, Precision
from coordination.common.french import matricule_fr, phone_fr
from coordination.common.ins import OID_LABELS
from coordination.common.text import capital_family, capital_given
from coordination.dossiers.models import Dossier

HIDDEN_INS = "Enregistré, non affiché tant que l’identité n’est pas qualifiée"
_INS_FIELDS = frozenset({"ins_matricule", "ins_oid"})
_BIRTH_FIELDS = frozenset({"birth_date", "birth_date_precision"})


def identity_lines(dossier: Dossier) -> list[tuple[str, str]]:
    """Return the (label, value) pairs of the identity; empty values are said as such by the page."""
    return [
        ("Nom de naissance", capital_family(dossier.birth_name)),
        ("Prénoms de naissance", capital_given(dossier.birth_given_names)),
        ("Premier prénom", capital_given(dossier.first_given_name)),
        ("Nom utilisé", capital_family(dossier.used_name)),
        ("Prénom utilisé", capital_given(dossier.used_given_name)),
        ("Sexe", dossier.get_sex_display()),
        ("Date de naissance", dossier.birth_date_written),
        ("Lieu de naissance", _place(dossier)),
        ("Matricule INS", ins_words(dossier)),
    ]


def contacts_lines(dossier: Dossier) -> list[tuple[str, str]]:
    """Return the (label, value) pairs of how the person is reached, and why she is followed."""
    structure = dossier.referent_structure
    return [
        ("Téléphone fixe", phone_fr(dossier.phone)),
        ("Mobile", phone_fr(dossier.mobile)),
        ("Adresse e-mail", dossier.email),
        ("Adresse", dossier.address),
        ("Ville", f"{dossier.postal_code} {dossier.town}".strip()),
        ("Motif", dossier.get_motif_display()),
        ("Structure référente", structure.name if structure else ""),
    ]


def ins_words(dossier: Dossier) -> str:
    """Return the matricule when it may be shown (INS-4), else that one is recorded, else ""."""
    if not dossier.ins_matricule:
        return ""
    if not dossier.is_qualified:
        return HIDDEN_INS
    return f"{matricule_fr(dossier.ins_matricule)} ({OID_LABELS.get(dossier.ins_oid, dossier.ins_oid)})"


def differences(said: dict, current: dict) -> list[dict]:
    """Return {"label", "yours", "theirs"} for each field two people wrote differently; never the INS."""
    said, current = _with_birth_date(said), _with_birth_date(current)
    return [
        {"label": _label(name), "yours": in_words(name, value), "theirs": in_words(name, current[name])}
        for name, value in said.items()
        if name in current and name not in _INS_FIELDS and value != current[name]
    ]


def _with_birth_date(values: dict) -> dict:
    """Return the values with a birth date and what is known of it as one: people read one date."""
    if not _BIRTH_FIELDS <= values.keys():
        return values
    birth = BirthDate(values["birth_date"], Precision(values["birth_date_precision"]))
    return {name: value for name, value in values.items() if name != "birth_date_precision"} | {"birth_date": birth}


def _label(name: str) -> str:
    said = str(Dossier._meta.get_field(name).verbose_name)
    return said[:1].upper() + said[1:]


def in_words(name: str, value) -> str:
    """Return the value of a field as a person reads it."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, BirthDate):
        return str(value)
    if name in ("phone", "mobile"):
        return phone_fr(value)
    choices = dict(Dossier._meta.get_field(name).flatchoices)
    return str(choices.get(value, value) or "")


def _place(dossier: Dossier) -> str:
    if dossier.birth_place and dossier.birth_place_code:
        return f"{dossier.birth_place} ({dossier.birth_place_code})"
    return dossier.birth_place
