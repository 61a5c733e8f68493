"""Everything under /compte/remplacements/: absences, stand-ins and secretaries. Nobody's name in an address."""

from django.urls import path

from habilitations.views import acting

app_name = "acting"

urlpatterns = [
    path("", acting.acting, name="list"),
    path("absence/", acting.declare, name="declare"),
    path("secretariat/", acting.secretary, name="secretary"),
    path("<uuid:acting_id>/", acting.answer, name="answer"),
    path("<uuid:acting_id>/terminer/", acting.end, name="end"),
]
