"""The journal in French: one sentence per line, and how its author came to be there."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from coordination.common.french import date_fr, long_date, time_fr
from coordination.common.text import of_name
from coordination.directory.search import profession_label
from coordination.dossiers.journal.folding import folded
from coordination.dossiers.journal.reading import RIGHTS, Filters, Line
from habilitations import catalog
from habilitations.models import JournalCheck, Outcome, Trace
from habilitations.traces import BY_LINK, BY_MAIL, IN_EMERGENCY, OWN_FEED, OWN_PROGRAM
from habilitations.unusual import FIRST, HOURS, MANY, WEEKEND

WHOLE_DOSSIER = "le dossier"
# Said of a right when the reader may not know whose it is.
_OF_SOMEBODY = " d’un membre dans"
# {action of the trace: (what was done, what could not be done, tag, icon, kind of pictogram)}
_ACTS = {
    "lecture": ("a lu", "lire", "Lecture", "eye", "info"),
    "écriture": ("a écrit dans", "écrire dans", "Écriture", "pencil", "write"),
    "habilitation": (
        f"a changé l’accès{_OF_SOMEBODY}", f"changer l’accès{_OF_SOMEBODY}", "Habilitation", "key", "att",
    ),
    "création": ("a créé", "créer", "Création", "plus-lg", "write"),
    "recherche": ("a cherché qui ajouter dans", "chercher qui ajouter dans", "Recherche", "search", "info"),
    "impression": ("a imprimé", "imprimer", "Impression", "printer", "info"),
    "export": ("a exporté", "exporter", "Export", "download", "info"),
    "réponse": (
        f"a répondu à la demande d’accès{_OF_SOMEBODY}", f"répondre à la demande d’accès{_OF_SOMEBODY}",
        "Habilitation", "key", "att",
    ),
    "question": (
        "a demandé la raison d’un accès dans", "demander la raison d’un accès dans", "Question", "chat-left-text",
        "info",
    ),
    "aperçu": (
        "a relu une invitation avant son envoi dans", "relire une invitation dans", "Invitation", "envelope", "info",
    ),
    "renvoi": ("a renvoyé une invitation dans", "renvoyer une invitation dans", "Invitation", "envelope", "write"),
    "relance": (
        "a relancé une personne invitée dans", "relancer une personne invitée dans", "Invitation", "envelope", "write",
    ),
    "lien copié": (
        "a copié le lien d’une invitation dans", "copier le lien d’une invitation dans", "Invitation", "envelope",
        "att",
    ),
    "annulation": ("a annulé une invitation dans", "annuler une invitation dans", "Invitation", "envelope", "write"),
    "acceptation": (
        "a accepté une invitation dans", "accepter une invitation dans", "Invitation", "envelope", "att",
    ),
    "refus": ("a refusé une invitation dans", "refuser une invitation dans", "Invitation", "envelope", "write"),
    "confirmation": (
        "a confirmé qui a accepté une invitation dans", "confirmer qui a accepté une invitation dans", "Invitation",
        "envelope", "att",
    ),
    "mise à l’écart": (
        "a écarté qui avait accepté une invitation dans", "écarter qui a accepté une invitation dans", "Invitation",
        "envelope", "write",
    ),
    "urgence": (
        "a ouvert un accès d’urgence dans", "ouvrir un accès d’urgence dans", "Accès d’urgence",
        "exclamation-triangle", "att",
    ),
    "fin d’urgence": (
        "a quitté son accès d’urgence dans", "quitter son accès d’urgence dans", "Accès d’urgence", "box-arrow-right",
        "info",
    ),
    "revue d’urgence": (
        "a relu un accès d’urgence dans", "relire un accès d’urgence dans", "Accès d’urgence", "check2-square",
        "write",
    ),
    "interdiction": (
        "a noté que la personne interdit l’accès d’urgence dans", "noter l’interdiction de l’accès d’urgence dans",
        "Accès d’urgence", "slash-circle", "att",
    ),
    "fin d’interdiction": (
        "a noté que la personne permet de nouveau l’accès d’urgence dans",
        "noter que l’accès d’urgence est de nouveau permis dans", "Accès d’urgence", "check-lg", "att",
    ),
}  # fmt: skip
# A line outlives the version of the product that wrote it: what is no longer known is told plainly.
_OTHER = ("a fait", "faire", "Autre", "three-dots", "auc")
# The home page of a dossier has no rubric: one opens the dossier, one acts on it.
_HOME = {"a lu": "a ouvert", "lire": "ouvrir", "a écrit dans": "a modifié", "écrire dans": "modifier"}
_UNUSUAL = {
    FIRST: "premier accès récent de cette personne à ce dossier",
    HOURS: "avant {opens} h ou après {closes} h",
    WEEKEND: "un samedi ou un dimanche, jours inhabituels ici",
    MANY: "beaucoup de dossiers ouverts en peu de temps",
}


@dataclass(frozen=True)
class Sentence:
    """What a line says: « who » did « what », why it could, and the words of its tag.

    `whom`: whose right changed, "" when the line is not about a right or the reader may not know.
    """

    at: dt.datetime
    who: str
    hat: str
    did: str
    what: str
    why: str
    tag: str
    icon: str
    kind: str
    tag_kind: str
    to_check: str
    # What was asked of the author of the line and what he answered, "" when nobody asked.
    explained: str = ""
    # The line about which the reader may ask, None when there is nothing to ask.
    ask_id: UUID | None = None
    # For whom it was done, "" for oneself.
    on_behalf_of: str = ""
    # "par le logiciel Exemple", "" from the screens.
    by_means: str = ""
    whom: str = ""
    # "4 fois depuis 09:41", "" for what was done once.
    repeated: str = ""

    @property
    def time(self) -> str:
        return time_fr(self.at)


class _Act(NamedTuple):
    """What was done, in what, and how it is marked."""

    did: str
    what: str
    tag: str
    icon: str
    kind: str
    tag_kind: str = "auc"


def _act(line: Line) -> _Act:
    trace = line.trace
    done, undone, tag, icon, kind = _ACTS.get(trace.action, _OTHER)
    what = catalog.last().labels.get(trace.rubrique, "")
    if not what:
        done, undone, what = _HOME.get(done, done), _HOME.get(undone, undone), WHOLE_DOSSIER
    if trace.outcome == Outcome.REFUSED:
        return _Act(f"n’a pas pu {undone}", what, "Accès bloqué", "slash-circle", "refus", "refus")
    if trace.outcome == Outcome.FAILED:
        return _Act(f"a voulu {undone}", what, f"{tag}, sans effet", "exclamation-triangle", "auc")
    return _Act(done, what, tag, icon, kind)


def in_words(line: Line) -> str:
    """Return "A lu Volet médical": what was done, without who, when nor why."""
    act = _act(line)
    return f"{act.did[:1].upper()}{act.did[1:]} {act.what}"


def sentence(line: Line, reader) -> Sentence:
    """Return the words of one line for this reader."""
    trace, act = line.trace, _act(line)
    you = trace.actor_id == reader.pk
    whom = line.subject if trace.action in RIGHTS else ""
    did = act.did.removesuffix(_OF_SOMEBODY) if whom else act.did
    return Sentence(
        at=line.at,
        who="Vous" if you else _name(trace),
        hat="" if you else _hat(trace),
        did=_to_you(did) if you else did,
        what=act.what,
        why=_why(line),
        tag=act.tag,
        icon=act.icon,
        kind=act.kind,
        tag_kind=act.tag_kind,
        on_behalf_of=trace.on_behalf_of_name,
        by_means=_means(trace.software),
        whom=of_name(whom) if whom else "",
        repeated=_repeated(line),
        to_check=", ".join(_UNUSUAL[one].format(**settings.JOURNAL_UNUSUAL) for one in line.unusual),
        explained=_explained(line),
        ask_id=trace.pk if line.unusual and line.question is None and not you else None,
    )


def by_day(lines: list[Line], reader) -> list[tuple[str, list[Sentence]]]:
    """Return [("Aujourd’hui, lundi 23 novembre 2026", sentences)], in the order given; what says one thing, once."""
    return [(day, [sentence(line, reader) for line in group]) for day, group in _days(lines)]


def by_day_across(traces: list[Trace], reader) -> list[tuple[str, list[Sentence]]]:
    """Return the same for lines of several dossiers: each says the reference of its dossier, not whose it is."""
    return [
        (day, [replace(sentence(line, reader), why=f"Dossier {line.trace.dossier_id}") for line in group])
        for day, group in _days(Line(trace) for trace in traces)
    ]


def _days(lines: Iterable[Line]) -> Iterator[tuple[str, Iterable[Line]]]:
    today = timezone.localdate()
    for day, group in itertools.groupby(folded(lines), key=lambda line: line.at.date()):
        yield _day(day, today), group


def said_of_check(check: JournalCheck | None, *, today: dt.date | None = None) -> dict:
    """Return {label, kind, icon}: what the last verification lets one say of the journal, nothing more."""
    if check is None:
        return {"label": "Journal pas encore vérifié", "kind": "auc", "icon": "hourglass-split"}
    at = timezone.localtime(check.at)
    day = "" if at.date() == (today or timezone.localdate()) else f"le {date_fr(at)} "
    when = f"{day}à {time_fr(at)}"
    if check.faults:
        return {"label": f"Défaut trouvé à la vérification {when}", "kind": "refus", "icon": "exclamation-triangle"}
    return {"label": f"Journal intègre, vérifié {when}", "kind": "ok", "icon": "shield-lock"}


def _day(day: dt.date, today: dt.date) -> str:
    words = long_date(day)
    if day == today:
        return f"Aujourd’hui, {words}"
    return words[:1].upper() + words[1:]


def _name(trace: Trace) -> str:
    if trace.actor_id is None and trace.actor_name == BY_LINK:
        return "La personne invitée"
    return trace.actor_name or "Personne non identifiée"


def _hat(trace: Trace) -> str:
    """Return "infirmier, Cabinet Exemple": in small letters, it stands inside a sentence."""
    trade = profession_label("", fonction=trace.fonction) or profession_label(trace.profession)
    return ", ".join(filter(None, [trade[:1].lower() + trade[1:], trace.structure_name]))


_MEANS = {OWN_PROGRAM: f"par un {OWN_PROGRAM}", OWN_FEED: f"par un {OWN_FEED}", BY_MAIL: f"par {BY_MAIL}"}


def _means(software: str) -> str:
    if not software:
        return ""
    return _MEANS.get(software) or f"par le logiciel {software}"


def _to_you(did: str) -> str:
    """Put in the second person what is said in the third: "a lu" -> "avez lu"."""
    for third, second in (("n’a pas", "n’avez pas"), ("a ", "avez ")):
        if did.startswith(third):
            return second + did.removeprefix(third)
    return did


def _why(line: Line) -> str:
    if line.trace.action in RIGHTS:
        return ", ".join(line.reasons)
    about = f"Fiche {of_name(line.subject)}" if line.subject else _destination(line)
    return ". ".join(filter(None, [about, _way_in(line)]))


def _destination(line: Line) -> str:
    """Return where an export went when it went to somebody, "" for a file."""
    reason = line.trace.reason
    return reason if line.trace.action == "export" and reason not in (BY_LINK, IN_EMERGENCY) else ""


def _way_in(line: Line) -> str:
    if line.trace.reason == BY_LINK:
        return "Par le lien personnel de l’invitation"
    if line.trace.action == "urgence" and line.trace.reason:
        return f"Motif : {line.trace.reason}"
    if line.trace.reason == IN_EMERGENCY:
        return "Par un accès d’urgence, sans habilitation"
    trade = _hat(line.trace).split(",")[0]
    if line.through:
        return f"Par délégation de {line.through}, structure habilitée depuis le {date_fr(line.opened_at)}"
    if line.opened_at is None:
        return ""
    if principal := line.trace.on_behalf_of_name:
        return f"Par l’accès {of_name(principal)}, ouvert depuis le {date_fr(line.opened_at)}"
    as_what = f" comme {trade}" if trade else ""
    return f"Accès ouvert{as_what} depuis le {date_fr(line.opened_at)}"


def _repeated(line: Line) -> str:
    if line.first_at is None:
        return ""
    since = time_fr(timezone.localtime(line.first_at))
    return f"{line.times} fois" if since == time_fr(line.at) else f"{line.times} fois depuis {since}"


def _explained(line: Line) -> str:
    asked = line.question
    if asked is None:
        return ""
    if asked.answered_at is None:
        return f"Raison demandée le {date_fr(timezone.localtime(asked.asked_at))}, sans réponse pour l’instant"
    return f"Réponse le {date_fr(timezone.localtime(asked.answered_at))} : « {asked.answer} »"


def about(filters: Filters, *, reader_name: str, at: dt.datetime) -> str:
    """Return what a file or a paper says of itself: which lines, of which days, read by whom and when."""
    said = (("du", filters.first), ("au", filters.last))
    span = " ".join(f"{word} {date_fr(day)}" for word, day in said if day)
    kept = "Toutes les lignes" if filters.is_empty else "Lignes choisies par des filtres"
    return f"{kept}{f', {span}' if span else ''}. Journal lu le {date_fr(at)} à {time_fr(at)} par {reader_name}."
