"""The history of a circle in plain French: one act, one entry. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from coordination.common.text import of_name


class Told(NamedTuple):
    """One change as it was: names ready to show, `feminine` the member's gender, `other` a former holder."""

    kind: str
    who: str
    member: str
    feminine: bool = False
    subject: str = ""
    before: str = ""
    after: str = ""
    other: str = ""


ICONS = {
    "ajout": "person-plus", "retour": "person-plus", "modification": "pencil-square", "liaison": "link-45deg",
    "role": "person-vcard", "passation": "arrow-left-right", "habilitation": "key", "demande": "key",
    "report": "arrow-left-right", "abandon": "arrow-left-right",
    "reduction": "key", "fin_acces": "key", "partage": "key", "secretariat": "key",
    "retrait": "person-dash", "annulation": "arrow-counterclockwise", "invitation": "envelope",
    "prevision": "calendar3", "empechement": "exclamation-triangle",
}  # fmt: skip
CREATION = "Création du dossier"
# Who answers an invitation without an account.
BY_LINK = "La personne invitée"
TAKEN_MEANWHILE = "rôle repris entre-temps"
PLAN_LOST = "changement prévu non rétabli"
# What is planned of a presence: kept as these words in `Change.subject`, its days beside.
DEPARTURE, ARRIVAL = "départ", "arrivée"


def who(author: str, principal: str) -> str:
    """Return the author of an act, and for whom he did it (SEC-15)."""
    return f"{author or BY_LINK}, pour le compte {of_name(principal)}," if principal else author or BY_LINK


def told_of(change) -> Told:
    """Return the facts of a Change read `with_names()`."""
    return Told(
        kind=change.kind,
        who=who(
            change.by.get_full_name() if change.by else "",
            change.on_behalf_of.get_full_name() if change.on_behalf_of else "",
        ),
        member=change.member.display_name,
        feminine=change.member.is_feminine or bool(change.member.structure_id),
        subject=change.subject,
        before=change.before,
        after=change.after,
        other=change.other.display_name if change.other else "",
    )


# An act writes its lines in one transaction: nobody does two things to one member in that time.
ONE_ACT = dt.timedelta(seconds=2)
_ARRIVALS = frozenset({"ajout", "retour"})


def acts_of(changes: Iterable) -> list[list]:
    """Return the lines of a history, newest first, as acts: newest first too, the lines of each in their order.

    Lines of one author at one moment about one member, or about the two of a hand-over. A hand-over of which one may
    not see the other side, and a page that ends in the middle of an act, leave what is left of it.
    """
    acts: list[list] = []
    for change in changes:
        if acts and _goes_with(change, acts[-1]):
            acts[-1].insert(0, change)
        else:
            acts.append([change])
    return acts


def _goes_with(change, later: list) -> bool:
    """Say whether a line belongs to the act of the lines written just after it."""
    first = later[0]
    if (first.kind == "modification") != (change.kind == "modification"):
        return False
    if first.kind in _ARRIVALS or first.by_id != change.by_id or first.at - change.at > ONE_ACT:
        return False
    whom = {line.member_id for line in later} | {line.other_id for line in later} - {None}
    return bool(whom & {change.member_id, change.other_id})


def tell(act: Sequence[Told]) -> str:
    """Return one act as one entry: "X a ajouté Y au cercle de soins : rôle « Infirmière », accès ouvert."."""
    first = act[0]
    if len(act) == 1:
        return sentence(first)
    if first.kind in _ARRIVALS:
        own = [told for told in act[1:] if told.member == first.member and told.kind in _FACTS]
        said = ", ".join(_FACTS[told.kind](told) for told in own)
        rest = [_beside(told, act) for told in act[1:] if told not in own]
        head = sentence(first).removesuffix(".")
        return " ".join([f"{head} : {said}." if said else f"{head}.", *rest])
    if all(told.kind == "modification" and told.subject != "discret" for told in act):
        said = ", ".join(f"{told.subject} {_change(told)}" for told in act)
        return f"{first.who} a modifié la fiche : {first.member}, {said}."
    return " ".join([sentence(first), *(_beside(told, act) for told in act[1:])])


def _beside(told: Told, act: Sequence[Told]) -> str:
    """Return the sentence of a line told after the first: shorter for who has just handed his role over."""
    if told.kind == "role" and any(line.other == told.member for line in act):
        return f"{told.member} reste, avec le rôle « {told.after} »." if told.after else f"{told.member} reste."
    return sentence(told)


def _fact_of_role(t: Told) -> str:
    when = f" {t.subject}" if t.subject else ""
    return f"rôle « {t.after} »{when}"


def _fact_of_state(t: Told) -> str:
    return {
        "oui": "accès au dossier ouvert",
        "attente": "accès en attente de son compte",
        "refus": "refus du patient noté, accès fermé",
    }.get(t.after, "sans habilitation")


