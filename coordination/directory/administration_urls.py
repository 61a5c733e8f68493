"""What administrators do under /administration/ that needs the directory. Nobody's name in an address."""

from django.urls import path

from coordination.directory.views import all_accounts, clients, legal_structures

app_name = "administration"

urlpatterns = [
    path("structures/", legal_structures.legal_structures, name="legal_structures"),
    path("structures/autoriser/", legal_structures.allow, name="allow_structure"),
    path("structures/<uuid:structure_id>/", legal_structures.legal_structure, name="legal_structure"),
    path("structures/<uuid:structure_id>/fermer/", legal_structures.close, name="close_structure"),
    path("structures/<uuid:structure_id>/delegues/", legal_structures.name_delegate, name="name_delegate"),
    path(
        "structures/<uuid:structure_id>/delegues/<uuid:delegate_id>/terminer/",
        legal_structures.end_delegate,
        name="end_delegate",
    ),
    path("logiciels/", clients.clients, name="clients"),
    path("logiciels/connecter/", clients.choose, name="choose_client_structure"),
    path("logiciels/connecter/<uuid:structure_id>/", clients.connect, name="connect_client"),
    path("logiciels/<uuid:client_id>/", clients.client, name="client"),
    path("logiciels/<uuid:client_id>/secret/", clients.renew_secret, name="renew_client_secret"),
    path("logiciels/<uuid:client_id>/deconnecter/", clients.revoke, name="revoke_client"),
    path("comptes/", all_accounts.accounts, name="accounts"),
    path("comptes/<uuid:user_id>/", all_accounts.account, name="account"),
    path("comptes/<uuid:user_id>/profession/", all_accounts.confirm, name="confirm_account"),
    path("comptes/<uuid:user_id>/<slug:act>/", all_accounts.act, name="account_act"),
]
