"""Profiles and rubrics named in the browser: codes for ever, nothing opened by a name, seen at once everywhere."""

import html
import importlib
import pkgutil
import re
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions as circle
from coordination.accounts import drafts
from coordination.dossiers import door
from coordination.outbox.models import Message
from habilitations import access, catalog, differences, impact, migrations, published
from habilitations import actions as do
from habilitations.actions.catalog import PROFILE, RUBRIC, last_change
from habilitations.actions.limits import standing
from habilitations.catalog import NEVER_WITHDRAWN, SHIPPED, TECHNICAL
from habilitations.catalog_errors import (
    CatalogMoved,
    CircleWouldOpen,
    CodeTaken,
    NameTaken,
    ProfileClosed,
    ProfileInUse,
    ProfileNeeded,
    RubricNeeded,
)
from habilitations.closures import closable
from habilitations.differences import LEVEL, RULE, Edit, Key
from habilitations.errors import CellRefused, MatrixNotSound, NotAllowed
from habilitations.models import CatalogChange, CatalogProfile, CatalogRubric, Consent, MatrixVersion, Opposition
from habilitations.replay import replay
from habilitations.rubriques import Niveau, Rubrique
from habilitations.tables import read_table, write_table
from habilitations.views.catalog import _object
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.security.second_engine import SecondEngine

pytestmark = pytest.mark.django_db
YOGA = {"label": "Activité physique", "short": "Activité", "group": "accompagnement", "icon": "activity"}


@pytest.fixture(autouse=True)
def _matrix(db):
    # A browser story empties every table when it ends, those that migrations filled too.
    if not CatalogChange.objects.exists():
        (name,) = (m.name for m in pkgutil.iter_modules(migrations.__path__) if m.name.endswith("_catalog"))
        importlib.import_module(f"habilitations.migrations.{name}").seed(apps, None)
    publish_default_matrix()
    yield
    published.forget()


@pytest.fixture
def anna():
    return UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")


@pytest.fixture
def bruno():
    return UserFactory(administrator=True, family_name="SECOND", given_name="Bruno")


def publish(*edits, by, other):
    draft = do.edit_draft(edits, by=by).draft
    draft.refresh_from_db()
    do.request_publication(draft, reason="Essai", revision=draft.revision, by=by)
    draft.refresh_from_db()
    return do.publish_draft(draft, revision=draft.revision, by=other)


def changed(code, by, **words):
    row = CatalogProfile.objects.get(code=code)
    last = last_change(PROFILE, code)
    said = {"label": row.label, "gathers": row.gathers, "reduced": row.reduced, "after": ""} | words
    return do.change_profile(code, **said, seen=last.number if last else 0, by=by)


def renamed(code, by, **words):
    row = CatalogRubric.objects.get(code=code)
    last = last_change(RUBRIC, code)
    said = {"label": row.label, "short": row.short, "description": row.description, "group": row.group, "after": ""}
    return do.change_rubric(code, **said | words, seen=last.number if last else 0, by=by)


# ---- what is shipped -------------------------------------------------------------------------------


def test_a_new_installation_reads_what_the_product_is_shipped_with():
    read = published.catalog()
    assert read.number > 0
    assert dict(read.profiles) == dict(SHIPPED.profiles) and list(read.profiles) == list(SHIPPED.profiles)
    assert dict(read.entries) == dict(SHIPPED.entries) and list(read.entries) == list(SHIPPED.entries)
    assert read.navigation == SHIPPED.navigation


def test_a_profile_the_product_brings_later_is_there_before_any_row(anna):
    CatalogProfile.objects.filter(code="benevole").delete()
    do.create_profile(code="essai", label="Essai", by=anna)
    assert published.catalog().profile_name("benevole") == "Bénévole"
    assert CatalogProfile.objects.filter(code="benevole").exists()


