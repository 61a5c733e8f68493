"""What became of every act: nothing accepted is missing, nothing is there twice, each has its line and its letter."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agenda.models import Appointment
from circle.models import Change, Invitation, Member
from coordination.fhir.models import Kept
from coordination.outbox.models import Message, State
from habilitations.models import AccountTrace, Outcome, Trace
from tests.bench import servers
from tests.chaos.load import Act
from tests.chaos.post_office import PostOffice
from tests.chaos.stage import Stage

WAITING = (State.EN_FILE, State.EN_COURS, State.A_REESSAYER)
WRITES = ("relative", "letter", "appointment", "fhir")


@dataclass
class Verdict:
    """Counts, and the acts that are wrong (their kind and key): each list is to be empty but `twice_by_a_fall`."""

    acts: int = 0
    accepted: int = 0
    sent_again: int = 0
    refused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    letters: int = 0
    not_left: list[str] = field(default_factory=list)
    not_arrived: list[str] = field(default_factory=list)
    twice_unsaid: list[str] = field(default_factory=list)
    twice_by_a_fall: int = 0
    journal: str = ""

    @property
    def wrong(self) -> list[str]:
        """Return what breaks REL-1, in words."""
        lists = {
            "refused": self.refused, "answered 500": self.broken, "accepted and missing": self.missing,
            "done twice": self.doubled, "without a line of the journal": self.untold, "letter not left": self.not_left,
            "letter said to be sent, not arrived": self.not_arrived, "letter twice, not said": self.twice_unsaid,
        }  # fmt: skip
        found = [f"{what}: {len(which)} ({', '.join(which[:3])})" for what, which in lists.items() if which]
        return found + ([] if self.journal == "" else [self.journal])


def judge(stage: Stage, acts: Iterable[Act], *, letters_within: float = 60) -> Verdict:
    """Wait for the letters, then look at all that the acts left. Needs Django on the database of the stage."""
    acts = list(acts)
    wait_for_letters(letters_within)
    verdict = Verdict(acts=len(acts), accepted=sum(act.accepted for act in acts))
    for act in acts:
        _look_at_answers(verdict, act)
    written = [act for act in acts if act.writes]
    rows = {kind: _rows([act for act in written if act.kind == kind], kind) for kind in WRITES}
    told = _told(written)
    for act in written:
        found = rows[act.kind][str(act.key)]
        name = f"{act.kind} {act.key}"
        if act.accepted and not found:
            verdict.missing.append(name)
        if found > 1:
            verdict.doubled.append(name)
        if found and not any(told[attempt.request_id] for attempt in act.attempts):
            verdict.untold.append(name)
    _look_at_history(verdict, written)
    _look_at_letters(verdict, stage.post_office)
    verdict.journal = _journal(stage)
    return verdict


def wait_for_letters(seconds: float) -> float:
    """Return after how many seconds no letter waits any more; as many as given when some still do."""
    began = time.monotonic()
    while Message.objects.filter(state__in=WAITING).exists() and time.monotonic() - began < seconds:
        time.sleep(0.1)
    return time.monotonic() - began


def _look_at_answers(verdict: Verdict, act: Act) -> None:
    name = f"{act.kind} {act.path}"
    verdict.sent_again += len(act.attempts) > 1
    verdict.broken += [name for attempt in act.attempts if attempt.status == 500]
    if act.attempts and 400 <= act.attempts[-1].status < 500:
        verdict.refused.append(f"{act.attempts[-1].status} {name} {said_in(act.attempts[-1].said)}")


def said_in(page: str) -> str:
    """Return what a page of refusal says, without its frame."""
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())[-200:]


def _rows(acts: list[Act], kind: str) -> Counter[str]:
    """Return {key of an act: how many rows it left}."""
    keys = [act.key for act in acts]
    if kind == "fhir":
        sent = Kept.objects.filter(resource_type="RelatedPerson").values_list("content", flat=True)
        wanted = {str(key) for key in keys}
        return Counter(
            said for content in sent for one in content.get("identifier", [])
            if (said := one.get("value")) in wanted
        )  # fmt: skip
    model = {"relative": Member, "letter": Invitation, "appointment": Appointment}[kind]
    found = model._default_manager.filter(creation_key__in=keys)
    return Counter(str(key) for key in found.values_list("creation_key", flat=True))


def _told(acts: list[Act]) -> Counter[str]:
    """Return {identifier of a request: how many lines of the journals say that it was done}."""
    asked = [attempt.request_id for act in acts for attempt in act.attempts]
    told: Counter[str] = Counter()
    for journal in (Trace, AccountTrace):
        done = journal._default_manager.filter(request_id__in=asked, outcome=Outcome.OK)
        told.update(done.values_list("request_id", flat=True))
    return told


def _look_at_history(verdict: Verdict, acts: list[Act]) -> None:
    """Who was added to a circle was added once in its history too."""
    keys = [act.key for act in acts if act.kind == "relative"]
    lines = Counter(
        Change.objects.filter(member__creation_key__in=keys, kind=Change.Kind.ADDED).values_list(
            "member__creation_key", flat=True
        )
    )
    members = set(Member.objects.filter(creation_key__in=keys).values_list("creation_key", flat=True))
    verdict.doubled += [f"history of {key}" for key, count in lines.items() if count > 1]
    verdict.missing += [f"history of {key}" for key in members - set(lines)]


def _look_at_letters(verdict: Verdict, post_office: PostOffice) -> None:
    letters = list(Message.objects.all())
    verdict.letters = len(letters)
    for letter in letters:
        taken = len(post_office.taken.get(letter.message_id, ()))
        if letter.state in WAITING:
            verdict.not_left.append(str(letter.pk))
        elif letter.state == State.ENVOYE and not taken:
            verdict.not_arrived.append(str(letter.pk))
        if taken > 1:
            verdict.twice_by_a_fall += 1
            if not letter.is_uncertain:
                verdict.twice_unsaid.append(str(letter.pk))
    known = {letter.message_id for letter in letters}
    verdict.doubled += [f"letter of nobody {key}" for key in set(post_office.taken) - known]


def _journal(stage: Stage) -> str:
    """Return what is wrong with the chains of the journal, nothing when they hold."""
    command = [sys.executable, "manage.py", "verify_journal"]
    environment = stage.environment(stage.logs / "static")
    done = subprocess.run(command, cwd=servers.ROOT, env=environment, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"verify_journal: {(done.stdout + done.stderr).strip()[-300:]}"
