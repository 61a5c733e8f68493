"""The list of a circle: who sees what, in what order, and at what cost."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Member, Period
from circle.views import listing
from habilitations.models import Habilitation, Trace
from tests.circle import factories

HTMX = {"HX-Request": "true"}


@pytest.fixture
def visitor(client, coordinator, entry):
    """The coordinator's browser, in her dossier."""
    client.force_login(coordinator)
    client.dossier = entry.dossier.pk
    client.url = lambda name, *args: reverse(f"circle:{name}", args=[entry.dossier.pk, *args])
    return client


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


def test_groups_counts_and_buttons_with_spico_names(visitor, entry):
    factories.add(
        entry, factories.listed(factories.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M"), role="PCP"
    )
    factories.relative(entry)
    factories.add_house(entry)
    page = text_of(visitor.get(visitor.url("list")))
    assert "4 membres, 1 avec accès" in page
    for words in (
        "Professionnels", "Structures", "Proches et aidants", "TESTARD Paul", "Médecin traitant",
        "Ajouter un professionnel ou un aidant", "Ajouter ou habiliter une structure", "Le cercle au",
    ):  # fmt: skip
        assert words in page
    assert "<title>Cercle de soins –" in page


def test_the_page_leaves_one_trace_of_reading(visitor, entry):
    before = Trace.objects.of_dossier(entry.dossier.pk).count()
    visitor.get(visitor.url("list"))
    traces = Trace.objects.of_dossier(entry.dossier.pk)[before:]
    assert [(t.action, t.rubrique) for t in traces] == [("lecture", "cercle")]


def crowd(entry, count):
    """Put relatives in a circle at once: what five hundred forms would do."""
    ids = {"dossier_id": entry.dossier.pk}
    rows = Habilitation.objects.bulk_create(Habilitation(**ids, state_by=entry.user) for _ in range(count))
    members = Member.objects.bulk_create(
        Member(**ids, kind="aidant", habilitation=row, family_name=f"PROCHE{rank}", mobile="+33639982055",
               created_by=entry.user)
        for rank, row in enumerate(rows)
    )  # fmt: skip
    today = timezone.localdate()
    Period.objects.bulk_create(Period(**ids, member=m, starts_on=today, started_by=entry.user) for m in members)


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("members", [5, 50, 500])
def test_the_number_of_statements_does_not_follow_the_number_of_members(
    visitor, entry, members, django_assert_max_num_queries
):
    for _ in range(5):
        factories.add(entry, wanted="oui")
    crowd(entry, members - 5)
    visitor.get(visitor.url("list"))
    with django_assert_max_num_queries(7):
        response = visitor.get(visitor.url("list"))
    assert f"{members + 1} membres" in text_of(response)


def test_filters_of_access_role_and_profession(visitor, entry):
    factories.add(entry, factories.listed(factories.DOCTOR, family_name="TESTARD"), role="PCP", wanted="oui")
    factories.relative(entry, family_name="MODÈLE")
    url = visitor.url("list")
    assert "TESTARD" in text_of(visitor.get(url, {"afficher": "attente"}))
    assert "MODÈLE" not in text_of(visitor.get(url, {"afficher": "attente"}))
    assert "TESTARD" in text_of(visitor.get(url, {"afficher": "role-PCP"}))
    assert "MODÈLE" not in text_of(visitor.get(url, {"afficher": "role-PCP"}))
    assert "TESTARD" in text_of(visitor.get(url, {"afficher": "profession-medecin"}))
    assert "Personne dans ce cercle avec ce filtre" in text_of(visitor.get(url, {"afficher": "refus"}))


@pytest.mark.req("SEC-22")
def test_the_day_under_a_role_is_that_of_the_role(visitor, entry):
    """Under the role, the day somebody arrived would be read as that of a role taken since."""
    today = timezone.localdate()
    came = today - dt.timedelta(days=10)
    doctor = factories.add(entry, factories.listed(factories.DOCTOR), role="PROV", starts_on=came)
    assert f"Depuis le {came:%d/%m/%Y}" in text_of(visitor.get(visitor.url("list")))
    actions.change_role(entry, doctor, role="PCP")
    page = text_of(visitor.get(visitor.url("list")))
    assert f"Rôle depuis le {today:%d/%m/%Y}" in page
    assert f"Depuis le {came:%d/%m/%Y}" not in page


def test_the_text_stays_when_another_filter_or_the_day_changes(visitor, entry):
    factories.add(entry, factories.listed(factories.DOCTOR, family_name="TESTARD"))
    factories.add(entry, factories.listed(factories.NURSE, family_name="TESTUT"))
    factories.relative(entry, family_name="MODÈLE")
    url = visitor.url("list")
    found = text_of(visitor.post(url, {"q": "test"}))
    # The whole toolbar is then one form that posts: the text goes with whatever changes, in no address.
    form = found[found.index('id="filtres"') : found.index("</form>", found.index('id="filtres"'))]
    assert 'method="post"' in form
    assert 'form="filtres"' in form
    assert 'value="test"' in form
    assert "csrfmiddlewaretoken" in form
    assert 'id="chercher"' not in found
    sent = {"q": "test", "afficher": "profession-medecin", "tri": "nom", "au": f"{timezone.localdate():%d/%m/%Y}"}
    page = text_of(visitor.post(url, sent))
    assert "TESTARD" in page
    assert "TESTUT" not in page
    assert 'value="test"' in page
    assert 'value="profession-medecin" selected' in page
    past = text_of(visitor.post(url, sent | {"au": "14/03/2024"}))
    assert "Vous voyez le cercle au 14/03/2024" in past
    assert 'name="au" value="">Revenir' in past
    back = text_of(visitor.post(url, sent | {"q": ""}))
    assert "TESTARD" in back
    assert 'id="chercher"' in back
    assert "?q=" not in found + page + past


def test_a_profession_is_of_people_and_a_category_of_structures(visitor, entry):
    factories.add(entry, factories.listed(factories.DOCTOR, family_name="TESTARD"))
    factories.add(entry, factories.listed(factories.NURSE, family_name="INFIRMERIE"))
    factories.add_house(entry, factories.StructureFactory(name="LES MAQUETTES", category="500"))
    url = visitor.url("list")
    groups = dict(listing.shown_choices(Member.objects.rows(entry), entry))
    assert dict(groups["Profession"]).keys() == {"profession-medecin", "profession-infirmiere"}
    [(category, words)] = groups["Catégorie de structure"]
    assert "EHPAD" in words
    # What a doctor and a nurse have in common is no « Infirmière ».
    assert "role-PROV" not in dict(groups["Rôle"])
    doctors = text_of(visitor.get(url, {"afficher": "profession-medecin"}))
    assert "TESTARD" in doctors
    assert not {"INFIRMERIE", "LES MAQUETTES"} & set(doctors.replace("<", " ").replace(">", " ").split())
    assert "LES MAQUETTES" not in doctors
    houses = text_of(visitor.get(url, {"afficher": category}))
    assert "LES MAQUETTES" in houses
    assert "TESTARD" not in houses


@pytest.mark.parametrize("show", ["role-PCP", "profession-medecin"])
def test_a_role_or_a_profession_that_nobody_has_is_no_filter(visitor, entry, show):
    """An address kept since: the toolbar says « Tous les membres », and so does the list."""
    factories.relative(entry, family_name="MODÈLE")
    url = visitor.url("list")
    assert "MODÈLE" in text_of(visitor.get(url, {"afficher": show}))
    request = visitor.get(url, {"afficher": show}).wsgi_request
    filters, rows, kept = listing.found(entry, listing.read_filters(request))
    assert kept == rows
    assert listing.said(filters, rows, entry).startswith("Cercle de soins au")
    assert "Filtre" not in listing.said(filters, rows, entry)
    factories.add(entry, factories.listed(factories.DOCTOR), role="PCP")
    assert "MODÈLE" not in text_of(visitor.get(url, {"afficher": show}))


@pytest.mark.req("PEERS-RULE-7")
def test_the_reduced_circle_offers_no_blank_choice(entry):
    factories.relative(entry, role="ECON", family_name="MODÈLE")
    helper = factories.entry_of(reader(entry, "350"), entry)
    rows = Member.objects.rows(helper)
    assert rows
    assert all(label for _, pairs in listing.shown_choices(rows, helper) for _, label in pairs)


def test_the_text_is_posted_and_never_in_an_address(visitor, entry):
    factories.relative(entry, family_name="MODÈLE", given_name="Karim")
    factories.relative(entry, family_name="FACTICE", given_name="Sonia")
    page = text_of(visitor.post(visitor.url("list"), {"q": "modele kar"}))
    assert "MODÈLE Karim" in page
    assert "FACTICE Sonia" not in page
    fragment = visitor.post(visitor.url("list"), {"q": "modele"}, headers=HTMX)
    assert "<html" not in text_of(fragment)
    assert "1 membre." in text_of(fragment)
    assert "modele" not in " ".join(part for part in page.split('"') if part.startswith(("/", "?")))


def test_nobody_found_offers_the_directory(visitor, entry):
    page = text_of(visitor.post(visitor.url("list"), {"q": "cardio"}))
    assert "Personne dans ce cercle pour « cardio »" in page
    assert "Effacer le filtre" in page


def test_orders(visitor, entry):
    factories.relative(entry, family_name="ALPHA", role="CAREGIVER")
    factories.relative(entry, family_name="BRAVO", role="AIDANT_PRINCIPAL")
    by_role = text_of(visitor.get(visitor.url("list")))
    assert by_role.index("BRAVO") < by_role.index("ALPHA")
    by_name = text_of(visitor.get(visitor.url("list"), {"tri": "nom"}))
    assert by_name.index("ALPHA") < by_name.index("BRAVO")


def test_the_circle_on_another_day_has_no_act(visitor, entry):
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    factories.relative(entry, family_name="AUJOURDHUI")
    page = text_of(visitor.get(visitor.url("list"), {"au": f"{yesterday:%d/%m/%Y}"}))
    assert "AUJOURDHUI" not in page
    assert "Vous voyez le cercle au" in page
    assert "Retirer du cercle" not in page


def test_a_day_that_cannot_be_read_is_said(visitor):
    page = text_of(visitor.get(visitor.url("list"), {"au": "31/02/2026"}))
    assert 'value="31/02/2026"' in page
    assert "cette date n’existe pas dans le calendrier." in page


def test_those_who_left_are_found_again(visitor, entry):
    gone = factories.relative(entry, family_name="PARTIE")
    actions.remove_member(entry, gone, reason="fin")
    assert "PARTIE" not in text_of(visitor.get(visitor.url("list")))
    page = text_of(visitor.get(visitor.url("list"), {"afficher": "partis"}))
    assert "PARTIE" in page
    assert "1 membre parti" in page


# ---- What is allowed -----------------------------------------------------------------------------


def reader(entry, profession, fonction="", **person):
    """Return a habilitated member of this profession."""
    user = factories.account(profession, fonction, **person)
    actions.add_professional(
        entry,
        professional=user.attachment.professional,
        role="AGNT" if profession in ("350",) else "PROV",
        wanted="oui",
        rests=factories.team(),
        creation_key=uuid.uuid4(),
    )
    return user


def test_a_nurse_adds_but_neither_grants_nor_removes(client, entry):
    nurse = reader(entry, factories.NURSE)
    factories.add(entry, factories.listed(family_name="AUTRE"))
    client.force_login(nurse)
    page = text_of(client.get(reverse("circle:list", args=[entry.dossier.pk])))
    assert "Ajouter un professionnel ou un aidant" in page
    assert "Demander l’habilitation" in page
    assert "Retirer du cercle" not in page
    assert ">habiliter" not in page


@pytest.mark.req("SEC-2")
def test_an_outsider_finds_nothing(client, entry):
    client.force_login(factories.account())
    assert client.get(reverse("circle:list", args=[entry.dossier.pk])).status_code == 404


def test_rule_7_discreet_members_are_for_readers_of_the_medical_rubric(client, entry):
    factories.add(entry, factories.listed(family_name="SECRET"), discreet=True)
    social = reader(entry, factories.SOCIAL)
    client.force_login(social)
    assert "SECRET" not in text_of(client.get(reverse("circle:list", args=[entry.dossier.pk])))
    nurse = reader(entry, factories.NURSE)
    client.force_login(nurse)
    page = text_of(client.get(reverse("circle:list", args=[entry.dossier.pk])))
    assert "SECRET" in page
    assert "Discret" in page


def test_rule_7_the_reduced_circle(client, entry):
    factories.relative(entry, family_name="CACHÉE")
    helper = reader(entry, "350")
    client.force_login(helper)
    page = text_of(client.get(reverse("circle:list", args=[entry.dossier.pk])))
    assert "CACHÉE" not in page
    assert "Vous voyez la liste réduite" in page
    assert "Ajouter un professionnel" not in page