@pytest.mark.req("SEC-1", "SEC-25")
def test_only_an_administrator_writes_the_catalogue():
    stranger = UserFactory()
    for act in (
        lambda: do.create_profile(code="essai", label="Essai", by=stranger),
        lambda: do.close_profile("benevole", by=stranger),
        lambda: do.create_rubric(code="essai", by=stranger, **YOGA),
        lambda: do.withdraw_rubric("agenda", by=stranger),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_table_that_was_emptied_reads_as_shipped_and_is_written_again(anna):
    CatalogProfile.objects.all().delete()
    CatalogRubric.objects.all().delete()
    do.create_rubric(code="activite", by=anna, **YOGA)
    assert len(published.catalog().rubrics) == 17 and published.catalog().profile_name("medecin") == "Médecin"
    do.change_profile("medecin", label="Docteur", gathers="", reduced=False, after="", seen=0, by=anna)
    assert published.catalog().profile_name("medecin") == "Docteur"


# ---- profiles --------------------------------------------------------------------------------------


@pytest.mark.req("SEC-2")
def test_a_new_profile_gives_nothing_until_a_version_says_so(anna, bruno):
    do.create_profile(
        code="ergo", label="Ergothérapeute conseil", gathers="ergothérapeutes", after="educateur", by=anna
    )
    read = published.catalog()
    assert list(read.profiles).index("ergo") == list(read.profiles).index("educateur") + 1
    publish(Edit(Key(RULE, "91", ""), "ergo"), by=anna, other=bruno)
    assert access.preview("91") == dict.fromkeys(read.rubrics, Niveau.AUCUN)
    publish(Edit(Key(LEVEL, "ergo", "plan"), "lecture"), by=anna, other=bruno)
    assert access.preview("91")[Rubrique.PLAN] == Niveau.LECTURE
    assert "ergothérapeutes" in read.in_words(["ergo"])
    # A next version goes on from there, whatever it changes.
    publish(Edit(Key(LEVEL, "ergo", "plan"), ""), by=bruno, other=anna)
    publish(Edit(Key(LEVEL, "medecin", "plan"), "lecture"), by=anna, other=bruno)


def test_a_renamed_profile_is_renamed_in_every_version_and_keeps_its_code(anna):
    changed("medecin", anna, label="Docteur", gathers="docteurs", after="sage_femme")
    read = published.current()
    assert read.catalog.profile_name("medecin") == "Docteur"
    assert read.level("medecin", "medical") == Niveau.ECRITURE
    codes = list(read.catalog.profiles)
    assert codes.index("medecin") == codes.index("sage_femme") + 1
    told = CatalogChange.objects.latest("number")
    assert (told.before["label"], told.after["label"], told.by) == ("Médecin", "Docteur", anna)


def test_codes_and_names_are_not_given_twice(anna):
    with pytest.raises(CodeTaken):
        do.create_profile(code="medecin", label="Autre", by=anna)
    with pytest.raises(NameTaken):
        do.create_profile(code="autre", label="médecin", by=anna)
    with pytest.raises(CodeTaken):
        do.create_rubric(code="plan", by=anna, **YOGA)
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogProfile.objects.create(code="Pas Un Code", label="Essai", rank=1)


def test_a_profile_in_use_is_not_closed_and_says_where(anna, bruno):
    with pytest.raises(ProfileInUse, match="la version en vigueur"):
        do.close_profile("educateur", by=anna)
    pairs = [pair for pair, profile in published.current().profiles.items() if profile == "educateur"]
    publish(*(Edit(Key(RULE, *pair), "") for pair in pairs), by=anna, other=bruno)
    draft = do.edit_draft([Edit(Key(RULE, *pairs[0]), "educateur")], by=anna).draft
    with pytest.raises(ProfileInUse, match="le brouillon"):
        do.close_profile("educateur", by=anna)
    do.discard_draft(draft, revision=draft.revision, by=anna)
    do.close_profile("educateur", by=anna)
    # Nothing leads there any more: neither an edit, nor an old version, nor a version published by hand.
    with pytest.raises(CellRefused, match="est fermé"):
        do.edit_draft([Edit(Key(RULE, *pairs[0]), "educateur")], by=anna)
    with pytest.raises(ProfileClosed, match="Éducateur"):
        do.restore_version(MatrixVersion.objects.get(number=1), by=anna)
    now = published.current()
    with pytest.raises(MatrixNotSound):
        do.publish_matrix(now.levels, now.actions, now.profiles | {pairs[0]: "educateur"}, by=anna, reason="Essai")
    # The old version still reads with its name, and what it gave.
    assert published.matrix(1).catalog.profile_name("educateur") == "Éducateur"
    assert replay(1, "educateur", "social").then == Niveau.LECTURE
    do.reopen_profile("educateur", by=anna)
    do.restore_version(MatrixVersion.objects.get(number=1), by=anna)


@pytest.mark.parametrize("code", sorted(TECHNICAL))
def test_what_the_product_needs_is_not_closed(anna, code):
    with pytest.raises(ProfileNeeded):
        do.close_profile(code, by=anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogProfile.objects.filter(code=code).update(closed_at="2026-01-01T00:00Z", closed_by=anna)


@pytest.mark.req("SEC-2")
def test_the_reduced_circle_is_set_at_once_and_lifted_only_where_the_circle_is_closed(anna, bruno):
    entry = make.open_circle(make.coordinator())
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    assert door.look(nurse, entry.dossier.pk).access.sees_whole_circle
    changed("infirmier", anna, reduced=True)
    assert not door.look(nurse, entry.dossier.pk).access.sees_whole_circle
    with pytest.raises(CircleWouldOpen):
        changed("infirmier", anna, reduced=False)
    publish(Edit(Key(LEVEL, "infirmier", "cercle"), ""), by=anna, other=bruno)
    changed("infirmier", anna, reduced=False)
    publish(Edit(Key(LEVEL, "infirmier", "cercle"), "lecture"), by=anna, other=bruno)
    assert door.look(nurse, entry.dossier.pk).access.sees_whole_circle


def test_two_who_write_the_same_line_are_told(anna, bruno):
    seen = published.catalog().number
    changed("medecin", bruno, label="Docteur")
    with pytest.raises(CatalogMoved, match="SECOND Bruno"):
        do.change_profile("medecin", label="Praticien", gathers="", reduced=False, after="", seen=seen, by=anna)
    # Another line may have moved.
    do.change_profile("sage_femme", label="Maïeuticien", gathers="", reduced=False, after="", seen=seen, by=anna)


# ---- rubrics ---------------------------------------------------------------------------------------


@pytest.mark.req("SEC-2")
def test_a_new_rubric_is_a_column_that_gives_nothing_until_a_version_says_so(anna, bruno, client):
    doctor = make.account(make.DOCTOR)
    entry = make.open_circle(doctor)
    made = do.create_rubric(code="activite", by=anna, **YOGA)
    assert access.preview(make.DOCTOR)["activite"] == Niveau.AUCUN
    held = door.look(doctor, entry.dossier.pk).access
    assert len(held.matrix.rubrics) == 17 and "activite" not in held.readable()
    assert held.abilities["read_activite"] is False
    client.force_login(doctor)
    page = client.get(reverse("dossiers:access", args=[entry.dossier.pk])).content.decode()
    assert "sur 17" in page and 'id="activite"' in page and made.label in page
    base = published.current()
    draft = do.edit_draft([Edit(Key(LEVEL, "medecin", "activite"), "ecriture")], by=anna).draft
    (told,) = [e for e in impact.impact(base, differences.applied(base, do_edits(draft))) if e.levels]
    assert [(one.rubrique.label, one.after) for one in told.levels] == [(made.label, Niveau.ECRITURE)]
    do.discard_draft(draft, revision=draft.revision, by=anna)
    publish(Edit(Key(LEVEL, "medecin", "activite"), "ecriture"), by=anna, other=bruno)
    held = door.look(doctor, entry.dossier.pk).access
    assert held.can_write("activite") and "activite" in held.readable()
    assert replay(2, "medecin", "activite")[3:] == (Niveau.ECRITURE, Niveau.ECRITURE)
    assert replay(1, "medecin", "activite").then == Niveau.AUCUN
    page = client.get(reverse("dossiers:home", args=[entry.dossier.pk])).content.decode()
    assert made.label in page


def agree(dossier, *users):
    """The second engine, in SQL, finds the same levels on every rubric, the new one included."""
    rubrics = [rubric.value for rubric in published.current().rubrics]
    second = SecondEngine(
        dossiers=[dossier.pk], accounts=[user.pk for user in users], profiles=list(published.current().levels),
        states=["actif"], version=published.current().number, today=timezone.localdate(), rubrics=rubrics,
    )  # fmt: skip
    theirs = second.levels()
    for user in users:
        held = access.to_dossier(user, dossier.pk)
        said = theirs.of(dossier.pk, user.pk, held.profile, "actif")
        assert said == tuple(int(held.level(rubric)) for rubric in rubrics)
    return True


@pytest.mark.req("SEC-3", "SEC-5", "SECT-8")
def test_a_new_rubric_is_chosen_in_a_consent_and_in_an_opposition(anna, bruno, client):
    coordinator, doctor, nurse = make.coordinator(), make.account(make.DOCTOR), make.account()
    entry = make.open_circle(coordinator)
    members = [make.add(entry, user.attachment.professional, wanted="oui") for user in (doctor, nurse)]
    do.create_rubric(code="activite", by=anna, **YOGA)
    opened = [Edit(Key(LEVEL, p, "activite"), "ecriture") for p in ("medecin", "infirmier", "coordinateur_sante")]
    publish(*opened, by=anna, other=bruno)
    entry = make.entry_of(coordinator, entry)
    level = lambda user, rubric: access.to_dossier(user, entry.dossier.pk).level(rubric)  # noqa: E731
    express = {"ground": "accord", "collected": "oral", "starts_on": timezone.localdate()}

    # A consent that leaves it out closes it, one that names it opens it and nothing else.
    circle.record_consent(entry, members[0], **express, rubriques=["medical"])
    assert (level(doctor, "activite"), level(doctor, "medical")) == (Niveau.AUCUN, Niveau.ECRITURE)
    assert agree(entry.dossier, doctor, nurse)
    client.force_login(coordinator)
    path = reverse("circle:consent", args=[entry.dossier.pk, members[0].pk])
    shown = client.get(path).content.decode()
    assert 'value="activite"' in shown
    seen = re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]*)"', shown)[1]
    day = f"{timezone.localdate():%d/%m/%Y}"
    sent = {"ground": "accord", "collected": "oral", "starts_on": day, "rubriques": ["activite"], "seen": seen}
    assert client.post(path, sent).status_code == 303
    assert (level(doctor, "activite"), level(doctor, "medical")) == (Niveau.ECRITURE, Niveau.AUCUN)
    assert "Limité à : Activité physique." in client.get(path).content.decode().replace("\xa0", " ")
    assert agree(entry.dossier, doctor, nurse)
    # All those of today is the whole dossier, with those to come.
    every = [rubric.value for rubric in closable(published.current().rubrics)]
    assert circle.record_consent(entry, members[0], **express, rubriques=every).rubriques == []

    # The person opposes it to one member, then to everybody.
    said = {"rubrique": "activite", "whom": str(members[1].pk), "refused_on": day, "collected": "oral"}
    path = reverse("circle:oppose", args=[entry.dossier.pk])
    assert client.post(path, said).status_code == 303
    assert (level(nurse, "activite"), level(doctor, "activite")) == (Niveau.AUCUN, Niveau.ECRITURE)
    assert agree(entry.dossier, doctor, nurse)
    assert client.post(path, said | {"whom": "tous"}).status_code == 303
    assert level(doctor, "activite") == level(coordinator, "activite") == Niveau.AUCUN
    assert agree(entry.dossier, doctor, nurse, coordinator)
    page = client.get(reverse("circle:consents", args=[entry.dossier.pk])).content.decode().replace("\xa0", " ")
    assert page.count("Opposition : Activité physique") >= 2


