"""Everything under /agenda/: one's own agenda. Nobody's name in an address."""

from django.urls import path

from agenda.views import absences, calendars, exporting, openings, own, rooms, settings, subscribing

app_name = "mon_agenda"

urlpatterns = [
    path("", own.listed, name="list"),
    path("semaine/", own.weekly, name="week"),
    path("ouvertures/", openings.openings, name="openings"),
    path("ouvertures/ajouter/", openings.add, name="add_opening"),
    path("ouvertures/<uuid:opening_id>/", openings.change, name="change_opening"),
    path("ouvertures/<uuid:opening_id>/retirer/", openings.remove, name="remove_opening"),
    path("absences/", absences.absences, name="absences"),
    path("absences/ajouter/", absences.add, name="add_absence"),
    path("absences/<uuid:absence_id>/", absences.change, name="change_absence"),
    path("absences/<uuid:absence_id>/retirer/", absences.remove, name="remove_absence"),
    path("salles/", rooms.rooms, name="rooms"),
    path("salles/ajouter/", rooms.add, name="add_room"),
    path("salles/<uuid:room_id>/", rooms.change, name="change_room"),
    path("salles/<uuid:room_id>/retirer/", rooms.withdraw, name="remove_room"),
    path("reglages/", settings.settings, name="settings"),
    path("reglages/abonnement/", subscribing.feed, name="feed"),
    path("reglages/abonnement/changer/", subscribing.renew, name="renew_feed"),
    path("reglages/abonnement/arreter/", subscribing.close, name="close_feed"),
    path("reglages/calendriers/ajouter/", calendars.add, name="add_calendar"),
    path("reglages/calendriers/<uuid:calendar_id>/", calendars.change, name="change_calendar"),
    path("reglages/calendriers/<uuid:calendar_id>/relire/", calendars.refresh, name="refresh_calendar"),
    path("reglages/calendriers/<uuid:calendar_id>/retirer/", calendars.remove, name="remove_calendar"),
    path("exporter/disponibilites.ics", exporting.availabilities, name="export_availabilities"),
    path("exporter/libre-occupe.ics", exporting.free_and_busy, name="export_free_busy"),
    path("exporter/rendez-vous.ics", exporting.appointments, name="export_appointments"),
]
