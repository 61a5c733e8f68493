"""The only way into a dossier.

`enter` fetches, decides and records in one gesture. An outsider gets the answer of a dossier that does
not exist; a member without the level is told which rubric is closed. HTML pages use the decorator
`rubric_view`, other doors (FHIR, exports) call the functions.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from coordination.accounts.models import User
from coordination.accounts.reauthentication import IdentityNotShown
from coordination.common.constraints import sentence_of
from coordination.common.errors import DomainError
from coordination.common.statements import rows as run
from coordination.dossiers.errors import DossierUnknown
from coordination.dossiers.models import Dossier
from habilitations import access as habilitations
from habilitations import explain, traces
from habilitations.access import Access
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.models import Outcome
from habilitations.rubriques import Action, Niveau, Rubrique

READ, WRITE = "lecture", "écriture"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Entry:
    """A dossier one has entered, and what one may do in it."""

    dossier: Dossier
    access: Access
    user: User
    via: traces.Via = traces.NOWHERE
    # What rooms have read of this dossier for this visit, by their own key: the strip tells what the page has read.
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def abilities(self) -> dict[str, bool]:
        return self.access.abilities

    def trace(self, action: str, *, rubrique: str = "", **details) -> None:
        """Record one more act of this entry (printing, export...), in the caller's transaction."""
        traces.record(
            user=self.user,
            dossier_id=self.dossier.pk,
            access=self.access,
            action=action,
            rubrique=rubrique,
            via=self.via,
            **details,
        )


_FIELDS = [field.attname for field in Dossier._meta.concrete_fields]
_COLUMNS = ", ".join(f'dossier."{field.column}"' for field in Dossier._meta.concrete_fields)
_LOOK, _LOOK_BY_HIMSELF, _LOOK_MANY, _LOOK_MANY_BY_HIMSELF = (
    habilitations.beside(_COLUMNS, f'"{Dossier._meta.db_table}"', by_himself=alone, many=many)
    for many in (False, True)
    for alone in (False, True)
)


# Of a dossier that is read with who calls, what its resource may say of it; the rest is read if it is asked for.
_TOLD = {"id", "birth_name", "birth_given_names", "first_given_name", "used_name", "used_given_name", "status"}
# Asked whether it holds each field of a dossier, at each reading: a set.
_NAMED = frozenset(name for name in _FIELDS if name in _TOLD)


def beside_who_calls(columns: str, rows: str) -> str:
    """Return the statement of `look`, for the caller and the dossier that a row of a room names (`Provider.beside`).

    `rows` has the column "dossier_id", and is called `named`; its `columns` come first in the lines that `look` takes.
    """
    table = f'{rows} JOIN "{Dossier._meta.db_table}" dossier ON dossier.id = named.dossier_id'
    named = ", ".join(f'dossier."{field.column}"' for field in Dossier._meta.concrete_fields if field.attname in _TOLD)
    return habilitations.beside_who_calls(f"{columns}, {named}", table)


def look(user, dossier_id: UUID, *, via: traces.Via = traces.NOWHERE, beside: Sequence[tuple[Any, ...]] = ()) -> Entry:
    """Fetch a dossier and what `user` may do in it, without any rubric and without a trace.

    Raises DossierUnknown for an unknown dossier and for an outsider alike, after having recorded the
    attempt. One SQL statement for the two, and the same for both. `beside`: the lines of `beside_who_calls` for this
    call, without their first columns; asked again of who does not come by himself.
    """
    fields: Collection[str]
    lines: Sequence[tuple[Any, ...]]
    if beside and habilitations.comes_by_himself(user):
        fields, lines = _NAMED, beside
    else:
        asked = _LOOK_BY_HIMSELF if habilitations.comes_by_himself(user) else _LOOK
        fields, lines = _FIELDS, run(asked, {"user": user.pk, "dossier": dossier_id})
    dossier = Dossier.from_db(connection.alias, fields, lines[0][: len(fields)]) if lines else None
    grants = (line[len(fields) :] for line in lines)
    found = habilitations.decide_for(user, grants, cap=dossier.cap) if dossier else None
    if dossier is None or found is None:
        traces.record_account(
            user=user,
            action=READ,
            outcome=Outcome.REFUSED,
            object_kind="dossier",
            object_id=dossier_id,
            via=via,
        )
        raise DossierUnknown
    return Entry(dossier=dossier, access=found, user=user, via=via)


def enter(
    user,
    dossier_id: UUID,
    rubrique: Rubrique | None,
    niveau: Niveau = Niveau.LECTURE,
    *,
    right: Action | None = None,
    action: str = READ,
    via: traces.Via = traces.NOWHERE,
    object_kind: str = "",
    object_id: UUID | None = None,
    beside: Sequence[tuple[Any, ...]] = (),
) -> Entry:
    """Enter a rubric of a dossier at a level, leaving one trace.

    `rubrique` None means the home page: inside is enough, each card asks for its own rubric. `right`: an action
    right needed besides the level (printing). `beside`: as for `look`.
    Raises DossierUnknown (404), LevelMissing (403, rubric named) or NotAllowed; each leaves a trace of refusal.
    """
    entry = look(user, dossier_id, via=via, beside=beside)
    if refusal := _refusal(entry, rubrique, niveau, right):
        entry.trace(
            action, rubrique=rubrique or "", outcome=Outcome.REFUSED, object_kind=object_kind, object_id=object_id
        )
        raise refusal
    entry.trace(action, rubrique=rubrique or "", object_kind=object_kind, object_id=object_id)
    return entry


