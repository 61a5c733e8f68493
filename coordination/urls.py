"""The roof: the only place that knows every room."""

from django.urls import include, path

from coordination.common import health

urlpatterns = [
    path("sante/vivant", health.alive, name="alive"),
    path("sante/pret", health.ready, name="ready"),
    path("compte/", include("coordination.accounts.urls")),
    # Answers 404 outside development (see its views).
    path("dev/courriels/", include("coordination.outbox.urls")),
]