# What is done with an invitation: kept as a word of this list in `Change.subject`.
SENT, SENT_AGAIN, REMINDED, LINK_COPIED = "envoi", "renvoi", "relance", "lien copié"
REVOKED, ACCEPTED, REFUSED, CONFIRMED = "annulation", "acceptation", "refus", "confirmation"
DECLINED, ANSWERED = "mise à l’écart", "clôture"
_INVITATIONS = {
    SENT: "{who} a envoyé une invitation à {member}.",
    SENT_AGAIN: "{who} a renvoyé l’invitation de {member} : le lien précédent ne sert plus.",
    REMINDED: "{who} a relancé {member}.",
    LINK_COPIED: "{who} a copié le lien d’invitation de {member}.",
    REVOKED: "{who} a annulé l’invitation de {member}.",
    ACCEPTED: "{who} a accepté l’invitation : {member}.",
    REFUSED: "{who} a refusé l’invitation : {member}, sans accès.",
    CONFIRMED: "{who} a confirmé que {member} est bien la personne invitée.",
    DECLINED: "{who} a indiqué que la personne qui a accepté l’invitation n’est pas {member} : aucun accès.",
    ANSWERED: "L’invitation de {member} est close : son compte est connu autrement.",
}

# Closed by the application, for nobody asked: kept as this word in `Change.subject`.
UNUSED = "sans usage"
# The same, on the day that was planned of a departure that could not be done.
DAY_OF_DEPARTURE = "départ prévu"

# What is noted of the facts on which the sharing rests: kept as these words in `Change.subject`, dates beside.
TEAM, CONSENT = "équipe de soins déclarée", "accord exprès noté"
WITHDRAWN, OUT_OF_TEAM, CARE_OVER = "accord retiré", "fin d’équipe de soins", "fin de prise en charge"
_SHARING = {
    TEAM: "{who} a déclaré {member} dans l’équipe de soins de la personne, depuis le {day}.",
    CONSENT: "{who} a noté l’accord exprès de la personne pour {member}, donné le {day}{until}.",
    WITHDRAWN: "{who} a noté que la personne retire son accord pour {member}, le {day} : accès fermé.",
    OUT_OF_TEAM: "{who} a noté que {member} ne fait plus partie de l’équipe de soins, le {day} : accès fermé.",
    CARE_OVER: "{who} a clôturé le dossier : l’accès se ferme pour {member}, fin de prise en charge le {day}.",
}

# What an arrival brings with it, in the same sentence.
_FACTS: dict[str, Callable[[Told], str]] = {
    "role": _fact_of_role,
    "passation": lambda t: f"{_fact_of_role(t)} à la suite de {t.other}",
    "habilitation": _fact_of_state,
    "demande": lambda t: "habilitation demandée",
    "invitation": lambda t: "invitation envoyée",
    "partage": lambda t: "au titre de l’équipe de soins" if t.subject == TEAM else "avec l’accord de la personne",
}


def sentence(told: Told) -> str:
    """Return the sentence: "EXEMPLE-LARRIEU Maëlle a ajouté TESTARD Paul au cercle de soins."."""
    return _TELLERS[told.kind](told)


def _added(t: Told) -> str:
    if t.subject == CREATION:
        return f"{t.who} a créé le dossier."
    return f"{t.who} a ajouté {t.member} au cercle de soins."


def _returned(t: Told) -> str:
    return f"{t.member} est de retour dans le cercle de soins, ajouté{'e' if t.feminine else ''} par {t.who}."


def _edited(t: Told) -> str:
    if t.subject == "discret":
        shown = "discret pour" if t.after == "oui" else "visible de tous pour"
        return f"{t.who} a rendu {shown} le cercle : {t.member}."
    return f"{t.who} a modifié la fiche : {t.member}, {t.subject} {_change(t)}."


def _change(t: Told) -> str:
    if not t.before:
        return f"« {t.after} » ajouté"
    if not t.after:
        return f"« {t.before} » effacé"
    return f"« {t.before} » devient « {t.after} »"


def _linked(t: Told) -> str:
    return f"{t.who} a relié {t.before} à l’annuaire : {t.member}."


def _role(t: Told) -> str:
    if t.subject == TAKEN_MEANWHILE:
        return f"{t.member} ne retrouve pas le rôle « {t.before} », repris entre-temps."
    if t.subject == PLAN_LOST:
        return f"{t.member} ne retrouve pas le rôle « {t.before} » prévu à partir du {t.after}."
    if not t.after:
        return f"{t.who} a retiré le rôle « {t.before} » : {t.member}.{_when(t)}"
    instead = f" à la place de « {t.before} »" if t.before else ""
    return f"{t.who} a donné le rôle « {t.after} »{instead} : {t.member}.{_when(t)}"


def _handed_over(t: Told) -> str:
    return f"{t.member} prend le rôle « {t.after} » à la suite de {t.other}, par {t.who}.{_when(t)}"


def _moved(t: Told) -> str:
    after = f" à la suite de {t.other}" if t.other else ""
    days = f"du {t.before} au {t.after}"
    return f"{t.who} a déplacé {days} le changement de rôle prévu : {t.member}, « {t.subject} »{after}."


