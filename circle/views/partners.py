"""« Échanger avec un partenaire »: the circle sent to one, his received; what was exchanged of this dossier.

It leaves the house: who is there is asked again, as for a file (SEC-18). Nothing is sent while the page is drawn: the
exchange waits in a queue, and its content is made, with the rights of that moment, when it leaves.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from circle.relays import kinds
from circle.views.pages import page
from coordination.accounts import reauthentication
from coordination.accounts.reauthentication import DOSSIER
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.partners import relaying
from coordination.partners.actions import ask_relay
from coordination.partners.models import Partner, Relay, State
from habilitations.rubriques import Action, Niveau, Rubrique

KINDS = {"envoyer": kinds.SEND, "recevoir": kinds.RECEIVE}
ASKED = {
    "envoyer": "L’envoi est demandé : le cercle part dans un instant.",
    "recevoir": "La demande est faite : le cercle arrive dans un instant.",
}
SHOWN = 20


@require_safe
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.EXPORT_DOSSIER)
def partners(request: HttpRequest, entry) -> HttpResponse:
    """The partners in service, and the last exchanges of this dossier. Two SQL statements beside the door's."""
    rows = Relay.objects.about(kinds.EVERY, entry.dossier.pk).select_related("partner", "asked_by")[:SHOWN]
    context = {
        "partners": list(Partner.objects.active()),
        "rows": [
            {"relay": row, "label": relaying.label_of(row.kind), "failed": row.state == State.ECHEC} for row in rows
        ],
    }
    return page(request, entry, "circle/partners.html", context)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.EXPORT_DOSSIER)
def exchange(request: HttpRequest, entry) -> HttpResponse:
    """Leave an exchange in the queue. Its own line, « a exporté », is written when it leaves."""
    reauthentication.require(request, "échanger un cercle avec un partenaire", DOSSIER)
    act = request.POST.get("geste", "")
    if act not in KINDS:
        raise BadRequest
    try:
        ask_relay(_partner(request.POST.get("partenaire", "")), kind=KINDS[act], object_id=entry.dossier.pk,
                  by=request.user)  # fmt: skip
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, ASKED[act])
    return redirect(request, "circle:partners", entry.dossier.pk)


def _partner(said: str) -> Partner:
    try:
        found = Partner.objects.active().filter(pk=UUID(said)).first()
    except ValueError:
        found = None
    if found is None:
        raise BadRequest
    return found
