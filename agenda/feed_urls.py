"""The address that a calendar program reads (marked `token_scope`)."""

from django.urls import re_path

from agenda.views import feed

app_name = "flux"

urlpatterns = [re_path(r"^(?P<token>[\w\-]{20,100})\.ics$", feed.calendar, name="calendar")]
