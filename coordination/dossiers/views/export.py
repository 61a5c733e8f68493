"""« Exporter le dossier (FHIR) »: what the reader may read of one person, in the national format."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.reauthentication import DOSSIER
from coordination.dossiers.door import rubric_view
from coordination.fhir import everything, formats
from coordination.fhir.answering import base_of
from coordination.fhir.callers import Caller
from coordination.fhir.negotiation import JSON
from habilitations.rubriques import Action, Rubrique

# A person reads for herself: what her rights leave, no less.
WHOLE = frozenset({"user/*.rs"})


@require_safe
@recently_authenticated(act="exporter le dossier", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.IDENTITE, right=Action.EXPORT_DOSSIER, action="export")
def export_fhir(request: HttpRequest, entry) -> HttpResponse:
    """Return a Bundle of type collection: the same resources as `$everything`, filtered by the same rights."""
    caller = Caller(user=request.user, owner=f"user:{request.user.pk}", scopes=WHOLE, via=entry.via)
    # The door has told of the identity; what is read beside it is an export too.
    caller.memo.update({("entered", Rubrique.IDENTITE): {entry.dossier.pk: entry}, "reading": everything.EXPORT})
    bundle = everything.collection(caller, entry.dossier.pk, base=base_of(request))
    # A file whose name says nothing of the person, and which no cache keeps.
    headers = {"Content-Disposition": 'attachment; filename="dossier.fhir.json"', "Cache-Control": "no-store"}
    return HttpResponse(formats.write_json(bundle), content_type=JSON, headers=headers)
