"""Everything under /administration/partenaires/, for administrators. No dossier and nobody's name in an address."""

from django.urls import path

from coordination.partners import views

app_name = "partners"

urlpatterns = [
    path("", views.partners, name="list"),
    path("ajouter/", views.add, name="add"),
    path("<uuid:partner_id>/", views.edit, name="edit"),
    path("<uuid:partner_id>/essayer/", views.attempt, name="attempt"),
    path("echanges/", views.relays, name="relays"),
    path("echanges/<uuid:relay_id>/reprendre/", views.retry, name="retry"),
    path("echanges/<uuid:relay_id>/annuler/", views.cancel, name="cancel"),
]