def tell_undone(
    user,
    dossier_id: UUID,
    rubrique: Rubrique,
    niveau: Niveau,
    *,
    action: str = WRITE,
    via: traces.Via = traces.NOWHERE,
) -> None:
    """Record an act that was refused or that failed, once all of it is undone, its own trace included (SEC-13).

    An outsider leaves the trace of `look`.
    """
    try:
        entry = look(user, dossier_id, via=via)
    except DossierUnknown:
        return
    outcome = Outcome.FAILED if _holds(entry, rubrique, niveau, None) else Outcome.REFUSED
    entry.trace(action, rubrique=rubrique, outcome=outcome)


def look_many(user, dossier_ids: Iterable[UUID], *, via: traces.Via = traces.NOWHERE) -> dict[UUID, Entry]:
    """Fetch several dossiers and what `user` may do in each, as `look` does of one, without a trace.

    Returns {id: entry} in the order asked; dossiers that do not exist and those he may not enter are absent alike, and
    nothing is recorded of them: nobody named them. One SQL statement whatever their number.
    """
    wanted = list(dict.fromkeys(dossier_ids))
    if not wanted:
        return {}
    asked = _LOOK_MANY_BY_HIMSELF if habilitations.comes_by_himself(user) else _LOOK_MANY
    lines = run(asked, {"user": user.pk, "dossiers": wanted})
    size, found = len(_FIELDS), {}
    for _, told in itertools.groupby(lines, key=lambda line: line[_FIELDS.index("id")]):
        of_one = list(told)
        dossier = Dossier.from_db(connection.alias, _FIELDS, of_one[0][:size])
        held = habilitations.decide_for(user, (line[size:] for line in of_one), cap=dossier.cap)
        if held is not None:
            found[dossier.pk] = Entry(dossier=dossier, access=held, user=user, via=via)
    return {dossier_id: found[dossier_id] for dossier_id in wanted if dossier_id in found}


def enter_many(
    user,
    dossier_ids: Iterable[UUID],
    rubrique: Rubrique | None,
    niveau: Niveau = Niveau.LECTURE,
    *,
    right: Action | None = None,
    action: str = READ,
    via: traces.Via = traces.NOWHERE,
    object_kind: str = "",
    object_id: UUID | None = None,
    looked: Mapping[UUID, Entry] = MappingProxyType({}),
) -> dict[UUID, Entry]:
    """Enter a rubric of several dossiers at a level, leaving one trace in each: the plural of `enter` (SEC-9).

    Returns {id: entry} in the order asked, of those where the account holds the level and the right; the others are
    silently absent, as from a list of results. Two SQL statements whatever their number: dossiers with decisions, and
    traces. `looked`: what this very call has looked at already, and changes nothing of.
    """
    wanted = list(dict.fromkeys(dossier_ids))
    found = {**looked, **look_many(user, [pk for pk in wanted if pk not in looked], via=via)}
    inside = {pk: found[pk] for pk in wanted if pk in found}
    entries = {pk: entry for pk, entry in inside.items() if _holds(entry, rubrique, niveau, right)}
    accesses = {pk: entry.access for pk, entry in entries.items()}
    traces.record_many(
        user=user,
        accesses=accesses,
        action=action,
        rubrique=rubrique or "",
        object_kind=object_kind,
        object_id=object_id,
        via=via,
    )
    return entries


def tell_many(entries: Iterable[Entry], *, rubrique: str = "", action: str = READ) -> None:
    """Record one reading in each dossier already looked at, of those whose content is told. One SQL statement."""
    accesses = {entry.dossier.pk: entry for entry in entries}
    if accesses:
        first = next(iter(accesses.values()))
        found = {pk: entry.access for pk, entry in accesses.items()}
        traces.record_many(user=first.user, accesses=found, action=action, rubrique=rubrique, via=first.via)


