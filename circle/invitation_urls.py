"""Everything under /invitations/: what one sent, and the pages of a personal link (marked `token_scope`)."""

from django.urls import path, re_path

from circle.views import colleagues, invitations, invited

app_name = "invitations"

ONE = "<uuid:invitation_id>/"
# base64 of the signed object, then the signature.
LINK = r"^repondre/(?P<token>[\w\-]+:[\w\-]+)/"

urlpatterns = [
    path("", invitations.invitation_list, name="list"),
    path("inviter/", colleagues.invite, name="invite"),
    path("inviter/plusieurs/", colleagues.invite_several, name="invite_several"),
    path("inviter/apercu/", colleagues.preview, name="preview"),
    path("en-attente/", invited.awaiting, name="awaiting"),
    path(ONE + "renvoyer/", invitations.resend, name="resend"),
    path(ONE + "relancer/", invitations.remind, name="remind"),
    path(ONE + "lien/", invitations.copy_link, name="copy_link"),
    path(ONE + "annuler/", invitations.revoke, name="revoke"),
    path(ONE + "confirmer/", invitations.confirm, name="confirm"),
    path(ONE + "ecarter/", invitations.decline, name="decline"),
    re_path(LINK + "$", invited.answer, name="answer"),
    re_path(LINK + "ouverte/$", invited.opened, name="opened"),
    re_path(LINK + "refuser/$", invited.refuse, name="refuse"),
    re_path(LINK + "nouveau-lien/$", invited.ask_for_new_link, name="ask"),
    re_path(LINK + "recevoir/$", invited.receive_by_mail, name="receive"),
]
