"""Under /administration/files/, for administrators. Nobody's name in an address."""

from django.urls import path

from coordination.operations import views

app_name = "operations"

urlpatterns = [
    path("", views.queues, name="queues"),
    path("<slug:queue>/<slug:deed>/", views.act_on_all, name="act_on_all"),
    path("<slug:queue>/<slug:deed>/<uuid:row_id>/", views.act_on_one, name="act_on_one"),
]