def rubric_view(
    rubrique: Rubrique | None,
    niveau: Niveau = Niveau.LECTURE,
    *,
    right: Action | None = None,
    action: str | None = None,
    object_kwarg: str | None = None,
) -> Callable:
    """Make a view a door: `view(request, entry, **kwargs)` instead of `view(request, dossier_id, **kwargs)`.

    A GET is a reading; any other method is a writing unless `action` says otherwise, and runs in one
    transaction with its trace: an answer of 400 and above rolls everything back, then the failure is
    recorded on its own. The right to write is asked once more behind the trace, where nobody else writes.
    `right` is an action right needed besides the level. The decorated view carries
    `view.door = (rubrique, niveau)` and `view.right` for the architecture tests.
    """

    asked = (rubrique, niveau)

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, dossier_id: UUID, **kwargs) -> HttpResponse:
            said: dict[str, Any] = {
                "action": action or (READ if request.method in SAFE_METHODS else WRITE),
                "via": traces.via_request(request),
                "object_kind": object_kwarg.removesuffix("_id") if object_kwarg else "",
                "object_id": kwargs.get(object_kwarg) if object_kwarg else None,
            }
            try:
                if request.method in SAFE_METHODS:
                    return view(request, enter(request.user, dossier_id, *asked, right=right, **said), **kwargs)
                return _write(view, request, dossier_id, *asked, right, said, kwargs)
            except DossierUnknown:
                raise Http404 from None
            except (LevelMissing, NotAllowed) as refusal:
                return forbidden(request, dossier_id, refusal)
            except DomainError as refusal:
                return refused(request, dossier_id, refusal)
            except IntegrityError as broken:
                if sentence := sentence_of(broken):
                    return refused(request, dossier_id, DomainError(sentence))
                raise

        wrapped.right = right  # type: ignore[attr-defined]
        wrapped.door = asked  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _refusal(
    entry: Entry, rubrique: Rubrique | None, niveau: Niveau, right: Action | None
) -> LevelMissing | NotAllowed | None:
    if _holds(entry, rubrique, niveau, right):
        return None
    if rubrique is not None and entry.access.level(rubrique) < niveau:
        return _missing(entry, rubrique, niveau)
    return NotAllowed()


def _holds(entry: Entry, rubrique: Rubrique | None, niveau: Niveau, right: Action | None) -> bool:
    reaches = rubrique is None or entry.access.level(rubrique) >= niveau
    return reaches and (right is None or entry.access.may(right))


def _missing(entry: Entry, rubrique: Rubrique, niveau: Niveau) -> LevelMissing:
    """Say why, by what first keeps the level from being held."""
    state = entry.dossier.get_status_display().lower()
    refusal = LevelMissing(explain.refusal(entry.access, rubrique, niveau, state=state))
    refusal.askable = rubrique.value if explain.may_ask(entry.access, rubrique) else ""
    return refusal


def only_shown(response: HttpResponse) -> HttpResponse:
    """Mark the answer to a form that wrote nothing and asks something more: the journal says that it was read."""
    response.only_shown = True  # type: ignore[attr-defined]
    return response


def _is_nothing_written(response: HttpResponse) -> bool:
    return response.status_code >= 400 or hasattr(response, "only_shown")


class _Refused(Exception):
    """Carries an answer out of the transaction it must roll back."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def _write(view, request, dossier_id, rubrique, niveau, right, said, kwargs) -> HttpResponse:
    look_only = {"via": said["via"]}
    entry = look(request.user, dossier_id, **look_only)
    details = {"rubrique": rubrique or "", "object_kind": said["object_kind"], "object_id": said["object_id"]}
    if refusal := _refusal(entry, rubrique, niveau, right):
        entry.trace(said["action"], outcome=Outcome.REFUSED, **details)
        raise refusal
    try:
        with transaction.atomic():
            entry.trace(said["action"], **details)
            # The trace waits for whoever is writing in this dossier. What he closed meanwhile is closed (SECT-7).
            entry = look(request.user, dossier_id, **look_only)
            if refusal := _refusal(entry, rubrique, niveau, right):
                raise refusal
            response = view(request, entry, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()
            if _is_nothing_written(response):
                raise _Refused(response)
            return response
    except _Refused as refused:
        looked = hasattr(refused.response, "only_shown")
        entry.trace(READ if looked else said["action"], outcome=Outcome.OK if looked else Outcome.FAILED, **details)
        return refused.response
    except IdentityNotShown:
        # Neither refused nor failed: the act comes back, and is traced, once its author has shown who he is.
        raise
    except (DossierUnknown, LevelMissing, NotAllowed):
        entry.trace(said["action"], outcome=Outcome.REFUSED, **details)
        raise
    except Exception:
        # The act is undone and the error goes on; what was attempted stays written.
        entry.trace(said["action"], outcome=Outcome.FAILED, **details)
        raise


def forbidden(request: HttpRequest, dossier_id: UUID, refusal: LevelMissing | NotAllowed) -> HttpResponse:
    """Answer 403 to a member: the page says which rubric or act is closed, and how to come back."""
    return _told(request, "errors/403_rubrique.html", dossier_id, refusal, status=403)


def refused(request: HttpRequest, dossier_id: UUID, refusal: DomainError) -> HttpResponse:
    """Answer 409 for a rule that the page did not foresee: somebody else acted between the screen and the act.

    The act is rolled back and its failure recorded; a rule that says no is never a server error.
    """
    return _told(request, "errors/409_rubrique.html", dossier_id, refusal, status=409)


def _told(request: HttpRequest, template: str, dossier_id: UUID, refusal: DomainError, *, status: int) -> HttpResponse:
    context = {"message": refusal.message, "dossier_id": dossier_id, "rubrique": getattr(refusal, "askable", "")}
    return TemplateResponse(request, template, context, status=status)
