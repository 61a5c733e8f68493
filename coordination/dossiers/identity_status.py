"""How the trust in an identity moves (INS-3, INS-8; RNIV EXI SI 07 and 10).

Pure. Two facts make the status: the INSi service gave the identity (+ or -), an identity document was
checked (+ or -): PROV - -, RECUP + -, VALI - +, QUAL + +. People state the second fact, never the first.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordination.dossiers.errors import IdentityNotSound, StatusNotByHand

PROV, RECUP, VALI, QUAL = "PROV", "RECUP", "VALI", "QUAL"
BY_HAND = (PROV, VALI)


@dataclass(frozen=True, slots=True)
class Move:
    """The status after an act, and whether the matricule still stands."""

    status: str
    keeps_ins: bool


def chosen_by_hand(current: str, wanted: str, *, sound: bool = True) -> Move:
    """Return the move when someone states what he checked, traits unchanged.

    VALI said of a retrieved identity means that its document was checked: it becomes qualified. Leaving
    RECUP or QUAL any other way denies what INSi said: the INS goes. Raises StatusNotByHand for RECUP and
    QUAL, IdentityNotSound for anything but PROV on a doubtful or fictitious identity.
    """
    if wanted == current and (sound or wanted == PROV):
        return Move(current, keeps_ins=True)
    if wanted not in BY_HAND:
        raise StatusNotByHand
    if wanted == VALI and not sound:
        raise IdentityNotSound
    if wanted == VALI and current == RECUP:
        return Move(QUAL, keeps_ins=True)
    return Move(wanted, keeps_ins=current in BY_HAND)


# Who changes a trait of an identity that INSi gave has left its status as he found it.
_NOT_OF_INSI = (
    "Un trait change : l’identité n’est plus celle que le téléservice INSi a donnée. Choisissez « Identité validée »"
    " si une pièce d’identité a été vérifiée, sinon « Identité provisoire »."
)


def traits_changed(wanted: str, *, sound: bool = True) -> Move:
    """Return the move when a trait was changed by hand: PROV or VALI, and the INS no longer stands."""
    if wanted not in BY_HAND:
        raise StatusNotByHand(_NOT_OF_INSI)
    if wanted == VALI and not sound:
        raise IdentityNotSound
    return Move(wanted, keeps_ins=False)


def ins_received(current: str, *, sound: bool = True) -> Move:
    """Return the move when INSi answers with one identity (code 00): PROV -> RECUP, VALI -> QUAL.

    Raises IdentityNotSound: a doubtful or fictitious identity is not presented to the service (INS-8).
    """
    if not sound:
        raise IdentityNotSound
    return Move(QUAL if current in (VALI, QUAL) else RECUP, keeps_ins=True)


def flags_changed(current: str, *, sound: bool) -> Move:
    """Return the move when an identity becomes doubtful or fictitious: provisional, what INSi said dropped (INS-8)."""
    return Move(current, keeps_ins=True) if sound else Move(PROV, keeps_ins=current in BY_HAND)


def ins_typed(current: str) -> Move:
    """Return the move when another matricule is typed, or the one recorded is removed: INSi did not say that."""
    return Move({RECUP: PROV, QUAL: VALI}.get(current, current), keeps_ins=False)
