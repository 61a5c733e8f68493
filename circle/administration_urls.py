"""What administrators do under /administration/ that needs the roles of the circle."""

from django.urls import path

from circle.views import unique_roles

app_name = "roles"

urlpatterns = [path("", unique_roles.unique_roles, name="unique")]