def test_the_database_knows_the_rubrics_of_consents_and_oppositions(anna):
    entry = make.open_circle(make.coordinator())
    row = Consent.objects.get(dossier=entry.dossier)
    told = {"dossier": entry.dossier, "refused_on": timezone.localdate(), "collected": "oral"}
    for rubric in ("inconnue", "identite"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.filter(pk=row.pk).update(ground="accord", collected="oral", rubriques=[rubric])
        with pytest.raises(IntegrityError), transaction.atomic():
            Opposition.objects.create(rubrique=rubric, recorded_by=anna, **told)
    do.create_rubric(code="activite", by=anna, **YOGA)
    Consent.objects.filter(pk=row.pk).update(ground="accord", collected="oral", rubriques=["activite"])
    Opposition.objects.create(rubrique="activite", recorded_by=anna, **told)


def do_edits(draft):
    from habilitations.actions.drafts import edits_of

    return edits_of(draft)


def test_a_new_rubric_goes_through_exports_and_imports(anna, bruno):
    do.create_rubric(code="activite", by=anna, **YOGA)
    publish(Edit(Key(LEVEL, "medecin", "activite"), "lecture"), by=anna, other=bruno)
    base = published.current()
    table = write_table(base, LEVEL)
    assert table[0][-1] == "activite" and next(row for row in table if row[0] == "medecin")[-1] == "lecture"
    edits = read_table(table, base=base, professions=frozenset())
    assert differences.effective(base, edits) == ()
    edits = read_table([["profil", "activité physique"], ["medecin", "E"]], base=base, professions=frozenset())
    assert edits == (Edit(Key(LEVEL, "medecin", "activite"), "ecriture"),)


def test_a_renamed_rubric_is_renamed_wherever_it_is_said(anna, client):
    coordinator = make.coordinator()
    entry = make.open_circle(coordinator)
    client.force_login(coordinator)
    home = reverse("dossiers:home", args=[entry.dossier.pk])
    assert "Volet social" in client.get(home).content.decode()
    renamed("social", anna, label="Vie sociale", description="Logement, droits, ressources.")
    page = client.get(home).content.decode()
    assert "Vie sociale" in page and "Volet social" not in page
    assert "Logement, droits" in client.get(reverse("dossiers:access", args=[entry.dossier.pk])).content.decode()
    assert Rubrique.SOCIAL.label == "Vie sociale"


def test_order_and_group_of_the_navigation_are_written(anna):
    renamed("agenda", anna, group="personne", after="identite")
    titles = {title: [e.rubrique.value for e in entries] for title, entries in published.catalog().navigation}
    assert titles["La personne"] == ["identite", "agenda", "cercle", "ligne_de_vie"]
    assert "agenda" not in titles["Échanges"]
    # The order of the matrix is that of the codes: combs and files do not move.
    assert [r.value for r in published.catalog().rubrics] == Rubrique.values


@pytest.mark.req("SEC-2")
def test_a_rubric_withdrawn_gives_nothing_and_comes_back_as_the_version_says(anna, bruno, client):
    doctor, nurse = make.account(make.DOCTOR), make.account()
    entry = make.open_circle(doctor)
    member = make.add(entry, nurse.attachment.professional, wanted="oui")
    from circle import actions

    actions.limit_access(entry, member, ceilings={Rubrique.LIAISON: Niveau.LECTURE}, until=None)
    assert door.look(doctor, entry.dossier.pk).access.can_write("liaison")
    do.withdraw_rubric("liaison", by=anna)
    held = door.look(doctor, entry.dossier.pk).access
    assert not held.can_read("liaison") and held.abilities["read_liaison"] is False
    assert "liaison" not in access.preview(make.DOCTOR) and len(held.matrix.rubrics) == 15
    client.force_login(doctor)
    assert "Cahier de liaison" not in client.get(reverse("dossiers:home", args=[entry.dossier.pk])).content.decode()
    asked = reverse("dossiers:ask_access", args=[entry.dossier.pk, "liaison"])
    assert client.get(asked).status_code == 404
    # Another limit is set meanwhile: the one that stands on the withdrawn rubric stays.
    again = make.entry_of(doctor, entry)
    actions.limit_access(again, member, ceilings={Rubrique.PLAN: Niveau.LECTURE}, until=None)
    member.habilitation.refresh_from_db()
    assert standing(member.habilitation) == {Rubrique.LIAISON: Niveau.LECTURE, Rubrique.PLAN: Niveau.LECTURE}
    # A version published meanwhile keeps its cells.
    publish(Edit(Key(LEVEL, "medecin", "plan"), "lecture"), by=anna, other=bruno)
    assert published.current().written("medecin", "liaison") == Niveau.ECRITURE
    assert replay(1, "medecin", "liaison")[3:] == (Niveau.ECRITURE, Niveau.AUCUN)
    do.restore_rubric("liaison", by=anna)
    assert door.look(doctor, entry.dossier.pk).access.can_write("liaison")


def test_what_a_rubric_opens_is_said_before_it_is_back(anna, bruno, client):
    do.create_profile(code="animateur", label="Animateur", by=anna)
    publish(Edit(Key(LEVEL, "animateur", "liaison"), "lecture"), by=anna, other=bruno)
    for profile in published.current().levels:
        if profile != "animateur" and published.current().written(profile, "liaison"):
            publish(Edit(Key(LEVEL, profile, "liaison"), ""), by=anna, other=bruno)
    client.force_login(anna)
    page = lambda act: client.get(reverse(f"habilitations:{act}_rubric", args=["liaison"])).content.decode()  # noqa: E731
    # A profile of which nobody said whom it gathers reads too.
    assert "« Animateur »" in page("withdraw")
    do.withdraw_rubric("liaison", by=anna)
    asked = page("restore")
    assert "« Animateur »" in asked and "Médecin" not in asked
    assert published.catalog().entries["liaison"].withdrawn, "asked, nothing is done yet"
    listed = client.get(reverse("habilitations:rubrics")).content.decode()
    assert f'href="{reverse("habilitations:restore_rubric", args=["liaison"])}"' in listed
    client.post(reverse("habilitations:restore_rubric", args=["liaison"]))
    assert not published.catalog().entries["liaison"].withdrawn


def test_what_is_written_of_a_withdrawn_rubric_says_that_it_waits_for_it(anna, client):
    """Who publishes it does not read « Aucun compte n'est concerné » and nothing more."""
    do.withdraw_rubric("liaison", by=anna)
    do.edit_draft([Edit(Key(LEVEL, "benevole", "liaison"), "ecriture")], by=anna)
    client.force_login(anna)
    dock = client.get(reverse("habilitations:matrix")).content.decode().replace("\xa0", " ").split('id="dock"')[1]
    assert "(rubrique retirée)" in dock
    assert "Une rubrique retirée n’ouvre rien" in dock


@pytest.mark.parametrize("code", sorted(map(str, NEVER_WITHDRAWN)))
def test_a_rubric_the_product_needs_is_not_withdrawn(anna, code):
    with pytest.raises(RubricNeeded):
        do.withdraw_rubric(code, by=anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogRubric.objects.filter(code=code).update(withdrawn_at="2026-01-01T00:00Z", withdrawn_by=anna)


# ---- memory ----------------------------------------------------------------------------------------


def test_what_another_process_wrote_is_seen_at_the_next_decision_without_a_statement_more(anna):
    doctor = make.account(make.DOCTOR)
    entry = make.open_circle(doctor)
    door.look(doctor, entry.dossier.pk)
    with CaptureQueriesContext(connection) as once:
        door.look(doctor, entry.dossier.pk)
    assert len(once) == 1
    # What another process would have left: rows and a change, and nothing told to this one.
    CatalogRubric.objects.filter(code="agenda").update(label="Calendrier")
    CatalogChange.objects.create(kind=RUBRIC, code="agenda", act="modification", by=anna)
    assert catalog.last().rubric_label("agenda") == "Agenda"
    door.look(doctor, entry.dossier.pk)
    assert catalog.last().rubric_label("agenda") == "Calendrier"


def test_a_change_undone_leaves_no_name_behind(anna):
    before = published.catalog().number
    with transaction.atomic():
        changed("medecin", anna, label="Fantôme")
        assert published.catalog().profile_name("medecin") == "Fantôme"
        transaction.set_rollback(True)
    assert published.catalog().number == before
    assert published.catalog().profile_name("medecin") == "Médecin"
    # Its number is never drawn again: what this process kept under it is read by nobody.
    changed("medecin", anna, label="Docteur")
    assert published.catalog().number > before + 1 and published.catalog().profile_name("medecin") == "Docteur"


def test_the_history_of_the_catalogue_is_not_rewritten(anna):
    changed("medecin", anna, label="Docteur")
    for act in (
        lambda: CatalogChange.objects.update(act="autre"),
        lambda: CatalogChange.objects.all().delete(),
        lambda: CatalogProfile.objects.filter(code="medecin").update(code="docteur"),
        lambda: CatalogRubric.objects.filter(code="plan").update(code="projet"),
    ):
        with pytest.raises(Exception, match="ne change"), transaction.atomic():
            act()


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("name", ["profiles", "rubrics", "new_profile", "new_rubric"])
def test_the_screens_cost_as_many_statements_however_many_lines(client, anna, name):
    client.force_login(anna)

    def cost():
        client.get(reverse(f"habilitations:{name}"))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(f"habilitations:{name}")).status_code == 200
        return len(asked)

    few = cost()
    for rank in range(12):
        do.create_profile(code=f"essai_{rank}", label=f"Essai {rank}", by=anna)
        do.create_rubric(code=f"essai_{rank}", by=anna, **YOGA | {"label": f"Essai {rank}"})
    assert cost() == few <= 12


def test_what_is_refused_is_said_beside_its_field_and_nothing_typed_is_lost(client, anna):
    client.force_login(anna)
    page = client.post(
        reverse("habilitations:new_profile"), {"label": "Médecin", "code": "autre", "gathers": "autres"}
    )
    said = page.content.decode()
    assert page.status_code == 422 and "Ce nom est déjà porté." in said and 'value="autres"' in said
    about = reverse("habilitations:edit_profile", args=["infirmier"])
    page = client.post(about, {"label": "Infirmier", "gathers": "", "after": "", "seen": "0"})
    assert page.status_code == 303
    page = client.post(about, {"label": "Infirmière", "gathers": "infirmières", "after": "", "seen": "0"})
    assert page.status_code == 409 and "a modifié cette ligne" in page.content.decode()
    for path in ("edit_profile", "close_profile"):
        assert client.get(reverse(f"habilitations:{path}", args=["rien"])).status_code == 404
    for path in ("edit_rubric", "withdraw_rubric"):
        assert client.get(reverse(f"habilitations:{path}", args=["rien"])).status_code == 404


def _field(page, name):
    found = re.search(rf'name="{name}"[^>]*?\svalue="([^"]*)"', page.content.decode())
    return html.unescape(found[1])


@pytest.mark.req("REL-11")
@pytest.mark.parametrize(("kind", "code", "key"), [("profile", "medecin", "profil"), ("rubric", "social", "rubrique")])
def test_the_second_of_two_who_write_a_line_sees_both_texts(client, anna, bruno, kind, code, key):
    """Neither a refused form nor a draft taken up again renews what was read."""
    change = {"profile": changed, "rubric": renamed}[kind]
    address = reverse(f"habilitations:edit_{kind}", args=[code])
    client.force_login(anna)
    first = client.get(address)
    posted = {"label": "Mon nom", "gathers": "", "after": "", "short": "", "description": "", "icon": "folder"}
    posted |= {"group": _chosen(first, "group")} if kind == "rubric" else {}
    posted["seen"] = _field(first, "seen")
    about = _object(key, code)
    drafts.save(anna, key, about, urlencode(posted))
    change(code, bruno, label="Nom de l’autre")

    assert _field(client.get(address), "seen") == posted["seen"]
    refused = client.post(address, posted | {"label": ""})
    assert refused.status_code == 422 and _field(refused, "seen") == posted["seen"]
    second = client.post(address, posted)
    said = second.content.decode().replace("\xa0", " ")
    assert second.status_code == 409
    assert "SECOND Bruno a modifié cette ligne" in said and "Mon nom" in said and "Nom de l’autre" in said
    assert client.post(address, posted | {"seen": ""}).status_code == 409
    assert client.post(address, posted | {"seen": _field(second, "seen")}).status_code == 303
    assert drafts.load(anna, key, about) is None


def _chosen(page, name):
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', page.content.decode(), re.DOTALL)[0]
    return re.search(r'<option value="([^"]*)" selected', select)[1]


# ---- who waits for an answer -----------------------------------------------------------------------


@pytest.mark.req("SEC-22")
def test_a_request_tells_the_other_administrators_once_and_its_author_is_answered(anna, bruno, client):
    third = UserFactory(administrator=True)
    UserFactory()
    draft = do.edit_draft([Edit(Key(LEVEL, "medecin", "plan"), "lecture")], by=anna).draft
    draft.refresh_from_db()
    do.request_publication(draft, reason="Motif réservé", revision=draft.revision, by=anna)
    asked = Message.objects.filter(kind="habilitations.publication_asked")
    assert {m.to for m in asked} == {bruno.email, third.email} and asked.count() == 2
    assert all("PREMIÈRE Anna" in m.text and "Motif réservé" not in m.text + m.html for m in asked)
    client.force_login(bruno)
    page = client.get(reverse("todo")).content.decode().replace("\xa0", " ")
    assert "PREMIÈRE Anna" in page and "Motif réservé" in page
    for user in (anna, UserFactory()):
        client.force_login(user)
        assert "Publication demandée" not in client.get(reverse("todo")).content.decode()
    draft.refresh_from_db()
    do.refuse_publication(draft, revision=draft.revision, reason="Trop large", by=bruno)
    (answer,) = Message.objects.filter(kind="habilitations.publication_answered")
    assert answer.to == anna.email and "SECOND Bruno a refusé" in answer.text and "Trop large" not in answer.text
    draft.refresh_from_db()
    do.request_publication(draft, reason="Encore", revision=draft.revision, by=anna)
    draft.refresh_from_db()
    do.publish_draft(draft, revision=draft.revision, by=bruno)
    assert asked.all().count() == 4
    assert "SECOND Bruno a publié" in Message.objects.filter(to=anna.email).latest("created_at").text


def test_the_catalogue_is_complete_in_the_commands(anna, capsys):
    do.create_rubric(code="activite", by=anna, **YOGA)
    call_command("publish_matrix")
    assert "rien à publier" in capsys.readouterr().out
