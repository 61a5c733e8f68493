"""THE three questions. May I? Which ones? Who can?

Every room asks here and nowhere else. What is not granted is refused (SEC-1, SEC-2, rules 1 to 4, 7
and 10 of the default matrix). A decision is computed from rows read now: membership open, state "oui",
a fact it rests on (équipe de soins or consent), no refusal standing for the same account, profession vouched for,
current matrix, state of the dossier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from coordination.common.statements import rows as run
from habilitations import closures, grants, published
from habilitations.errors import LevelMissing, NotAllowed, NotOfYourStructure, OwnProfession
from habilitations.kin import same_structures
from habilitations.matrix import Matrix, least
from habilitations.models import Delegate, Habilitation, StructureAdministrator, VouchedProfession
from habilitations.rubriques import Action, Niveau, Rubrique, Scope

State = Habilitation.State
T = TypeVar("T")
NO_CEILING: Mapping[str, Niveau] = {}

# Rule 7: the circle is health data. These profiles get function and phone of the coordinator, of the
# emergency contacts and of their own structure, not the whole list.
REDUCED_CIRCLE_PROFILES = frozenset({"aide_domicile", "transport_psdm", "benevole", "education_nationale"})


@dataclass(frozen=True)
class Hat:
    """The profession an account acts under, as vouched for. Empty strings when nobody vouched."""

    profession: str = ""
    fonction: str = ""
    national_id: str = ""
    structure_id: UUID | None = None
    structure_name: str = ""
    # Who says so: a VouchedProfession.How.
    how: str = ""


@dataclass(frozen=True)
class Access:
    """What one account may do in one dossier, now. Made by `to_dossier`, never by hand but in tests."""

    profile: str
    matrix: Matrix
    hat: Hat
    habilitation_id: UUID | None
    through_structure: UUID | None = None
    # The state of the dossier caps every right: a closed dossier is read-only.
    cap: Niveau = Niveau.ECRITURE
    # What was reduced for this member in this dossier: {rubric: the most he may do}.
    ceilings: Mapping[str, Niveau] = field(default_factory=dict)
    # Last day of the grant or of what it rests on, None without an end.
    until: dt.date | None = None
    # On what the grant rests: a Consent.Ground.
    ground: str = ""

    def level(self, rubrique: str) -> Niveau:
        """Return the effective level: the least of cell, ceiling and state of the dossier (rule 2)."""
        return least((self.granted(rubrique), self.cap))

    def granted(self, rubrique: str) -> Niveau:
        """Return the level whatever the state of the dossier: the least of the matrix cell and of the ceiling.

        Who had the medical rubric closed in this dossier loses its journal, which names discreet members (rule 7).
        """
        if rubrique == Rubrique.JOURNAL and self.ceilings and self.granted(Rubrique.MEDICAL) < Niveau.LECTURE:
            return Niveau.AUCUN
        cell = self.matrix.level(self.profile, rubrique)
        return least((cell, self.ceilings.get(rubrique, cell))) if self.ceilings else cell

    def can_read(self, rubrique: str) -> bool:
        return self.level(rubrique) >= Niveau.LECTURE

    def can_write(self, rubrique: str) -> bool:
        return self.level(rubrique) >= Niveau.ECRITURE

    def may(self, action: Action, *, structure_id: UUID | None = None) -> bool:
        """Say whether an action right is held, for a member of `structure_id` when the right is bounded.

        Every action needs a dossier that can be written, but those of _ALLOWED_ON_CLOSED. The action right on refusals
        is half of the answer: ask `may_record_refusal` and `may_withdraw_refusal`, which also ask for the circle.
        """
        scope = self.matrix.scope(self.profile, action)
        if scope is None:
            return False
        if self.cap < Niveau.ECRITURE and action not in _ALLOWED_ON_CLOSED:
            return False
        if scope == Scope.OWN_STRUCTURE:
            return structure_id is not None and structure_id == self.hat.structure_id
        return True

    def require(self, action: Action, *, structure_id: UUID | None = None) -> None:
        """Raise NotAllowed unless the action right is held."""
        if not self.may(action, structure_id=structure_id):
            raise NotAllowed

    @property
    def may_record_refusal(self) -> bool:
        """Say whether a refusal may be recorded: whatever the state of the dossier, since it only closes (SEC-5)."""
        writes = self.granted(Rubrique.CERCLE) >= Niveau.ECRITURE
        return writes and self.can_read(Rubrique.CERCLE) and self.may(Action.RECORD_REFUSAL)

    @property
    def may_withdraw_refusal(self) -> bool:
        """Say whether a refusal may be withdrawn: that opens a way in, and needs a dossier that can be written."""
        return self.can_write(Rubrique.CERCLE) and self.may(Action.RECORD_REFUSAL)

    @cached_property
    def abilities(self) -> dict[str, bool]:
        """Return {"read_cercle": True, "ajouter_membre": False...}: what templates ask, never recompute."""
        return dict(self._kept("abilities", self._abilities))

    def _kept(self, what: str, work_out: Callable[[], T]) -> T:
        # Asked without a structure, rights depend on these two alone; a ceiling belongs to one member of one dossier.
        return work_out() if self.ceilings else self.matrix.keep((what, self.profile, self.cap), work_out)

    def _abilities(self) -> dict[str, bool]:
        said = {f"read_{r.value}": self.can_read(r) for r in Rubrique}
        said |= {f"write_{r.value}": self.can_write(r) for r in Rubrique}
        said |= {a.value: self.may(a) for a in Action}
        return said

    @property
    def sees_discreet_members(self) -> bool:
        """Rule 7: a discreet member is shown only to those who may read the medical rubric."""
        return self.can_read(Rubrique.MEDICAL)

    @property
    def sees_whole_circle(self) -> bool:
        return self.can_read(Rubrique.CERCLE) and self.profile not in REDUCED_CIRCLE_PROFILES

    def readable(self) -> tuple[Rubrique, ...]:
        rubrics = lambda: tuple(r for r in Rubrique if self.can_read(r))  # noqa: E731
        return self._kept("readable", rubrics)

    def writable(self) -> tuple[Rubrique, ...]:
        return tuple(r for r in Rubrique if self.can_write(r))


_ALLOWED_ON_CLOSED = frozenset(
    {Action.CLOSE_DOSSIER, Action.PRINT, Action.READ_JOURNAL, Action.EXPORT_DOSSIER, Action.RECORD_REFUSAL}
)


def _delegated(user) -> QuerySet[Any]:
    return Delegate.objects.current().filter(user=user).values("structure_id")


def beside(columns: str, table: str) -> str:
    """Return the statement that reads `columns` of one dossier in `table` and the rows `decide_for` wants, at once.

    Parameters %(user)s and %(dossier)s. One line per row, none for a dossier that does not exist; a dossier with no
    row for the account gives one line whose last columns are empty. The door asks it on every page.
    """
    return (
        f"SELECT {columns}, grants.* FROM {table} dossier "  # noqa: S608 - names of our own columns
        f"LEFT JOIN LATERAL ({grants.OF_DOSSIER}) grants ON TRUE WHERE dossier.id = %(dossier)s"
    )


def decide_for(user, lines: Iterable[tuple], *, cap: Niveau) -> Access | None:
    """Return the decision of `to_dossier` from the last columns of the lines of `beside`, those of the dossier cut."""
    if not _may_act(user):
        return None
    rows = [dict(zip(grants.ROW, line, strict=True)) for line in lines if line[0] is not None]
    return decide(rows, today=timezone.localdate(), cap=cap)


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


def decide(rows: Iterable[dict], *, today: dt.date, cap: Niveau = Niveau.ECRITURE) -> Access | None:
    """Return the decision from the rows of `to_dossier`; None when nothing lets the account in.

    Pure on plain dictionaries, in whatever order. A structure's own refusal never shows here: its row is then not
    "oui". A grant lasts until the end of its last day, and as long as what it rests on.
    """
    rows = list(rows)
    if any(closures.closes_whole(row) for row in rows):
        return None
    granting = [row for row in rows if closures.opens(row, today)]
    if not granting:
        return None
    # One's own habilitation first: it is the one a trace should name. Then the grant that lasts longest.
    lasts = lambda row: (closures.last_day(row) or dt.date.max).toordinal()  # noqa: E731
    row = min(granting, key=lambda r: (r["user_id"] is None, -lasts(r), r["id"]))
    matrix = published.matrix(row["matrix_number"])
    hat = Hat(
        profession=row["hat_profession"] or "",
        fonction=row["hat_fonction"] or "",
        national_id=row["hat_national_id"] or "",
        structure_id=row["hat_structure_id"],
        structure_name=row["hat_structure_name"] or "",
        how=row["hat_how"] or "",
    )
    return Access(
        profile=matrix.profile_of(hat.profession, hat.fonction),
        matrix=matrix,
        hat=hat,
        habilitation_id=row["id"],
        through_structure=row["structure_id"] if row["user_id"] is None else None,
        cap=cap,
        ceilings=_ceilings(rows, own_only=row["user_id"] is not None),
        until=closures.last_day(row),
        ground=row["ground"],
    )


def _ceilings(rows: list[dict], *, own_only: bool) -> Mapping[str, Niveau]:
    """Return the lowest ceiling of each rubric, whatever the state of the row it is set on.

    What was reduced for a person holds however he enters; what was reduced for a structure, for who enters through
    one. Read of every row, so that the end of one grant never opens what another one leaves open.
    """
    said = [line for row in rows if row["user_id"] or not own_only for line in row["ceilings"]]
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


def profile_of(user) -> str:
    """Return the profile an account has by its vouched profession; "inconnu" when nobody vouched."""
    hat = hat_of(user)
    return published.current().profile_of(hat.profession, hat.fonction)


def held_by(user, *, cap: Niveau = Niveau.ECRITURE) -> Access:
    """Return what the profession of an account gives, nothing being reduced: for a list that crosses dossiers.

    It opens no dossier: keep first those that the account may enter. `cap` is the limit of the state of the dossier.
    """
    hat, matrix = hat_of(user), published.current()
    return Access(matrix.profile_of(hat.profession, hat.fonction), matrix, hat, None, cap=cap)


def may_create_dossier(user) -> bool:
    """Say whether the account may open a dossier for a new person (action-rights table)."""
    return user.is_active and published.current().may(profile_of(user), Action.CREATE_DOSSIER)


def may_administer(user) -> bool:
    """Say whether the account configures accounts, lists and directory. Opens no dossier (rule 10)."""
    return bool(user.is_authenticated and user.is_active and user.is_administrator)


def administered_structures(user) -> list[UUID]:
    """Return the structures whose accounts this person looks after, with the entries found to be the same ones.

    Opens no dossier. At most two SQL statements.
    """
    if not (user.is_authenticated and user.is_active):
        return []
    named = StructureAdministrator.objects.current().filter(user=user).values_list("structure_id", flat=True)
    return same_structures(*found) if (found := list(named)) else []


def require_looks_after(by, structure_id: UUID | None, *, other_than=None) -> None:
    """Require that `by` looks after the accounts of this structure, and acts on another account than his own.

    Raises NotOfYourStructure, OwnProfession. Source: issue 2 §3, "a named person of the structure".
    """
    if structure_id is None or structure_id not in administered_structures(by):
        raise NotOfYourStructure
    if other_than is not None and other_than.pk == by.pk:
        raise OwnProfession


def preview(
    profession: str, fonction: str = "", *, ceilings: Mapping[str, Niveau] = NO_CEILING
) -> dict[Rubrique, Niveau]:
    """Return what a person of this profession would see once habilitated, from the current matrix.

    `ceilings`: what would be reduced for this member. Decided by what decides the pages (`Access.level`).
    """
    matrix = published.current()
    profile = matrix.profile_of(profession, fonction)
    held = Access(profile, matrix, Hat(profession, fonction), None, ceilings=ceilings)
    return {rubrique: held.level(rubrique) for rubrique in Rubrique}


# ---- 2. Which ones? ------------------------------------------------------------------------------


OWN, STRUCTURE = "own", "structure"


def dossier_ids(user, *, through: str = "") -> QuerySet[Any]:
    """Return, as a subquery of ids, the dossiers the account may enter: same rule as `to_dossier`.

    `through` keeps those of his own habilitations (OWN) or those his structures open to him (STRUCTURE).
    Two index scans put together: an OR would read the whole table.
    """
    if not _may_act(user):
        return Habilitation.objects.none().values("dossier_id")
    granting = Habilitation.objects.granting().exclude(dossier_id__in=closures.closed_whole_to(user))
    own = granting.filter(user=user).values("dossier_id")
    by_structure = granting.filter(structure__in=_delegated(user)).values("dossier_id")
    if through:
        return own if through == OWN else by_structure
    return own.union(by_structure)


def closed_to(user, rubrique: Rubrique) -> QuerySet[Any]:
    """Return, as a subquery of ids, the dossiers where a rubric is closed for the account, whatever his profession.

    By a ceiling, a consent that leaves it out or an opposition. For lists, which read many dossiers at once. Stricter
    than `to_dossier` for who is a member himself and a delegate of a structure that was reduced.
    """
    whose = Q(habilitation__user=user) | Q(habilitation__structure__in=_delegated(user))
    return closures.closed_rubric(rubrique.value, whose)


# ---- 3. Who can? ---------------------------------------------------------------------------------


def users_able_to(dossier_id: UUID, rubrique: Rubrique, niveau: Niveau = Niveau.LECTURE) -> set[UUID]:
    """Return the ids of the accounts that hold the level on the rubric: whom a notification may reach.

    Decided by `decide` for each, from one SQL statement; the state of the dossier does not matter for reading.
    """
    return {user_id for user_id, found in _decisions(dossier_id).items() if found.level(rubrique) >= niveau}


def users_who_may(dossier_id: UUID, action: Action) -> set[UUID]:
    """Return the ids of the accounts that hold an action right for every member of the dossier. One SQL statement."""
    return {user_id for user_id, found in _decisions(dossier_id).items() if found.may(action)}


def _decisions(dossier_id: UUID) -> dict[UUID, Access]:
    """Return {account: what it may do} for those inside, the state of the dossier left aside."""
    by_user: dict[UUID, list[dict]] = {}
    for user_id, *line in run(grants.ABLE, {"dossier": dossier_id}):
        by_user.setdefault(user_id, []).append(dict(zip(grants.ROW, line, strict=True)))
    today = timezone.localdate()
    decisions = {user_id: decide(lines, today=today) for user_id, lines in by_user.items()}
    return {user_id: found for user_id, found in decisions.items() if found}
