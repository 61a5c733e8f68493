"""The roof: the only place that knows every room."""

from django.urls import path

from coordination.common import health

urlpatterns = [
    path("sante/vivant", health.alive, name="alive"),
    path("sante/pret", health.ready, name="ready"),
]
