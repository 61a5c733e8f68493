"""Everything that is kept for a time, and what removes it: one list, for the command and for the clock.

How long is in coordination/settings/retention.py, with the reasons. Each removal is a transaction of its own: one that
fails does not hold the others.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from agenda import mail_folder
from agenda.actions import mailed_answers
from coordination.accounts import drafts
from coordination.accounts import purging as accounts
from coordination.common import away
from coordination.directory import purging as directory
from coordination.directory.imports import keeping
from coordination.fhir import replays
from coordination.outbox import actions as outbox
from coordination.partners import actions as partners
from habilitations.actions import clients

logger = structlog.stdlib.get_logger(__name__)


def _purge_mails_aside() -> int:
    return mail_folder.purge(settings.AGENDA_REPLY_MAILDIR) if settings.AGENDA_REPLY_MAILDIR else 0


# {key: (what goes, in French, and what removes it)}
PURGES: dict[str, tuple[str, Callable[[], int]]] = {
    "mail_bodies": ("textes de courriels envoyés, retenus ou classés, effacés", outbox.blank_bodies),
    "mails": ("courriels envoyés, retenus ou en échec", outbox.purge_messages),
    "jobs": ("travaux faits ou abandonnés", outbox.purge_jobs),
    "relays": ("échanges avec les partenaires", partners.purge),
    "sessions": ("sessions terminées", accounts.purge_sessions),
    "drafts": ("brouillons", drafts.purge),
    "throttles": ("compteurs d’essais", accounts.purge_throttles),
    "tokens": ("jetons d’accès terminés", clients.purge_tokens),
    "replays": ("réponses d’appels rejouables", replays.purge),
    "received_answers": ("suites de réponses par courriel", mailed_answers.purge),
    "offers": ("demandes de structures", directory.purge_offers),
    "mails_aside": ("courriels mis de côté", _purge_mails_aside),
    "import_refusals": ("lignes refusées de chargements", keeping.purge_refusals),
    "imports": ("comptes rendus de chargements", keeping.purge_runs),
}


class Purged(NamedTuple):
    """What one removal did: how many went, or the class of the error that stopped it."""

    key: str
    label: str
    number: int
    error: str = ""


def purge_all() -> list[Purged]:
    """Remove what is kept no longer, each kind by itself; return what was done. Never raises for one of them.

    Raises SoftTimeLimitExceeded when the time of the whole is over, whichever kind it was at.
    """
    return list(_purged())


def _purged() -> Iterator[Purged]:
    for key, (label, remove) in PURGES.items():
        try:
            number = remove()
        except SoftTimeLimitExceeded:
            # Said once: going on with the next kind, it would be killed a minute later without a word.
            raise
        except Exception as error:  # said by the command and by the log: the others are removed all the same
            away.note(error)
            logger.error("purge.failed", kind=key, exc_info=error)
            yield Purged(key, label, 0, type(error).__name__)
        else:
            logger.info("purge.done", kind=key, number=number)
            yield Purged(key, label, number)
