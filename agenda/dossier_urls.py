"""Pages of a person’s agenda, under the address of the dossier."""

from django.urls import path

from agenda.views import acts, answering, listing, sheet, writing

app_name = "agenda"

urlpatterns = [
    path("", listing.listed, name="list"),
    path("semaine/", listing.weekly, name="week"),
    path("nouveau/", writing.create, name="create"),
    path("accord/", acts.consent, name="consent"),
    path("<uuid:appointment_id>/", sheet.appointment, name="appointment"),
    path("<uuid:appointment_id>/modifier/", writing.edit, name="edit"),
    path("<uuid:appointment_id>/annuler/", acts.cancel, name="cancel"),
    path("<uuid:appointment_id>/realise/", acts.done, name="done"),
    path("<uuid:appointment_id>/non-venu/", acts.not_come, name="not_come"),
    path("<uuid:appointment_id>/reunir/", acts.join, name="join"),
    path("<uuid:appointment_id>/distincts/", acts.keep_apart, name="keep_apart"),
    path("<uuid:appointment_id>/repondre/", answering.answer, name="answer"),
    path("<uuid:appointment_id>/propositions/<uuid:proposal_id>/", answering.proposal, name="proposal"),
]
