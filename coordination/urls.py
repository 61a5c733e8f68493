"""The roof: the only place that knows every room."""

from django.urls import include, path

from circle.views import todo
from coordination.common import health, pages
from coordination.dossiers.views import listing, questions
from coordination.fhir import views as fhir

handler400 = "coordination.common.error_pages.bad_request"
handler403 = "coordination.common.error_pages.permission_denied"
handler404 = "coordination.common.error_pages.page_not_found"
handler500 = "coordination.common.error_pages.server_error"

urlpatterns = [
    # First what is asked all day: each address tried before costs a little.
    path("dossiers/<uuid:dossier_id>/cercle/", include("circle.urls")),
    path("dossiers/<uuid:dossier_id>/agenda/", include("agenda.dossier_urls")),
    path("dossiers/<uuid:dossier_id>/reunions/", include("agenda.meeting_urls")),
    path("dossiers/", include("coordination.dossiers.urls")),
    # Before the resources, whose last line answers to everything else under this address.
    # `POST [base]` is asked with or without the last slash; a redirect would lose what is sent.
    path("fhir", fhir.Root.as_view(), name="fhir_base"),
    path("fhir/", include("habilitations.api_urls")),
    path("fhir/", include("coordination.fhir.urls")),
    path("", listing.root, name="root"),
    path("sante/vivant", health.alive, name="alive"),
    path("sante/pret", health.ready, name="ready"),
    path("accessibilite/", pages.accessibility, name="accessibility"),
    path("ecoconception/", pages.ecodesign, name="ecodesign"),
    path("aide/", pages.help_page, name="help"),
    path("raccourcis/", pages.shortcuts, name="shortcuts"),
    path("plan/", pages.site_map, name="site_map"),
    path("mentions-legales/", pages.legal, name="legal"),
    path("compte/", include("coordination.accounts.urls")),
    path("compte/remplacements/", include("habilitations.acting_urls")),
    path("compte/jetons/", include("habilitations.token_urls")),
    path("invitations/", include("circle.invitation_urls")),
    path("a-faire/", todo.todo, name="todo"),
    path("a-faire/pourquoi/<uuid:question_id>/", questions.answer, name="answer_why"),
    path("agenda/flux/", include("agenda.feed_urls")),
    path("agenda/", include("agenda.urls")),
    path("reponse/", include("agenda.answer_urls")),
    path("annuaire/", include("coordination.directory.urls")),
    path("administration/", include("coordination.directory.administration_urls")),
    path("administration/roles/", include("circle.administration_urls")),
    path("administration/partenaires/", include("coordination.partners.urls")),
    path("administration/files/", include("coordination.operations.urls")),
    path("administration/habilitations/", include("habilitations.urls")),
    # Answers 404 outside development (see its views).
    path("dev/courriels/", include("coordination.outbox.urls")),
]
