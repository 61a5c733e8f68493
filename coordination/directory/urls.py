"""Everything under /annuaire/. The text of a search is never in an address."""

from django.urls import path

from coordination.directory import views
from coordination.directory.views import account_reviews, accounts

app_name = "directory"

urlpatterns = [
    path("", views.professionals, name="professionals"),
    path("structures/", views.structures, name="structures"),
    path("structures/creer/", views.create_structure, name="create_structure"),
    path("structures/<uuid:structure_id>/", views.structure, name="structure"),
    path("structures/<uuid:structure_id>/fusionner/", views.merge, name="merge_structure"),
    path("comptes/", accounts.accounts, name="accounts"),
    path("comptes/revue/", account_reviews.review, name="account_review"),
    path("comptes/revue/revue-des-comptes.xlsx", account_reviews.export_review, name="export_account_review"),
    path("comptes/<uuid:user_id>/garder/", account_reviews.keep, name="keep_account"),
    path("comptes/creer/", accounts.offer_account, name="offer_account"),
    path("comptes/creer/manuellement/", accounts.offer_details, name="offer_by_hand"),
    path("comptes/creer/<uuid:activity_id>/", accounts.offer_details, name="offer_professional"),
    path("comptes/demandes/<uuid:offer_id>/annuler/", accounts.withdraw_offer, name="withdraw_offer"),
    path("comptes/<uuid:user_id>/confirmer/<uuid:activity_id>/", accounts.confirm, name="confirm_profession"),
    path("comptes/<uuid:user_id>/retirer/", accounts.withdraw, name="withdraw_confirmation"),
    path("rattachements/<uuid:offer_id>/", accounts.offer, name="offer"),
    path("professionnels/<uuid:professional_id>/", views.professional, name="professional"),
]
