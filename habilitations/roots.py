"""Signed roots: what shows a chain rewritten to its end, its tail cut, or the whole database put back to a past day.

Every hour (Celery beat), the ends of the chains that moved are kept as anchors, and their list is signed with a key
that is not in the database; each root signs the one before (SECT-11). A root copied outside the machine shows the one
thing left, an old backup restored: `manage.py verify_journal --racine NUMÉRO:SIGNATURE`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from habilitations.models import JournalRoot

log = structlog.get_logger(__name__)

# One root at a time, whoever makes it: number of a lock that nothing else takes.
_LOCK = 20_261_128

_KEEP_ENDS = """
INSERT INTO habilitations_journalanchor (root, dossier_id, first_seq, last_seq, previous_hash, hash)
SELECT %s, head.dossier_id, head.seq, head.seq, head.previous_hash, head.hash
FROM habilitations_tracehead AS head
WHERE head.seq > 0 AND NOT EXISTS (
    SELECT FROM habilitations_journalanchor AS kept
    WHERE kept.dossier_id = head.dossier_id AND kept.last_seq = head.seq AND kept.hash = head.hash
)"""
# Times are those of the acts: at the turn of a month a line may stand before its neighbour. Hence runs, not one range.
_KEEP_MONTH = """
INSERT INTO habilitations_journalanchor (root, dossier_id, first_seq, last_seq, previous_hash, hash)
SELECT %s, dossier_id, min(seq), max(seq),
    (array_agg(previous_hash ORDER BY seq))[1], (array_agg(hash ORDER BY seq DESC))[1]
FROM (
    SELECT dossier_id, seq, previous_hash, hash,
        seq - row_number() OVER (PARTITION BY dossier_id ORDER BY seq) AS run
    FROM habilitations_trace WHERE at >= %s AND at < %s
) AS line GROUP BY dossier_id, run"""
ANCHORS = "root, dossier_id, first_seq, last_seq, previous_hash, hash"


def sign_root() -> JournalRoot:
    """Keep and sign the ends of the chains that moved since the last root; return the root made.

    Its number and signature go to the log too: whoever keeps the logs elsewhere keeps the roots.
    """
    return _sign(JournalRoot.Kind.PERIODIC, _KEEP_ENDS)


def sign_month(month: dt.date) -> JournalRoot:
    """Keep and sign both ends of every run of lines of a month about to be removed (SEC-14)."""
    first = dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)
    after = (first + dt.timedelta(days=32)).replace(day=1)
    return _sign(JournalRoot.Kind.PURGE, _KEEP_MONTH, first, after, month=month)


@transaction.atomic
def _sign(kind: str, keep: str, *asked, month: dt.date | None = None) -> JournalRoot:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = JournalRoot.objects.order_by("-number").first()
        number = last.number + 1 if last else 1
        cursor.execute(keep, [number, *asked])
        lines = cursor.rowcount
    root = JournalRoot(
        number=number, at=timezone.now(), kind=kind, month=month, lines=lines,
        digest=digest(anchors_of(number)), previous=bytes(last.signature) if last else b"",
    )  # fmt: skip
    root.signature = signature(root, _keys()[0])
    root.save(force_insert=True)
    log.info("journal_root", number=number, kind=kind, signature=root.signature.hex())
    return root


def anchors_of(number: int) -> Iterable[tuple]:
    """Yield what a root keeps, in the order that is signed, without holding it all."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT {ANCHORS} FROM habilitations_journalanchor WHERE root = %s ORDER BY dossier_id, last_seq",  # noqa: S608
            [number],
        )
        while rows := cursor.fetchmany(2_000):
            yield from rows


def digest(anchors: Iterable[tuple]) -> bytes:
    """Return the hash of the anchors of one root: a line of text for each."""
    summed = hashlib.sha256()
    for _, dossier_id, first_seq, last_seq, previous_hash, end in anchors:
        line = f"{UUID(str(dossier_id))} {first_seq} {last_seq} {bytes(previous_hash).hex()} {bytes(end).hex()}\n"
        summed.update(line.encode())
    return summed.digest()


def signature(root: JournalRoot, key: bytes) -> bytes:
    """Return the keyed hash of everything a root says, the signature before it included."""
    said = (
        str(root.number), root.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), root.kind,
        f"{root.month:%Y-%m}" if root.month else "", str(root.lines), bytes(root.digest).hex(),
        bytes(root.previous).hex(),
    )  # fmt: skip
    return hmac.digest(key, "|".join(said).encode(), "sha256")


def is_signed(root: JournalRoot) -> bool:
    """Say whether one of the keys of JOURNAL_KEYS signed this root."""
    return any(hmac.compare_digest(signature(root, key), bytes(root.signature)) for key in _keys())


def seal(root: JournalRoot, summed: bytes) -> bytes:
    """Return the keyed hash of what leaves with a month without being in any chain: the lines of the accounts."""
    return _sealed(root, summed, _keys()[0])


def is_sealed(root: JournalRoot, summed: bytes, found: bytes) -> bool:
    """Say whether one of the keys of JOURNAL_KEYS sealed these lines with this root."""
    return any(hmac.compare_digest(_sealed(root, summed, key), found) for key in _keys())


def _sealed(root: JournalRoot, summed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"accounts|" + bytes(root.signature) + summed, "sha256")


def _keys() -> list[bytes]:
    """Return the signing key, then the former ones. Derived: the same secret serves nothing else with this value."""
    secrets = settings.JOURNAL_KEYS or [settings.SECRET_KEY]
    return [hmac.digest(secret.encode(), b"habilitations.roots", "sha256") for secret in secrets]
