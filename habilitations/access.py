"""THE three questions. May I? Which ones? Who can?

Every room asks here and nowhere else. What is not granted is refused (SEC-1, SEC-2, rules 1 to 4, 7
and 10 of the default matrix). A decision is computed from rows read now: membership open, state "oui",
a fact it rests on (équipe de soins or consent), no refusal standing for the same account, profession vouched for,
current matrix, state of the dossier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.dates import today
from coordination.common.prepared import Prepared
from coordination.common.statements import rows as run
from habilitations import acting, closures, emergency, grants, published
from habilitations.acting_lists import opened_to_others
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.held import NO_CEILING, Access, Hat
from habilitations.houses import administered_structures, require_looks_after  # noqa: F401 - asked here like the rest
from habilitations.matrix import Matrix, least
from habilitations.models import Delegate, EmergencyAccess, Habilitation, VouchedProfession
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Action, Niveau, Rubric, Rubrique

State = Habilitation.State


def _delegated(user) -> QuerySet[Any]:
    return Delegate.objects.current().filter(user=user).values("structure_id")


def beside(columns: str, table: str, *, by_himself: bool = False, many: bool = False) -> str:
    """Return the statement that reads `columns` of one dossier in `table` and the rows `decide_for` wants, at once.

    Parameters %(user)s and %(dossier)s. One line per row, none for a dossier that does not exist; a dossier with no
    row for the account gives one line whose last columns are empty. The door asks it on every page; `by_himself`, for
    whom `comes_by_himself`. `many`: the same of several dossiers, %(dossiers)s, their lines side by side and none for
    those without a row.
    """
    rows = grants.OF_DOSSIER_BY_HIMSELF if by_himself else grants.OF_DOSSIER
    join = "JOIN" if many else "LEFT JOIN"
    which = "dossier.id = ANY(%(dossiers)s) ORDER BY dossier.id" if many else "dossier.id = %(dossier)s"
    return (
        f"SELECT {columns}, grants.* FROM {table} dossier "  # noqa: S608 - names of our own columns
        f"{join} LATERAL ({rows}) grants ON TRUE WHERE {which}"
    )


def beside_who_calls(columns: str, rows: str) -> str:
    """Return the same of the dossier in `rows`, of whoever a token names, to be read with him (`bearers.software`).

    Without those he acts for, nor an emergency: for whom `comes_by_himself`.
    """
    held = grants.OF_DOSSIER_BY_CALLER
    return f"SELECT {columns}, grants.* FROM {rows} LEFT JOIN LATERAL ({held}) grants ON TRUE"  # noqa: S608 - our names


def comes_by_himself(user) -> bool:
    """Say whether the account acts for nobody and runs no emergency, as its session said at this request.

    Not known of an account loaded otherwise: then it is not said. What began since would only open more: it waits for
    the next request.
    """
    return not (getattr(user, "acts_for_others", True) or getattr(user, "runs_emergency", True))


def decide_for(user, lines: Iterable[tuple], *, cap: Niveau) -> Access | None:
    """Return the decision of `to_dossier` from the last columns of the lines of `beside`, those of the dossier cut."""
    if not _may_act(user):
        return None
    rows = [dict(zip(grants.ROW, line, strict=True)) for line in lines if line[0] is not None]
    return decide(rows, today=today(), cap=cap)


def _may_act(user) -> bool:
    return bool(user.is_authenticated and user.is_active)


# ---- 1. May I? -----------------------------------------------------------------------------------


def to_dossier(user, dossier_id: UUID, *, cap: Niveau = Niveau.ECRITURE) -> Access | None:
    """Return what `user` may do in the dossier, or None when he is an outsider. One SQL statement.

    `cap` is the limit the state of the dossier puts on everybody. A refusal standing for the account
    wins over a grant that reaches him through a structure (rule 2). An account that nobody vouched for
    is inside with the profile "inconnu", which opens nothing (rule 1).
    """
    if not _may_act(user):
        return None
    return decide_for(user, run(grants.TO_DOSSIER, {"user": user.pk, "dossier": dossier_id}), cap=cap)


def decide(
    rows: Iterable[dict], *, today: dt.date, now: dt.datetime | None = None, cap: Niveau = Niveau.ECRITURE
) -> Access | None:
    """Return the decision from the rows of `to_dossier`; None when nothing lets the account in.

    Pure on plain dictionaries, in whatever order. A structure's own refusal never shows here: its row is then not
    "oui". A grant lasts until the end of its last day, and as long as what it rests on. Rows with "acting" are those
    of whom he acts for (SEC-15). Without a grant, an emergency access lasts until its instant (rule 9), which no
    refusal that concerns the account leaves open.
    """
    rows = list(rows)
    if any(closures.closes_whole(row) for row in rows):
        return None
    granting = [row for row in rows if closures.opens(row, today) and acting.is_open(row, today)]
    if not granting:
        return _in_emergency(rows, now=now or timezone.now(), cap=cap)
    row = min(granting, key=acting.preference)
    return _access(
        row,
        habilitation_id=row["id"],
        through_structure=row["structure_id"] if row["user_id"] is None else None,
        cap=cap,
        ceilings=_ceilings(rows, row),
        until=acting.last_day(row),
        ground=row["ground"],
        for_whom=row.get("acting"),
    )


def _in_emergency(rows: list[dict], *, now: dt.datetime, cap: Niveau) -> Access | None:
    running = [row for row in rows if row["state"] == emergency.ROW_STATE and row["ends_at"] > now]
    if not running or any(closures.refuses(row) for row in rows):
        return None
    row = max(running, key=lambda r: (r["ends_at"], r["id"]))
    every = published.read(row["matrix_number"], row.get("catalog_number")).catalog.every
    reduced = emergency.ceilings(_ceilings(rows, row), every)
    return _access(
        row, habilitation_id=None, cap=least((cap, Niveau.LECTURE)), ceilings=reduced, ends_at=row["ends_at"]
    )


def _access(row: dict, *, for_whom: str | None = None, **details) -> Access:
    """Return the access that one row gives under the profession that comes with it."""
    matrix = published.read(row["matrix_number"], row.get("catalog_number"))
    hat = Hat(
        profession=row["hat_profession"] or "",
        fonction=row["hat_fonction"] or "",
        national_id=row["hat_national_id"] or "",
        structure_id=row["hat_structure_id"],
        structure_name=row["hat_structure_name"] or "",
        how=row["hat_how"] or "",
    )
    profile = matrix.profile_of(hat.profession, hat.fonction)
    other = acting.principal_of(for_whom, matrix) if for_whom else None
    return Access(profile=profile, matrix=matrix, hat=hat, on_behalf_of=other, **details)


def _ceilings(rows: list[dict], entered: dict) -> Mapping[str, Niveau]:
    """Return the lowest ceiling of each rubric, whatever the state of the row it is set on.

    What was reduced for a person holds however he enters; what was reduced for a structure, for who enters through
    one; for another, for who enters by him. Read of every row, so that the end of one grant never opens what another
    one leaves open.
    """
    his = [row for row in rows if row is entered or not row.get("acting")]
    said = [line for row in his if row["user_id"] or entered["user_id"] is None for line in row["ceilings"]]
    if not said:
        return NO_CEILING
    lowest: dict[str, Niveau] = {}
    for line in said:
        rubrique, niveau = line.split("=")
        lowest[rubrique] = least((Niveau(int(niveau)), lowest.get(rubrique, Niveau.ECRITURE)))
    return lowest


def require(access: Access, rubrique: Rubrique, niveau: Niveau) -> None:
    """Raise LevelMissing (403, rubric named) unless the level is held."""
    if access.level(rubrique) < niveau:
        raise LevelMissing(rubrique=rubrique.label)


def hat_of(user) -> Hat:
    """Return the vouched profession of an account, empty when there is none. One SQL statement."""
    row = (
        VouchedProfession.objects.current()
        .filter(user=user)
        .values("profession", "fonction", "national_id", "structure_id", "structure_name", "how")
        .first()
    )
    return Hat(**row) if row else Hat()


def trade_of(account, declared: tuple[str, str]) -> tuple[str, str]:
    """Return the (profession, fonction) that decide what somebody would see: those his account was vouched for.

    Without an account, or one that nobody vouched for, those `declared`, by the directory or by hand, which only
    foretell it. One SQL statement, none without an account.
    """
    hat = hat_of(account) if account else Hat()
    return (hat.profession, hat.fonction) if hat.profession else declared


def profile_of(user) -> str:
    """Return the profile an account has by its vouched profession; "inconnu" when nobody vouched."""
    hat = hat_of(user)
    return published.current().profile_of(hat.profession, hat.fonction)


def _hats(*, user_id: UUID) -> QuerySet[Any]:
    current = VouchedProfession.objects.current().filter(user=user_id)
    edition = RawSQL(published.EDITION, [])  # noqa: S611 - our own names  # nosec B611
    return current.annotate(edition=edition).values_list(*_HAT, "edition")


_HAT = ("profession", "fonction", "national_id", "structure_id", "structure_name", "how")
_hat_and_edition = Prepared(_hats, one_plan=True)


def _hat_and_matrix(user) -> tuple[Hat, Matrix]:
    """Return the vouched profession of an account and the matrix in force: one SQL statement, two for who has none."""
    found = _hat_and_edition.tuples(user_id=user.pk)
    if not found:
        return Hat(), published.current()
    *said, edition = found[0]
    return Hat(*said), published.read(*edition)


def held_by(user, *, cap: Niveau = Niveau.ECRITURE) -> Access:
    """Return what the profession of an account gives, nothing being reduced: for a list that crosses dossiers.

    It opens no dossier: keep first those that the account may enter. `cap` is the limit of the state of the dossier.
    """
    hat, matrix = _hat_and_matrix(user)
    return Access(matrix.profile_of(hat.profession, hat.fonction), matrix, hat, None, cap=cap)


def may_create_dossier(user) -> bool:
    """Say whether the account may open a dossier for a new person (action-rights table)."""
    return user.is_active and published.current().may(profile_of(user), Action.CREATE_DOSSIER)


def may_administer(user) -> bool:
    """Say whether the account configures accounts, lists and directory. Opens no dossier (rule 10)."""
    return bool(user.is_authenticated and user.is_active and user.is_administrator)


def require_administrator(by) -> None:
    """Raise NotAllowed unless `by` is a named administrator: nobody else, and no command without a name."""
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")


def preview(
    profession: str, fonction: str = "", *, ceilings: Mapping[str, Niveau] = NO_CEILING
) -> dict[Rubrique | Rubric, Niveau]:
    """Return what a person of this profession would see once habilitated, from the current matrix.

    `ceilings`: what would be reduced for this member. Decided by what decides the pages (`Access.level`).
    """
    matrix = published.current()
    profile = matrix.profile_of(profession, fonction)
    held = Access(profile, matrix, Hat(profession, fonction), None, ceilings=ceilings)
    return {rubrique: held.level(rubrique) for rubrique in matrix.rubrics}


# ---- 2. Which ones? ------------------------------------------------------------------------------


_ANY = Q()
# GRANTED is every way in but an emergency, which opens less than the profession: what a list of dossiers tells.
OWN, STRUCTURE, ANOTHER, HIMSELF, GRANTED = "own", "structure", "another", "himself", "granted"


def dossier_ids(user, *, through: str = "", among: Q = _ANY) -> QuerySet[Any]:
    """Return, as a subquery of ids, the dossiers the account may enter: same rule as `to_dossier`.

    `through` keeps those of his own habilitations (OWN), those his structures open to him (STRUCTURE), both (HIMSELF),
    those he enters only for another (ANOTHER), or all but those of an emergency (GRANTED). Index scans put together:
    an OR would read the whole table. `among`: a condition on `dossier_id`, for who already thinks of a few.
    """
    if not _may_act(user):
        return Habilitation.objects.none().values("dossier_id")
    closed = closures.closed_whole_to(user, among)
    every: list[QuerySet[Any]] = [Habilitation.objects.granting(), opened_to_others(user), _in_emergencies(user)]
    ways = [way.filter(among) for way in every]
    granting, for_another, in_emergency = (way.exclude(dossier_id__in=closed) for way in ways)
    own = granting.filter(user=user).values("dossier_id")
    by_structure = granting.filter(structure__in=_delegated(user)).values("dossier_id")
    others = for_another.values("dossier_id")
    if through == ANOTHER:
        return others.exclude(dossier_id__in=own).exclude(dossier_id__in=by_structure)
    found = {
        OWN: (own,), STRUCTURE: (by_structure,), HIMSELF: (own, by_structure), GRANTED: (own, by_structure, others),
    }  # fmt: skip
    first, *rest = found.get(through, (own, by_structure, others, in_emergency.values("dossier_id")))
    return first.union(*rest) if rest else first


def _in_emergencies(user) -> QuerySet[Any]:
    return EmergencyAccess.objects.running().filter(user=user).exclude(dossier_id__in=shut_to(user))


def shut_to(user) -> RawSQL:
    """Return, as a subquery of ids, the dossiers where an emergency is shut to the account: `grants.SHUT_TO`."""
    return RawSQL(grants.SHUT_TO.format(user="%s"), [user.pk, user.pk])  # noqa: S611 - our own names  # nosec B611


def closed_to(user, rubrique: Rubrique) -> QuerySet[Any]:
    """Return, as a subquery of ids, the dossiers where a rubric is closed for the account, whatever his profession.

    By a ceiling, a consent that leaves it out or an opposition. For lists, which read many dossiers at once, those he
    enters by himself (HIMSELF). Stricter than `to_dossier` for who is a member himself and a delegate of a structure
    that was reduced. Never of identity and circle, which nothing closes to who is inside (ValueError).
    """
    first, *rest = (closing.values("dossier_id") for closing in _closing(user, rubrique))
    return first.union(*rest)


# A search puts them into several conditions: written by the ORM each time, they cost more than all the rest of it.
_dossier_ids = Prepared(lambda through, *, user_id: dossier_ids(User(pk=user_id), through=through))
_closed_to = Prepared(lambda rubrique, *, user_id: closed_to(User(pk=user_id), rubrique))


def dossiers_of(user, *, through: str = "") -> RawSQL | QuerySet[Any]:
    """Return the subquery of `dossier_ids`, its SQL written once, for the conditions of a search."""
    way = way_of(user, through)
    return dossier_ids(user) if way is None else _dossier_ids.subquery(way, user_id=user.pk)


def way_of(user, through: str = "") -> str | None:
    """Return by which ways a statement written once for all accounts looks for his dossiers; None: he has none.

    Who `comes_by_himself` is not looked for among those who act for others, nor among emergencies.
    """
    if not _may_act(user):
        return None
    return HIMSELF if through in ("", GRANTED) and comes_by_himself(user) else through


def dossiers_closed_to(user, rubrique: Rubrique) -> RawSQL:
    """Return the subquery of `closed_to`, its SQL written once."""
    return _closed_to.subquery(rubrique, user_id=user.pk)


def is_closed_to(user, rubrique: Rubrique) -> Q:
    """Return the same, as a condition on rows of a few dossiers, each named by its `dossier`."""
    reduced, narrow, opposed = (Exists(c.filter(dossier=OuterRef("dossier"))) for c in _closing(user, rubrique))
    return Q(reduced) | Q(narrow) | Q(opposed)


def _closing(user, rubrique: Rubrique) -> tuple[QuerySet[Any], ...]:
    if rubrique in ALWAYS_READ:
        raise ValueError(f"{rubrique} is closed to nobody who is inside")
    whose = Q(habilitation__user=user) | Q(habilitation__structure__in=_delegated(user))
    return closures.closing_rubric(rubrique.value, whose)


# ---- 3. Who can? ---------------------------------------------------------------------------------


def users_able_to(dossier_id: UUID, rubrique: Rubrique, niveau: Niveau = Niveau.LECTURE) -> set[UUID]:
    """Return the ids of the accounts that hold the level on the rubric: whom a notification may reach.

    Decided by `decide` for each, from one SQL statement; the state of the dossier does not matter for reading.
    """
    return {user_id for user_id, found in _decisions(dossier_id).items() if found.level(rubrique) >= niveau}


def users_who_may(dossier_id: UUID, action: Action, *, himself: bool = False) -> set[UUID]:
    """Return the ids of the accounts that hold an action right for every member of the dossier. One SQL statement.

    `himself` leaves out who is there for another: « À faire », to which the mails lead, tells him nothing of it.
    """
    decisions = _decisions(dossier_id).items()
    return {user_id for user_id, found in decisions if found.may(action) and not (himself and found.on_behalf_of)}


def _decisions(dossier_id: UUID) -> dict[UUID, Access]:
    """Return {account: what it may do} for those inside, the state of the dossier left aside."""
    by_user: dict[UUID, list[dict]] = {}
    for user_id, *line in run(grants.ABLE, {"dossier": dossier_id}):
        by_user.setdefault(user_id, []).append(dict(zip(grants.ROW, line, strict=True)))
    day = today()
    decisions = {user_id: decide(lines, today=day) for user_id, lines in by_user.items()}
    return {user_id: found for user_id, found in decisions.items() if found}
