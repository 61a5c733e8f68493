"""« Habilitation sur le dossier » and « Ce que cette personne verra »: the question, its answers, the preview."""

from __future__ import annotations

from collections.abc import Mapping

from circle.forms.access import NO, REFUSAL, REQUEST, YES
from circle.granting import GrantAnswer
from coordination.common.french import plural
from coordination.common.text import fold, initials, person_name
from coordination.directory.search import profession_label
from habilitations import access, catalog, published
from habilitations.models import Delegate, VouchedProfession
from habilitations.rubriques import Niveau

SUBMIT = {
    YES: "Ajouter et habiliter",
    NO: "Ajouter au cercle de soins",
    REQUEST: "Ajouter et demander l’habilitation",
    REFUSAL: "Ajouter et noter le refus",
}
# The same, when an invitation leaves with it.
INVITING = {YES: "Ajouter, habiliter et inviter", REQUEST: "Ajouter, demander l’habilitation et inviter"}
OPENS = "Ouvre les rubriques listées dans « Ce que cette personne verra »."
STAYS_OUT = "Apparaît dans le cercle de soins, ne peut pas ouvrir le dossier."
VALUES = ((Niveau.ECRITURE, "ecriture"), (Niveau.LECTURE, "lecture"), (Niveau.AUCUN, "aucun"))


def answers(offer: GrantAnswer) -> list[str]:
    """Return the answers that may be given, in the order of the screen."""
    first = [YES] if offer.can_grant else [REQUEST] if offer.can_request else []
    return [*first, NO, *([REFUSAL] if offer.can_refuse else [])]


def question(form, offer: GrantAnswer, *, whom: str, yes: str = OPENS, no: str = STAYS_OUT, refusal_body="",
             sharing_body="") -> dict:  # fmt: skip
    """Return the radios of the question and the sentence that replaces the one not offered.

    `whom`: "ce professionnel" or "cette structure"; `yes`, `no`: what each answer does, in one sentence;
    `sharing_body`: on what « oui » rests.
    """
    texts = {
        YES: ("Habilitation : oui", offer.sentence or yes),
        REQUEST: (
            "Demander l’habilitation",
            "Un coordinateur ou un médecin du cercle décidera. D’ici là, aucun accès.",
        ),
        NO: ("Habilitation : non", no),
        REFUSAL: (
            f"Refus du patient au partage d’information pour {whom}",
            "Ferme tout accès et empêche toute habilitation. La date et le recueil du refus sont demandés.",
        ),
    }
    options = []
    for answer in form.answers:
        title, detail = texts[answer]
        option = {"value": answer, "title": title, "detail": detail}
        if body := {REFUSAL: refusal_body, YES: sharing_body}.get(answer):
            option["body"] = body
        options.append(option)
    return {"options": options, "intro": "" if YES in form.answers else offer.sentence}


def preview_of(
    pair: tuple[str, str], answer: str = "", *, waits: bool = False, ceilings: Mapping[str, Niveau] = access.NO_CEILING
) -> dict:
    """Return « Ce que cette personne verra » for a (profession, fonction), by answer.

    {"intro", "groups", "levels", "message", "sentence"}: arguments of access_preview, and what is said aloud.
    `ceilings`: what is, or would be, reduced for this member.
    """
    if answer in (NO, REFUSAL, REQUEST):
        message = "Ne verra rien du dossier."
        if answer == REQUEST:
            message = "Ne verra rien du dossier tant que l’habilitation n’est pas accordée."
        return {"intro": "", "groups": [], "levels": [0] * len(catalog.last().rubrics), "message": message,
                "sentence": f"Aperçu mis à jour : {message[0].lower()}{message[1:]}"}  # fmt: skip
    levels = access.preview(*pair, ceilings=ceilings)
    readable = sum(level >= Niveau.LECTURE for level in levels.values())
    said = f"{plural(readable, 'rubrique')} sur {len(levels)}"
    return {
        "intro": _intro(pair, answer, waits),
        "groups": groups_of(levels),
        "levels": [int(level) for level in levels.values()],
        "message": None if readable else "Sa profession n’ouvre aucune rubrique.",
        "sentence": f"Aperçu mis à jour : {said}.",
    }


def groups_of(levels: dict) -> list[dict]:
    """Return the three lists of the preview; a list with nothing is left out."""
    titles = {Niveau.ECRITURE: "Peut lire et écrire", Niveau.LECTURE: "Peut lire", Niveau.AUCUN: "Pas d’accès"}
    groups = []
    for niveau, value in VALUES:
        labels = [rubrique.label for rubrique, level in levels.items() if level == niveau]
        if labels:
            title = f"{titles[niveau]} : {plural(len(labels), 'rubrique')}"
            groups.append({"value": value, "title": title, "items": labels})
    return groups


def _intro(pair: tuple[str, str], answer: str, waits: bool) -> str:
    matrix = published.current()
    who = matrix.catalog.gathers(matrix.profile_of(*pair))
    profile = f"Droits des {who}, matrice version {matrix.number}." if who else f"Matrice version {matrix.number}."
    if answer != YES:
        return f"Si l’habilitation est donnée. {profile}"
    return f"{profile} Dès que son compte sera ouvert." if waits else profile


def delegates_of(structure_id) -> list[dict]:
    """Return the delegates of a structure with what each would see, by name.

    [{name, initials, profession, levels, groups, count}]; two SQL statements besides the matrix.
    """
    matrix = published.current()
    delegates = list(Delegate.objects.current().filter(structure=structure_id).select_related("user"))
    vouched = VouchedProfession.objects.current().filter(user__in=[d.user_id for d in delegates])
    pairs = {v.user_id: (v.profession, v.fonction) for v in vouched}
    found = []
    for user in sorted((d.user for d in delegates), key=lambda user: fold(user.get_full_name())):
        pair = pairs.get(user.pk, ("", ""))
        profile = matrix.profile_of(*pair)
        levels = {rubrique: matrix.level(profile, rubrique) for rubrique in matrix.rubrics}
        found.append(
            {
                "name": person_name(user.family_name, user.given_name),
                "initials": initials(user.family_name, user.given_name),
                "profession": profession_label(pair[0], fonction=pair[1]) or "Profession à confirmer",
                "levels": [int(level) for level in levels.values()],
                "groups": groups_of(levels),
                "count": sum(level >= Niveau.LECTURE for level in levels.values()),
            }
        )
    return found
