"""The Maildir where the mail server puts the answers: each is processed, and those refused are kept aside.

A mail goes from `new` to `cur` before it is read: one that breaks the process is known by that, waits behind those
that come, and is set aside after a day.
"""

from __future__ import annotations

import logging
import mailbox
import random
import time
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from agenda.actions.mailed_answers import receive_answer
from agenda.models import ReceivedAnswer
from agenda.received_mail import MOST_BYTES
from coordination.common import away

logger = logging.getLogger(__name__)
REFUSED = "Refusees"
AT_ONCE = 200
# Seconds that one turn begins mails for; a task has some more, which one mail alone uses up.
TURN = 25
# Seconds after which one that was begun and not finished is set aside.
LONGEST_WAIT = 24 * 3600


def empty(path: str) -> int:
    """Process what has come, the new ones first; return how many mails. One whose processing breaks waits.

    Raises NoSuchMailboxError, and SoftTimeLimitExceeded when one mail takes the time of the task: it is set aside.
    """
    box, done, until = _folder(path), 0, time.monotonic() + TURN
    for found in _waiting(box)[:AT_ONCE]:
        if time.monotonic() > until:
            break
        mail = _begun(box, found)
        if mail is None:
            continue
        if found == mail and _age(mail) > LONGEST_WAIT:
            logger.error("agenda.answer_given_up")
            _set_aside(box, mail)
            continue
        try:
            with mail.open("rb") as content:
                raw = content.read(MOST_BYTES + 1)
            row = receive_answer(raw)
        except SoftTimeLimitExceeded:
            _set_aside(box, mail)
            raise
        except Exception as error:  # the database, or the disk
            away.note(error)
            # The class only: what a database says may repeat an address.
            logger.error("agenda.answer_not_processed", extra={"error": type(error).__name__})
            continue
        if row.outcome == ReceivedAnswer.Outcome.REFUSED:
            _set_aside(box, mail)
        else:
            mail.unlink(missing_ok=True)
        done += 1
    return done


def purge(path: str) -> int:
    """Remove the mails set aside long ago (RETENTION_DAYS); return how many. Raises NoSuchMailboxError."""
    kept_for = settings.RETENTION_DAYS["received_answers"] * 24 * 3600
    aside = _folder(path) / f".{REFUSED}"
    old = [mail for mail in _mails(aside / "new", aside / "cur") if _age(mail) > kept_for]
    for mail in old:
        mail.unlink(missing_ok=True)
    return len(old)


def _folder(path: str) -> Path:
    mailbox.Maildir(path, factory=None, create=False)
    return Path(path)


def _waiting(box: Path) -> list[Path]:
    """Return the new ones in the order they came, then those begun before, drawn so that none hides the others."""
    begun = _mails(box / "cur")
    random.shuffle(begun)
    return sorted(_mails(box / "new")) + begun


def _mails(*folders: Path) -> list[Path]:
    return [mail for folder in folders if folder.is_dir() for mail in folder.iterdir() if mail.name[0] != "."]


def _begun(box: Path, mail: Path) -> Path | None:
    """Mark a mail as begun and return where it is; None when another process has taken it."""
    if mail.parent.name == "cur":
        return mail
    try:
        return mail.rename(box / "cur" / f"{mail.name.partition(':')[0]}:2,")
    except FileNotFoundError:
        return None


def _set_aside(box: Path, mail: Path) -> None:
    mailbox.Maildir(box, factory=None, create=False).add_folder(REFUSED)
    mail.rename(box / f".{REFUSED}" / "new" / mail.name.partition(":")[0])


def _age(mail: Path) -> float:
    """Seconds since it was begun, or set aside: since it was last renamed. 0 when it is there no more."""
    try:
        return time.time() - mail.stat().st_ctime
    except FileNotFoundError:
        return 0
