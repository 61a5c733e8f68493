"""The web of the REL-6 campaign: one person invited after another, whatever falls meanwhile.

`python -m tests.circle.inviter FIRST COUNT` says each rank once its invitation is committed. A rank tried again has
the same key, as a form sent twice: it makes one invitation.
"""

from __future__ import annotations

import sys
import time
import uuid

import django

django.setup()

from django.db import InterfaceError, OperationalError, connection, transaction  # noqa: E402

from circle import actions  # noqa: E402
from coordination.accounts.models import User  # noqa: E402
from coordination.common.errors import DomainError  # noqa: E402
from coordination.directory.models import Professional  # noqa: E402
from coordination.dossiers import door  # noqa: E402
from coordination.dossiers.models import Dossier  # noqa: E402

KEYS = uuid.UUID("6f0d6a52-6f7c-4a0b-9d50-0d6f3c1b2a11")
NURSE = "60"
# One rank in so many is invited into a dossier; one in so many comes after two acts that are undone.
IN_A_DOSSIER, AFTER_UNDONE = 25, 10
PATIENCE = 0.2


def is_in_a_dossier(rank: int) -> bool:
    return rank % IN_A_DOSSIER == IN_A_DOSSIER - 1


def professional_number(rank: int) -> str:
    return f"8997{rank:08}"


def undone(by: User, rank: int) -> None:
    """Two acts that leave nothing: a transaction given up, and one that a rule stops after the letter was written."""
    with transaction.atomic():
        _invite_colleague(by, f"annule-{rank}@cabinet.example", uuid.uuid4())
        transaction.set_rollback(True)
    dossier = Dossier.objects.get()
    try:
        with transaction.atomic():
            _invite_colleague(by, f"defait-{rank}@cabinet.example", uuid.uuid4())
            _add_and_invite(by, rank, uuid.uuid4(), message=f"Pour {dossier.birth_name}")
    except DomainError:
        return
    raise AssertionError("what a rule refuses was done")


def invite(rank: int) -> None:
    by = User.objects.get()
    if rank % AFTER_UNDONE == 0:
        undone(by, rank)
    if is_in_a_dossier(rank):
        _add_and_invite(by, rank, uuid.uuid5(KEYS, str(rank)))
    else:
        _invite_colleague(by, f"{rank}@cabinet.example", uuid.uuid5(KEYS, str(rank)))


def _invite_colleague(by: User, email: str, key: uuid.UUID) -> None:
    actions.invite_colleague(
        by=by, email=email, creation_key=key, family_name="Figurant", given_name="Léa", profession=NURSE
    )


def _add_and_invite(by: User, rank: int, key: uuid.UUID, message: str = "") -> None:
    """Add a professional of the directory and invite him, in one act. A refused one takes the first of the list."""
    number = professional_number(rank if is_in_a_dossier(rank) else IN_A_DOSSIER - 1)
    entry = door.look(by, Dossier.objects.get().pk)
    actions.add_professional(
        entry, professional=Professional.objects.get(national_id=number), role="PROV", wanted="oui",
        invitation={"email": f"{rank}@cabinet.example", "message": message}, creation_key=key,
    )  # fmt: skip


def main(first: int, count: int) -> None:
    for rank in range(first, count):
        while True:
            try:
                invite(rank)
                break
            except (OperationalError, InterfaceError):
                # The database is away, and perhaps it had committed: the same key tells.
                connection.close()
                time.sleep(PATIENCE)
        sys.stdout.write(f"{rank}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
