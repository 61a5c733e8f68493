"""Pages of the meetings of a person, under the address of the dossier."""

from django.urls import path

from agenda.views import finder, meetings, votes

app_name = "reunions"

ONE = "<uuid:appointment_id>/"

urlpatterns = [
    path("", meetings.listed, name="list"),
    path("trouver/", finder.find, name="find"),
    path(ONE, meetings.meeting, name="meeting"),
    path(ONE + "repondre/", votes.answer, name="answer"),
    path(ONE + "creneaux/<uuid:proposal_id>/retenir/", meetings.choose, name="choose"),
    path(ONE + "creneaux/<uuid:proposal_id>/ajouter/", meetings.add_time, name="add_time"),
    path(ONE + "relancer/", meetings.remind, name="remind"),
    path(ONE + "participants/<uuid:participation_id>/retirer/", meetings.remove, name="remove"),
    path(ONE + "annuler/", meetings.cancel, name="cancel"),
    path(ONE + "compte-rendu/", meetings.minutes, name="minutes"),
]
