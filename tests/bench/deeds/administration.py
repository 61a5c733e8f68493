"""Acts of an administrator: the matrix and what it is made of, structures, accounts, software, partners (PERF-20)."""

from __future__ import annotations

from tests.bench.deeds import ANY, ENTER, PIECE, SAME, TYPE, Act, Scene, searched

ADMIN, OTHER = "administrator", "other administrator"
REASON = {"reason": "Essai de la préparation"}
MATRIX, SOFTWARE, HOUSE = "habilitations:matrix", "administration:client", "administration:legal_structure"


def _code(salt: str, part: str):
    """Return what puts in the address the code that the product draws from a name."""
    return lambda scene: {part: scene.word(salt).lower()}


def _published_meanwhile(scene: Scene) -> dict:
    """Have the same version published again while a draft stands."""
    from tests.security import world

    world.publish()
    return {}


def _version_before(scene: Scene) -> dict:
    from habilitations.models import MatrixVersion

    return {"number": MatrixVersion.objects.order_by("-number").values_list("number", flat=True)[1]}


def _somebody(scene: Scene) -> dict:
    from tests.circle import factories as make

    scene.kept["somebody"] = user = make.UserFactory(family_name=scene.word("compte"), given_name="Ugo")
    return {"user_id": user.pk}


def _officer(scene: Scene) -> dict:
    from habilitations.models import DataProtectionOfficer

    return {"officer_id": DataProtectionOfficer.objects.current().order_by("-started_at").first().pk}


def _professional(scene: Scene) -> dict:
    from tests.circle import factories as make

    scene.kept["delegate"] = make.account()
    return _house(scene)


def _unconfirmed(scene: Scene) -> dict:
    from tests.circle import factories as make

    return {"user_id": make.account(vouched=False).pk}


def _house(scene: Scene) -> dict:
    """The structure of this round that enters dossiers by its delegates."""
    from tests.circle import factories as make

    if "house" not in scene.kept:
        scene.kept["house"] = make.legal_structure(name=scene.word("morale"))
    return {"structure_id": scene.kept["house"].pk}


def _software(scene: Scene) -> dict:
    from habilitations.models import SoftwareClient

    return {"client_id": SoftwareClient.objects.get(name=scene.word("logiciel")).pk}


def _partner(scene: Scene) -> dict:
    from coordination.partners.models import Partner

    return {"partner_id": Partner.objects.get(name=scene.word("partenaire")).pk}


def _failed(scene: Scene) -> dict:
    from coordination.partners.models import State
    from tests.partners.factories import RelayFactory

    made = RelayFactory(partner=scene.world.partner, asked_by=scene.user(ADMIN), state=State.ECHEC)
    return {"relay_id": made.pk, "row_id": made.pk}


def _newest(scene: Scene) -> str:
    return "?vue=tout"


def _all_failed(scene: Scene) -> dict:
    return _failed(scene) | {"deed": "abandonner"}


def _email_of(who: str):
    return lambda scene: scene.user(who).email


# An exact address is looked for, then the account that it names.
_FOUND = Act("habilitations:officers", ADMIN, by=ENTER, box="main [name=q]", typed="", answer=SAME,
             says={"q": _email_of("somebody")})  # fmt: skip
_FOUND_DELEGATE = Act("administration:name_delegate", ADMIN, by=ENTER, box="main [name=q]", answer=SAME,
                      says={"q": _email_of("delegate")})  # fmt: skip
_DRAWN = Act("habilitations:profile", ADMIN, {"c:niveau:medecin:plan": "lecture"})
_ASKED = Act("habilitations:ask", ADMIN, REASON, on=MATRIX)
_CELL = "[data-matrix] tbody td[tabindex='0']"

