"""The pages of the matrix: who opens them, what a form writes, what is told, what leaves as a file."""

import gzip
import html
import io
import re
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from habilitations import actions as do
from habilitations import published
from habilitations.actions import drafts
from habilitations.differences import LEVEL, RIGHT, RULE, Edit, Key
from habilitations.models import AccountTrace, MatrixDraft, MatrixVersion
from habilitations.rubriques import Niveau
from habilitations.spreadsheets import read_file, write_xlsx
from habilitations.tables import TableRefused
from habilitations.views.board import Board
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DossierFactory, StructureFactory, UserFactory, habilitate, professional
from tests.test_architecture import named_routes

pytestmark = pytest.mark.django_db
SOCIAL = Edit(Key(LEVEL, "educateur", "social"), "")
ARGUMENTS = {
    "profile": "medecin", "table": "niveau", "column": "plan", "number": 1, "rubrique": "plan",
    "officer_id": "019e3a00-0000-7000-8000-000000000000",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()
    yield
    published.forget()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


@pytest.fixture
def bruno():
    return UserFactory(administrator=True, family_name="SECOND", given_name="Bruno")


def url(name, **arguments):
    return reverse(f"habilitations:{name}", kwargs=arguments)


def text(answer):
    return answer.content.decode().replace("\xa0", " ")


def open_draft(*edits, by):
    return do.edit_draft(edits or [SOCIAL], by=by).draft


def about(draft):
    draft.refresh_from_db()
    return {"draft": str(draft.pk), "revision": str(draft.revision)}


@pytest.mark.req("SEC-1", "SEC-25")
def test_whoever_is_no_administrator_finds_nothing(client):
    routes = {name: path for name, path, _ in named_routes() if name.startswith("habilitations:")}
    assert len(routes) >= 20
    coordinator = professional("60", "330")
    for user in (coordinator, UserFactory()):
        client.force_login(user)
        assert "Administration" not in text(client.get("/annuaire/"))
        for name, path in routes.items():
            address = reverse(name, kwargs={k: v for k, v in ARGUMENTS.items() if f":{k}>" in path})
            assert {client.get(address).status_code, client.post(address).status_code} <= {404, 405}, name
    client.logout()
    assert client.get(url("matrix")).status_code == 302


def test_the_grid_shows_each_profile_and_what_waits(client, anna):
    page = text(client.get(url("matrix")))
    assert "Version 1 en vigueur depuis le" in page
    assert page.count("<td ") == 23 * 16
    assert "Aucune modification en attente." in page
    open_draft(SOCIAL, Edit(Key(RIGHT, "medecin", "inviter"), ""), by=anna)
    page = text(client.get(url("matrix")))
    assert "2 modifications en attente" in page
    assert "L → –" in page and "lire devient aucun accès" in page
    assert text(client.get(url("rights"))).count("m-changed") == 2  # the cell, and the legend


def test_a_form_writes_only_what_was_changed(client, anna):
    name = "niveau:educateur:social"
    posted = {"draft": "", "revision": "0", f"v:{name}": "lecture", f"c:{name}": "ecriture",
              "v:niveau:educateur:plan": "ecriture", "c:niveau:educateur:plan": "ecriture"}  # fmt: skip
    assert client.post(url("profile", profile="educateur"), posted).status_code == 303
    (change,) = drafts.changes_of(MatrixDraft.objects.get())
    assert (change.key, change.after) == (SOCIAL.key, "ecriture")
    page = text(client.get(url("profile", profile="educateur")))
    assert "En vigueur : lire" in page
    assert client.get(url("profile", profile="inconnu")).status_code == 404
    assert client.get(url("profile", profile="magicien")).status_code == 404
    assert client.get(url("column", table="niveau", column="radio")).status_code == 404
    assert client.get(url("column", table="autre", column="plan")).status_code == 404


def test_a_whole_line_or_column_is_set_at_once(client, anna):
    client.post(url("profile", profile="educateur"), {"draft": "", "revision": "0", "tout-niveau": "lecture"})
    draft = MatrixDraft.objects.get()
    assert {c.after for c in drafts.changes_of(draft)} == {"lecture"}
    client.post(url("column", table="action", column="inviter"), about(draft) | {"tout-action": ""})
    after = {c.key.row for c in drafts.changes_of(draft) if c.key.column == "inviter"}
    assert {"medecin", "coordinateur_sante"} <= after
    assert not any(row.startswith("admin") for row in after)


def test_what_nobody_could_do_any_more_is_said_before_it_is_published(client, anna):
    """One column filled too far: the person's refusal could then be noted by nobody."""
    said = "Plus aucune profession n’y aura droit"
    open_draft(Edit(Key(RIGHT, "medecin", "noter_refus"), ""), by=anna)
    assert said not in text(client.get(url("matrix")))
    for table, column in (("action", "noter_refus"), ("niveau", "plan")):
        filled = about(MatrixDraft.objects.get()) | {f"tout-{table}": ""}
        client.post(url("column", table=table, column=column), filled)
    dock = text(client.get(url("matrix"))).split('id="dock"')[1]
    assert said in dock
    assert "Plan personnalisé, Noter un consentement ou un refus." in dock


def test_what_was_typed_comes_back_beside_what_the_other_wrote(client, anna, bruno):
    draft = open_draft(by=bruno)
    name = "niveau:educateur:social"
    answer = client.post(
        url("profile", profile="educateur"),
        {"draft": "", "revision": "0", f"v:{name}": "lecture", f"c:{name}": "ecriture"},
    )
    assert answer.status_code == 409
    page = text(answer)
    assert "SECOND Bruno a modifié ce brouillon pendant votre saisie." in page
    assert '<option value="ecriture" selected>' in page
    assert "aucun accès (SECOND Bruno)" in page
    posted = about(draft) | {f"v:{name}": "", f"c:{name}": "ecriture"}
    assert client.post(url("profile", profile="educateur"), posted).status_code == 303
    assert drafts.changes_of(draft)[0].after == "ecriture"


def test_the_grid_gets_its_dock_back_and_what_others_wrote(client, anna, bruno):
    draft = open_draft(by=bruno)
    htmx = {"HX-Request": "true"}
    posted = {"draft": "", "revision": "0", "c:niveau:pharmacien:plan": "ecriture"}
    page = text(client.post(url("matrix"), posted, headers=htmx))
    assert page.lstrip().startswith("<div") and "<html" not in page
    assert "SECOND Bruno a aussi modifié : Éducateur, Volet social" in page
    assert 'data-key="niveau:educateur:social"' in page and 'data-revision="2"' in page
    posted = {"draft": str(draft.pk), "revision": "0", "c:niveau:educateur:social": "ecriture"}
    answer = client.post(url("matrix"), posted, headers=htmx)
    assert answer.status_code == 200
    assert 'name="c:niveau:educateur:social"' in text(answer) and "Enregistrer ma saisie" in text(answer)


@pytest.mark.asvs("v5.0.0-2.2.2")
@pytest.mark.parametrize(
    "posted",
    [
        {"c:niveau:magicien:plan": "lecture"}, {"c:niveau:medecin:radio": "lecture"},
        {"c:niveau:medecin:plan": "tous"}, {"c:niveau:inconnu:plan": "lecture"}, {"c:autre:x:y": "z"},
        {"c:profession:ZZ:": "medecin"}, {"c:niveau:medecin:plan": "lecture", "draft": "pas-un-uuid", "revision": "x"},
    ],
)  # fmt: skip
def test_a_forged_cell_is_refused_or_harmless(client, anna, posted):
    answer = client.post(url("matrix"), posted)
    assert answer.status_code in (303, 409)
    draft = MatrixDraft.objects.first()
    assert draft is None or {c.key for c in drafts.changes_of(draft)} <= {("niveau", "medecin", "plan")}


def test_a_cell_is_put_back_and_the_draft_discarded(client, anna):
    draft = open_draft(SOCIAL, Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture"), by=anna)
    client.post(url("put_back"), about(draft) | {"case": "niveau:educateur:social"})
    assert [c.key.row for c in drafts.changes_of(draft)] == ["pharmacien"]
    assert client.post(url("put_back"), about(draft) | {"case": "rien"}).status_code == 303
    assert "Abandonner ce brouillon" in text(client.get(url("discard")))
    client.post(url("discard"), about(draft))
    assert not MatrixDraft.objects.open().exists()
    assert client.get(url("discard")).status_code == 303


def test_a_reason_is_asked_and_kept_when_the_request_is_refused(client, anna, bruno):
    draft = open_draft(by=anna)
    answer = client.post(url("ask"), about(draft) | {"reason": ""})
    assert answer.status_code == 422 and "Ce champ est obligatoire." in text(answer)
    posted = about(draft) | {"reason": "Avis du comité"}
    do.edit_draft([Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture")], by=bruno)
    answer = client.post(url("ask"), posted)
    assert answer.status_code == 409
    assert "SECOND Bruno a modifié ce brouillon" in text(answer) and "Avis du comité</textarea>" in text(answer)
    assert client.post(url("ask"), about(draft) | {"reason": "Avis du comité"}).status_code == 303
    assert MatrixDraft.objects.get().state == "demande"


def test_another_administrator_publishes_from_his_screen(client, anna, bruno):
    draft = open_draft(by=anna)
    client.post(url("ask"), about(draft) | {"reason": "Avis"})
    page = text(client.get(url("matrix")))
    assert "Un autre administrateur publie ou refuse." in page and url("publish") not in page
    client.post(url("publish"), about(draft))
    assert MatrixVersion.objects.count() == 1
    client.force_login(bruno)
    assert url("publish") in text(client.get(url("matrix")))
    client.post(url("refuse"), about(draft) | {"reason": ""})
    assert MatrixDraft.objects.get().state == "demande"
    client.post(url("publish"), about(draft))
    assert published.current().level("educateur", "social") == Niveau.AUCUN


def test_the_old_page_of_the_second_administrator_publishes_nothing(client, anna, bruno):
    draft = do.request_publication(open_draft(by=anna), reason="Avis", revision=1, by=anna)
    old = about(draft)
    do.withdraw_request(draft, revision=draft.revision, by=anna)
    open_draft(Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture"), by=anna)
    draft.refresh_from_db()
    do.request_publication(draft, reason="Avis", revision=draft.revision, by=anna)
    client.force_login(bruno)
    for name, more in (("publish", {}), ("refuse", {"reason": "Trop large"})):
        answer = client.post(url(name), old | more)
        said = text(answer)
        assert answer.status_code == 409
        assert "PREMIÈRE Anna a repris ce brouillon depuis que vous l’avez lu" in said
        assert "Écrit depuis votre lecture" in said and "Votre saisie, non enregistrée" not in said
    assert "Trop large</textarea>" in said
    assert MatrixVersion.objects.count() == 1 and MatrixDraft.objects.get().state == "demande"
    client.post(url("publish"), about(draft))
    assert MatrixVersion.objects.count() == 2


def test_a_refusal_is_shown_with_its_reason(client, anna, bruno):
    draft = open_draft(by=anna)
    do.request_publication(draft, reason="Avis", revision=1, by=anna)
    client.force_login(bruno)
    client.post(url("refuse"), about(draft) | {"reason": "Trop large"})
    page = text(client.get(url("matrix")))
    assert "Publication refusée par SECOND Bruno" in page and "Trop large" in page
    do.request_publication(draft, reason="Avis", revision=1, by=anna)
    client.post(url("take_back"), about(draft))
    assert MatrixDraft.objects.get().state == "edition"


@pytest.mark.req("SEC-18")
@pytest.mark.parametrize("name", ["ask", "publish"])
def test_what_opens_asks_again_who_is_there(client, anna, bruno, settings, name):
    draft = open_draft(by=bruno)
    if name == "publish":
        do.request_publication(draft, reason="Avis", revision=1, by=bruno)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    answer = client.post(url(name), about(draft) | {"reason": "x"})
    assert answer.status_code == 302 and "/compte/" in answer["Location"]
    assert MatrixVersion.objects.count() == 1


def test_people_are_named_and_dossiers_counted(client, anna):
    house = StructureFactory(name="IME Exemple")
    educator, dossier = professional("48", structure=house, family_name="CALQUE", given_name="Inès"), DossierFactory()
    habilitate(educator, dossier)
    open_draft(by=anna)
    page = text(client.get(url("effect")))
    assert "CALQUE Inès" in page and "IME Exemple" in page and "1 personne perd" in page
    assert dossier.birth_name not in page and str(dossier.pk) not in page
    said = AccountTrace.objects.filter(actor_id=anna.pk, action="liste").latest("at")
    assert (said.object_kind, said.count) == ("compte", 1)


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("name", ["matrix", "rights", "effect", "versions", "compare", "professions", "see_as"])
def test_statements_are_flat(client, anna, bruno, name):
    counted = []
    for rank in range(2):
        if rank:
            client.post(url("discard"), {"draft": str(MatrixDraft.objects.open().get().pk)})
        for _ in range(4):
            habilitate(professional("48", structure=StructureFactory()), DossierFactory())
            habilitate(professional("60"), DossierFactory())
        edits = [SOCIAL] + [Edit(Key(LEVEL, "infirmier", c), "") for c in ("plan", "agenda", "social")[: 3 * rank]]
        open_draft(*edits, Edit(Key(RULE, "48", ""), "aide_domicile"), by=anna)
        client.get(url(name))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url(name)).status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 12, counted


# ---- versions, files -------------------------------------------------------------------------------


def publish(anna, bruno, *edits):
    draft = open_draft(*edits, by=anna)
    do.request_publication(draft, reason="Avis", revision=draft.revision, by=anna)
    return do.publish_draft(draft, revision=draft.revision, by=bruno)


def test_versions_are_listed_compared_and_restored(client, anna, bruno):
    publish(anna, bruno)
    page = text(client.get(url("versions")))
    assert "Version 2" in page and "SECOND Bruno, demandée par PREMIÈRE Anna" in page
    page = text(client.get(url("compare")))
    assert "1 différence" in page and "lire devient aucun accès" in page
    page = text(client.get(url("compare") + "?de=2&a=2"))
    assert "Ces deux versions donnent la même chose." in page
    client.post(url("restore", number=1))
    assert drafts.changes_of(MatrixDraft.objects.open().get())[0].after == "lecture"
    assert "Un brouillon de la matrice est déjà ouvert" in text(client.post(url("restore", number=2), follow=True))
    assert client.post(url("restore", number=9)).status_code == 404


def test_a_version_leaves_as_files_and_comes_back_as_a_draft(client, anna):
    answer = client.get(url("export_xlsx", number=1))
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["Niveaux", "Droits d’action", "Professions"]
    assert AccountTrace.objects.filter(actor_id=anna.pk, action="export", object_kind="matrice").exists()
    sheet = book["Niveaux"]
    column = [cell.value for cell in sheet[1]].index("social") + 1
    row = [cell.value for cell in sheet["A"]].index("educateur") + 1
    sheet.cell(row, column, "É")
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    file.name = "matrice.xlsx"
    assert client.post(url("import"), {"fichier": file}).status_code == 303
    draft = MatrixDraft.objects.get()
    assert [(c.key, c.after) for c in drafts.changes_of(draft)] == [(SOCIAL.key, "ecriture")]
    assert list(draft.steps.values_list("kind", "reason"))[-1] == ("import", "matrice.xlsx")
    for kind in ("niveau", "action", "profession"):
        answer = client.get(url("export_csv", number=1, table=kind))
        assert answer.content.startswith(b"\xef\xbb\xbfprof")
    assert client.get(url("export_csv", number=1, table="autre")).status_code == 404
    assert client.get(url("export_xlsx", number=9)).status_code == 404


def test_a_file_that_replaces_what_another_wrote_says_so(client, anna, bruno):
    draft = open_draft(SOCIAL, Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture"), by=bruno)
    file = io.BytesIO(b"profil;social\neducateur;ecriture\npharmacien;aucun")
    file.name = "m.csv"
    page = text(client.post(url("import"), {"fichier": file}, follow=True))
    assert "Remplacé : Éducateur, Volet social, écrit par SECOND Bruno (lire devient aucun accès)." in page
    assert page.count("Remplacé") == 1
    assert {c.key.row: c.after for c in drafts.changes_of(draft)} == {
        "educateur": "ecriture",
        "pharmacien": "ecriture",
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", "profil;plan\nmagicien;lecture", "Case A2 : Le profil « magicien » n’existe pas."),
        ("m.csv", "profil;plan\nmedecin;parfois", "Case B2 : « parfois » n’est pas une valeur possible."),
        ("m.csv", "profession;fonction;profil\n10;;personne",
         "Case A2 : Aucune profession ne mène au profil « La personne elle-même »."),
        ("m.xlsx", "pas un classeur", "Le fichier n’est pas un classeur XLSX."),
        ("m.csv", "\n\n", "Case A1 : Le fichier est vide."),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_the_cell_and_the_reason(client, anna, name, content, said):
    file = io.BytesIO(content.encode())
    file.name = name
    answer = client.post(url("import"), {"fichier": file})
    assert answer.status_code == 422
    assert said in text(answer)
    assert not MatrixDraft.objects.exists()


def test_a_decision_is_replayed_on_the_screen(client, anna, bruno):
    publish(anna, bruno)
    page = text(client.get(url("replay") + "?version=1&profil=educateur&rubrique=social"))
    assert "Peut lire" in page and "Pas d’accès" in page
    assert client.get(url("replay") + "?version=9&profil=x&rubrique=y").status_code == 200


# ---- professions, profiles -------------------------------------------------------------------------


def test_professions_to_map_are_listed_and_mapped_in_the_draft(client, anna):
    professional("ZZ9")
    page = text(client.get(url("professions")))
    assert "À rattacher" in page and "Code ZZ9" in page
    posted = {"draft": "", "revision": "0", "profession": "48", "fonction": "", "profil": "aide_domicile"}
    assert client.post(url("rule"), posted).status_code == 303
    (change,) = drafts.changes_of(MatrixDraft.objects.get())
    assert (change.key, change.before, change.after) == ((RULE, "48", ""), "educateur", "aide_domicile")
    assert "Éducateur → Aide à domicile" in text(client.get(url("professions")))
    assert text(client.get(url("professions") + "?profil=mjpm")).count("Mandataire judiciaire") >= 1
    answer = client.post(url("rule"), posted | {"profession": "ZZ9"})
    assert answer.status_code == 422


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_map_a_profession_sees_both_texts(client, anna, bruno):
    """A refused form renews nothing of what was read."""
    posted = {"draft": "", "revision": "0", "profession": "48", "fonction": "", "profil": "aide_domicile"}
    draft = open_draft(Edit(Key(RULE, "48", ""), "medecin"), by=bruno)
    refused = client.post(url("rule"), posted | {"profession": "ZZ9"})
    assert refused.status_code == 422
    assert read(refused) == ("", "0")
    second = client.post(url("rule"), posted)
    assert second.status_code == 409
    assert "SECOND Bruno" in text(second) and "Aide à domicile" in text(second) and "Médecin" in text(second)
    assert read(second) == (str(draft.pk), "1")
    renewed = dict(zip(("draft", "revision"), read(second), strict=True))
    assert client.post(url("rule"), posted | renewed).status_code == 303
    # Another draft, of which nothing was read, is compared with as a whole.
    do.discard_draft(draft, revision=9, by=bruno)
    other = open_draft(Edit(Key(RULE, "48", ""), "medecin"), by=bruno)
    gone = client.post(url("rule"), posted | renewed)
    assert (gone.status_code, read(gone)) == (409, (str(other.pk), "0"))
    assert client.post(url("rule"), posted | {"draft": str(other.pk), "revision": "0"}).status_code == 409


def read(page):
    """Return the draft and the revision a form says were read."""
    form = text(page).partition("<main")[2]
    return tuple(re.search(rf'name="{name}"[^>]*?value="([^"]*)"', form)[1] for name in ("draft", "revision"))


@pytest.mark.req("REL-11")
@pytest.mark.parametrize("name", ["discard", "carry_over", "take_back"])
def test_what_ends_or_moves_a_draft_is_done_by_who_read_it(client, anna, bruno, name):
    draft = open_draft(by=anna)
    old = about(draft)
    open_draft(Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture"), by=bruno)
    draft.refresh_from_db()
    if name == "carry_over":
        publish_default_matrix()
    if name == "take_back":
        do.request_publication(draft, reason="Avis", revision=draft.revision, by=bruno)
    answer = client.post(url(name), old)
    assert answer.status_code == 409 and "Écrit depuis votre lecture" in text(answer)
    draft.refresh_from_db()
    assert (draft.closed_at, draft.state) == (None, "demande" if name == "take_back" else "edition")
    assert client.post(url(name), about(draft)).status_code == 303


def test_seeing_as_a_profile_is_what_the_engine_gives(client, anna):
    page = text(client.get(url("see_as") + "?profil=aide_domicile"))
    assert "Cercle réduit" in page
    open_draft(*(Edit(Key(LEVEL, "education_nationale", c), "") for c in ("identite", "cercle", "reunions")), by=anna)
    now = text(client.get(url("see_as") + "?profil=education_nationale"))
    then = text(client.get(url("see_as") + "?profil=education_nationale&version=brouillon"))
    assert "acces-lecture" in now and "acces-lecture" not in then
    # In a dossier the journal asks for the medical rubric: this profile searches the journals from outside.
    assert "acces-lecture" not in text(client.get(url("see_as") + "?profil=dpo"))


@pytest.mark.req("PERF-14")
@pytest.mark.parametrize("name", ["matrix", "rights", "professions", "rule"])
def test_the_widest_pages_stay_light(client, anna, name):
    """Design system, section 9: 25 KB over the wire for a page after the first."""
    open_draft(by=anna)
    weight = len(gzip.compress(client.get(url(name)).content, 6))
    assert weight <= 25_000, weight


def _broken(replaced):
    """A workbook whose sheet is not XML any more, or is not even a stream of zip."""
    content = write_xlsx({"niveaux": [["profil", "plan"], ["medecin", "lecture"]]})
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if replaced is None:
            sheet = parts.getinfo("xl/worksheets/sheet1.xml")
            begins = sheet.header_offset + 30 + len(sheet.filename)
            return content[:begins] + b"\xff" * 20 + content[begins + 20 :]
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as written:
            for part in parts.namelist():
                written.writestr(part, replaced.get(part, parts.read(part)))
    return made.getvalue()


@pytest.mark.parametrize(
    "replaced",
    [
        None,
        {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row>"},
        {"xl/workbook.xml": b"<workbook"},
        {"[Content_Types].xml": b"x"},
    ],
)
def test_a_broken_workbook_is_refused_with_its_sentence(replaced):
    with pytest.raises(TableRefused) as refused:
        read_file("matrice.xlsx", _broken(replaced))
    assert refused.value.faults[0].reason == "Le fichier n’est pas un classeur XLSX."


def test_a_profession_is_looked_for_by_its_words(client, anna):
    client.force_login(anna)
    page = client.get(reverse("habilitations:professions"), {"q": "INFIRMIER psychiatrique"}).content.decode()
    rows = re.findall(r'<th scope="row">([^<]+)', page)
    assert rows and all("Infirmier psychiatrique" in row for row in rows)
    none = client.get(reverse("habilitations:professions"), {"q": "astronaute"}).content.decode()
    assert "0\xa0ligne" in none and '<th scope="row">' not in none


def test_the_table_of_professions_is_read_by_pages_of_one_filter(client, anna):
    client.force_login(anna)
    seen, address = [], "?q=ur"
    while address:
        page = client.get(reverse("habilitations:professions") + address).content.decode()
        seen += re.findall(r'<th scope="row">(.+?)</th>', page)
        following = re.search(r'href="([^"]+)"\s+rel="next"', page)
        address = html.unescape(following[1]) if following else ""
        assert "q=ur" in address or not address
        assert page.count('<th scope="row">') <= 25
        said = re.search(r"(\d+)\xa0lignes", page)
    assert 25 < len(seen) == len(set(seen)) == int(said[1]) < len(Board.read().after.profiles)