def _called_off(t: Told) -> str:
    if t.other:
        begin = f"{t.who} a annulé la passation prévue le {t.subject}"
        return f"{begin} : {t.member} ne prend pas le rôle « {t.before} » à la suite de {t.other}."
    begin = f"{t.who} a annulé le changement de rôle prévu le {t.subject}"
    kept = f"garde le rôle « {t.after} »" if t.after else f"ne prend pas le rôle « {t.before} »"
    return f"{begin} : {t.member} {kept}."


def _when(t: Told) -> str:
    return f" {t.subject[0].upper()}{t.subject[1:]}." if t.subject else ""


def _state(t: Told) -> str:
    if t.subject == UNUSED:
        return f"L’accès de {t.member} s’est fermé d’office, faute d’usage."
    if t.subject == DAY_OF_DEPARTURE:
        return f"L’accès de {t.member} s’est fermé d’office, au jour de son départ prévu."
    if t.after == "oui":
        return f"{t.who} a habilité {t.member}."
    if t.after == "attente":
        return f"{t.who} a habilité {t.member} : accès en attente de son compte."
    if t.after == "refus":
        return f"{t.who} a noté le refus du patient pour {t.member} : accès fermé."
    if t.before == "refus":
        return f"{t.who} a noté le retrait du refus pour {t.member} : sans habilitation."
    return f"{t.who} a suspendu l’accès : {t.member}."


def _requested(t: Told) -> str:
    return f"{t.who} a demandé une habilitation pour {t.member}."


def _limited(t: Told) -> str:
    if not t.after:
        return f"{t.who} a levé la réduction de l’accès : {t.member}, « {t.subject} »."
    return f"{t.who} a réduit l’accès : {t.member}, « {t.subject} », {t.after}."


def _last_day(t: Told) -> str:
    if not t.after:
        return f"{t.who} a retiré la fin d’accès du {t.before} : {t.member}."
    was = f" au lieu du {t.before}" if t.before else ""
    return f"{t.who} a fixé la fin d’accès au {t.after}{was} : {t.member}."


def _shared(t: Told) -> str:
    until = f", jusqu’au {t.before}" if t.before else ""
    return _SHARING.get(t.subject, _SHARING[TEAM]).format(who=t.who, member=t.member, day=t.after, until=until)


def _removed(t: Told) -> str:
    reason = f" {t.subject}." if t.subject else ""
    note = f" {t.after.rstrip('.')}." if t.after else ""
    return f"{t.who} a retiré {t.member} du cercle de soins.{reason}{note}"


def _restored(t: Told) -> str:
    return f"{t.who} a annulé le retrait : {t.member} est à nouveau dans le cercle de soins."


def _planned(t: Told) -> str:
    what = "l’arrivée prévue" if t.subject == ARRIVAL else "le départ prévu"
    if not t.after:
        stays = "" if t.subject == ARRIVAL else ", qui reste dans le cercle de soins"
        return f"{t.who} a annulé {what} le {t.before} : {t.member}{stays}."
    if t.before == t.after:
        return f"{t.who} a changé le motif ou la précision du départ prévu le {t.after} : {t.member}."
    if t.before:
        return f"{t.who} a déplacé du {t.before} au {t.after} {what} : {t.member}."
    return f"{t.who} a prévu {what.removesuffix(' prévue').removesuffix(' prévu')} {of_name(t.member)} le {t.after}."


def _hindered(t: Told) -> str:
    what = "L’arrivée prévue" if t.subject == ARRIVAL else "Le départ prévu"
    return f"{what} le {t.before} n’a pas pu se faire : {t.member}. {t.after}".rstrip()


def _invited(t: Told) -> str:
    if t.subject == ACCEPTED and t.who == t.member:
        return f"{t.who} a accepté l’invitation."
    return _INVITATIONS.get(t.subject, _INVITATIONS[SENT]).format(who=t.who, member=t.member)


def _secretary(t: Told) -> str:
    of_whom = of_name(t.member)
    if t.before == CARE_OVER:
        return f"{t.who} a clôturé le dossier : l’accord au secrétariat {of_whom} prend fin, {t.subject}."
    if not t.after:
        return f"{t.who} a noté le retrait de l’accord de la personne au secrétariat {of_whom} : {t.subject}."
    return f"{t.who} a noté l’accord de la personne au secrétariat {of_whom} : {t.subject}."


_TELLERS: dict[str, Callable[[Told], str]] = {
    "ajout": _added,
    "retour": _returned,
    "modification": _edited,
    "liaison": _linked,
    "role": _role,
    "passation": _handed_over,
    "report": _moved,
    "abandon": _called_off,
    "habilitation": _state,
    "demande": _requested,
    "reduction": _limited,
    "fin_acces": _last_day,
    "partage": _shared,
    "retrait": _removed,
    "annulation": _restored,
    "prevision": _planned,
    "empechement": _hindered,
    "invitation": _invited,
    "secretariat": _secretary,
}
