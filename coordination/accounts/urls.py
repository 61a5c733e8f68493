"""Everything under /compte/. allauth's views are mounted one by one, under its names: what is not here is a 404."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path

from coordination.accounts import views
from coordination.accounts.decorators import account_page

own = [
    path("", views.home, name="home"),
    path("suite/", views.resume, name="resume"),
    path("session/", views.session, name="session"),
    path("sessions/terminer-les-autres/", views.end_other_sessions, name="end_other_sessions"),
    path("sessions/<uuid:public_id>/terminer/", views.end_session, name="end_session"),
    path("brouillons/<slug:form_key>/<uuid:object_id>/", views.draft, name="draft"),
]

# Reached without a session. Each is counted by tests/accounts/test_open_pages.py.
entrance = [
    path("connexion/", account.login, name="account_login"),
    path("deconnexion/", views.sign_out, name="account_logout"),
    path("non-ouvert/", account.account_inactive, name="account_inactive"),
    path("adresse/a-verifier/", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^adresse/verifier/(?P<key>[-:\w]+)/$", account.confirm_email, name="account_confirm_email"),
    path("mot-de-passe/oublie/", account.password_reset, name="account_reset_password"),
    path("mot-de-passe/oublie/envoye/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^mot-de-passe/nouveau/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "mot-de-passe/nouveau/fait/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("second-facteur/verifier/", mfa.authenticate, name="mfa_authenticate"),
    # allauth builds links to it; there is no open sign-up.
    path("inscription/", login_not_required(views.closed), name="account_signup"),
]

# Signed in, before a second factor.
security = [
    path("identite/", account_page(account.reauthenticate), name="account_reauthenticate"),
    path("mot-de-passe/", account_page(account.password_change), name="account_change_password"),
    path("second-facteur/", account_page(mfa.index), name="mfa_index"),
    path("second-facteur/confirmer/", account_page(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("second-facteur/application/ajouter/", account_page(totp.activate_totp), name="mfa_activate_totp"),
    path("second-facteur/application/retirer/", account_page(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("second-facteur/codes/", account_page(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "second-facteur/codes/renouveler/",
        account_page(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("second-facteur/cles/", views.key_list, name="mfa_list_webauthn"),
    path("second-facteur/cles/ajouter/", account_page(keys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "second-facteur/cles/confirmer/",
        account_page(keys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("second-facteur/cles/<int:pk>/retirer/", account_page(keys.remove_webauthn), name="mfa_remove_webauthn"),
    path("second-facteur/cles/<int:pk>/renommer/", account_page(keys.edit_webauthn), name="mfa_edit_webauthn"),
]

urlpatterns = [path("", include((own, "accounts"))), *entrance, *security]
