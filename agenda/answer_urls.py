"""The pages of a personal link to a meeting (marked `token_scope`)."""

from django.urls import re_path

from agenda.views import votes

app_name = "reponse"

# base64 of the signed object, then the signature.
urlpatterns = [re_path(r"^(?P<token>[\w\-]+:[\w\-]+)/$", votes.answer_by_link, name="answer")]
