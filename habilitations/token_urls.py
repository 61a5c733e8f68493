"""Everything under /compte/jetons/: what one's own programs call with. No secret in an address."""

from django.urls import path

from habilitations.views import tokens

app_name = "tokens"

urlpatterns = [
    path("", tokens.tokens, name="list"),
    path("nouveau/", tokens.make, name="make"),
    path("<uuid:token_id>/revoquer/", tokens.revoke, name="revoke"),
]
