"""What stands under /fhir/ beside the resources: the token of a software, and what announces it."""

from django.urls import path

from habilitations.views import oauth

urlpatterns = [
    path("oauth/token", oauth.token, name="api_token"),
    path(".well-known/smart-configuration", oauth.smart_configuration, name="smart_configuration"),
]
