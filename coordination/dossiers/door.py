"""The only way into a dossier.

`enter` fetches, decides and records in one gesture. An outsider gets the answer of a dossier that does
not exist; a member without the level is told which rubric is closed. HTML pages use the decorator
`rubric_view`, other doors (FHIR, exports) call the functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

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
    user: object
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
_LOOK, _LOOK_BY_HIMSELF = (
    habilitations.beside(_COLUMNS, f'"{Dossier._meta.db_table}"', by_himself=alone) for alone in (False, True)
)


def look(user, dossier_id: UUID, *, via: traces.Via = traces.NOWHERE) -> Entry:
    """Fetch a dossier and what `user` may do in it, without any rubric and without a trace.

    Raises DossierUnknown for an unknown dossier and for an outsider alike, after having recorded the
    attempt. One SQL statement for the two, and the same for both.
    """
    asked = _LOOK_BY_HIMSELF if habilitations.comes_by_himself(user) else _LOOK
    lines = run(asked, {"user": user.pk, "dossier": dossier_id})
    dossier = Dossier.from_db(connection.alias, _FIELDS, lines[0][: len(_FIELDS)]) if lines else None
    grants = (line[len(_FIELDS) :] for line in lines)
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
) -> Entry:
    """Enter a rubric of a dossier at a level, leaving one trace.

    `rubrique` None means the home page: inside is enough, each card asks for its own rubric. `right`: an action
    right needed besides the level (printing).
    Raises DossierUnknown (404), LevelMissing (403, rubric named) or NotAllowed; each leaves a trace of refusal.
    """
    entry = look(user, dossier_id, via=via)
    if refusal := _refusal(entry, rubrique, niveau, right):
        entry.trace(
            action, rubrique=rubrique or "", outcome=Outcome.REFUSED, object_kind=object_kind, object_id=object_id
        )
        raise refusal
    entry.trace(action, rubrique=rubrique or "", object_kind=object_kind, object_id=object_id)
    return entry


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
    if rubrique is not None and entry.access.level(rubrique) < niveau:
        return _missing(entry, rubrique, niveau)
    if right is not None and not entry.access.may(right):
        return NotAllowed()
    return None


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