ACTS = (
    # The grid: what is written goes to a draft by itself. « A » is what no cell of a coordinator holds.
    Act(MATRIX, ADMIN, by=TYPE, box=_CELL, typed="A", answer=PIECE),
    Act("habilitations:put_back", ADMIN, on=MATRIX, answer=PIECE),
    Act("habilitations:rights", ADMIN, by=TYPE, box=_CELL, typed="A", answer=PIECE),
    Act("habilitations:column", ADMIN, {"c:niveau:infirmier:medical": "lecture"}),
    Act("habilitations:rule", ADMIN, {"profession": "60", "profil": "medecin"}),
    Act("habilitations:carry_over", ADMIN, on=MATRIX, before=_published_meanwhile),
    Act("habilitations:discard", ADMIN),
    _DRAWN,
    _ASKED,
    Act("habilitations:take_back", ADMIN, on=MATRIX),
    _ASKED,
    Act("habilitations:refuse", OTHER, REASON, on=MATRIX),
    _ASKED,
    Act("habilitations:publish", OTHER, on=MATRIX),
    Act("habilitations:restore", ADMIN, on="habilitations:versions", before=_version_before),
    Act("habilitations:discard", ADMIN),
    Act("habilitations:new_profile", ADMIN, {"label": lambda s: s.word("profil")}),
    Act("habilitations:edit_profile", ADMIN, {"gathers": "essais"}, before=_code("profil", "profile")),
    Act("habilitations:close_profile", ADMIN, before=_code("profil", "profile")),
    Act("habilitations:reopen_profile", ADMIN, on="habilitations:edit_profile", before=_code("profil", "profile")),
    Act("habilitations:close_profile", ADMIN, before=_code("profil", "profile")),
    Act("habilitations:new_rubric", ADMIN, {"label": lambda s: s.word("rubrique"), "group": ANY, "icon": ANY}),
    Act("habilitations:edit_rubric", ADMIN, {"description": "Essais"}, before=_code("rubrique", "rubrique")),
    Act("habilitations:withdraw_rubric", ADMIN, before=_code("rubrique", "rubrique")),
    Act("habilitations:restore_rubric", ADMIN, on="habilitations:edit_rubric", before=_code("rubrique", "rubrique")),
    Act("habilitations:withdraw_rubric", ADMIN, before=_code("rubrique", "rubrique")),
    Act("habilitations:officers", ADMIN, {"q": _email_of("somebody")}, before=_somebody, by=ENTER,
        box="main [name=q]", answer=SAME, called="chercher"),
    Act("habilitations:officers", ADMIN, first=(_FOUND,), words="Nommer", called="nommer"),
    Act("habilitations:end_officer", ADMIN, on="habilitations:officers", before=_officer),
    searched("administration:allow_structure", "exemple", who=ADMIN),
    Act("administration:close_structure", ADMIN, before=_house),
    Act(HOUSE, ADMIN, before=_house),
    Act("administration:name_delegate", ADMIN, {"q": _email_of("delegate")}, on=HOUSE, before=_professional,
        by=ENTER, box="main [name=q]", answer=SAME, called="chercher"),
    Act("administration:name_delegate", ADMIN, on=HOUSE, before=_house, first=(_FOUND_DELEGATE,), words="Nommer",
        called="nommer"),
    Act("administration:end_delegate", ADMIN, on=HOUSE, before=_house, any_of=("delegate_id",)),
    Act("administration:accounts", ADMIN, by=ENTER, box="main [name=q]", typed="exemple", answer=SAME),
    Act("administration:confirm_account", ADMIN, before=_unconfirmed, words="Confirmer"),
    Act("administration:account_act", ADMIN, {"reason": "Départ"}, before=_somebody),
    Act("roles:unique", ADMIN),
    searched("administration:choose_client_structure", "exemple", who=ADMIN),
    Act("administration:connect_client", ADMIN, {"name": lambda s: s.word("logiciel"),
                                                 "contact": "support@logiciel.example", "allowed": ANY}, answer=SAME),
    Act(SOFTWARE, ADMIN, {"allowed": ANY}, before=_software),
    Act("administration:renew_client_secret", ADMIN, on=SOFTWARE, before=_software, answer=SAME),
    Act("administration:revoke_client", ADMIN, before=_software),
    Act("partners:add", ADMIN, {
        "name": lambda s: s.word("partenaire"), "base_url": "https://cercles.example/fhir",
        "token_url": "https://cercles.example/jetons", "client_id": "coordination", "secret": "un secret d’essai",
    }),
    Act("partners:edit", ADMIN, {"client_id": "coordination-2"}, before=_partner),
    Act("partners:attempt", ADMIN, on="partners:list", before=_partner),
    Act("partners:retry", ADMIN, on="partners:relays", query=_newest, before=_failed),
    Act("partners:cancel", ADMIN, on="partners:relays", query=_newest, before=_failed),
    Act("operations:act_on_one", ADMIN, before=_failed),
    Act("operations:act_on_all", ADMIN, before=_all_failed),
)  # fmt: skip
