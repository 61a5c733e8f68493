"""The circle on paper and in files: who may, what leaves and what stays, one trace each."""

import datetime as dt
import io
import re
import uuid
from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pypdf import PdfReader

from circle import actions
from circle.exports import sheet
from circle.models import Member, Period
from circle.views import listing
from habilitations.models import Outcome, Trace
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-1")]

HOME_HELP = "aide_domicile"


@pytest.fixture
def circle(entry):
    """A circle with every kind of member, one discreet, one on the « liste rouge », one who refused."""
    doctor = make.listed(make.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M")
    make.add(entry, doctor, role="PCP")
    make.add(entry, make.listed(family_name="SPÉCIMEN", given_name="Inès"))
    make.relative(entry, family_name="MODÈLE", given_name="Karim", mobile="06 39 98 20 55", role="AIDANT_PRINCIPAL")
    make.relative(entry, family_name="EXEMPLE", given_name="Odile", mobile="06 39 98 20 77", role="ECON")
    make.relative(
        entry, family_name="SECRET", given_name="Lou", mobile="06 39 98 20 88", phone="05 36 49 20 88", unlisted=True
    )
    hidden = make.add(entry, make.listed(make.DOCTOR, family_name="CACHÉ", given_name="Line"), role="PROV")
    actions.set_discreet(entry, hidden, True)
    make.add_house(entry, make.StructureFactory(name="EHPAD LES MODÈLES"))
    refused = make.add(entry, make.listed(family_name="REFUSÉ", given_name="Ana"))
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, refused, "refus", refusal=refusal)
    return entry


def address(name, entry, *args):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, *args])


def member_of(entry, family_name):
    row = next(row for row in Member.objects.rows(entry) if row.family_name == family_name)
    return row.id


def read_pdf(response):
    return PdfReader(io.BytesIO(response.content))


def words(reader):
    """The text of a PDF with plain spaces; typst cuts words where the lines end."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


@pytest.fixture
def signed_in(client, circle):
    client.force_login(circle.user)
    return client


# ---- Fiche du cercle -----------------------------------------------------------------------------


def test_the_sheet_is_one_tagged_page_in_french(signed_in, circle):
    response = signed_in.get(address("print_sheet", circle))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="fiche-du-cercle.pdf"'
    assert response["Cache-Control"] == "no-store"
    reader = read_pdf(response)
    root = reader.trailer["/Root"]
    assert len(reader.pages) == 1
    assert [round(float(side) * 25.4 / 72) for side in reader.pages[0].mediabox[2:]] == [210, 297]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"].startswith("fr")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata.title == "Fiche du cercle de soins"
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data().replace(b" ", b"")
    kinds = set(tags(root["/StructTreeRoot"]["/K"]))
    assert {"/H1", "/H2", "/L", "/LI"} <= kinds
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        assert "Atkinson" in font["/BaseFont"]
        assert "/FontFile2" in font["/DescendantFonts"][0]["/FontDescriptor"]


def tags(node):
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from tags(child)
    elif hasattr(node, "get") and "/S" in node:
        yield node["/S"]
        if "/K" in node:
            yield from tags(node["/K"])


def test_the_sheet_says_whom_to_call_and_nothing_that_a_fridge_should_not(signed_in, circle):
    text = words(read_pdf(signed_in.get(address("print_sheet", circle))))
    order = ["En cas d’urgence", "EXEMPLE Odile", "TESTARD Paul", "Samu", "Professionnels", "Structures", "Proches"]
    places = [text.index(said) for said in order]
    assert places == sorted(places)
    assert "14/03/1941" in text and circle.dossier.full_name in text
    assert "06 39 98 20 77" in text
    assert "SECRET Lou" in text and "20 88" not in text, "a number of the liste rouge stays out"
    assert "CACHÉ" not in text, "a discreet member stays out, even for who may see her"
    assert "REFUSÉ Ana" in text and "efus du patient" not in text
    assert "accès" not in text.lower() and "habilit" not in text.lower()
    assert text.count("TESTARD Paul") == 1


def test_the_foot_says_when_by_whom_and_until_when():
    at = timezone.make_aware(dt.datetime(2026, 11, 23, 9, 42))
    assert sheet.foot("EXEMPLE-LARRIEU Maëlle", at) == (
        "Imprimée le 23/11/2026 à 09:42 par EXEMPLE-LARRIEU Maëlle, selon ses droits. "
        "À remettre à jour avant le 23/02/2027."
    )
    last_day = timezone.make_aware(dt.datetime(2026, 11, 30, 9, 42))
    assert sheet.foot("X", last_day).endswith("avant le 28/02/2027.")


def test_no_matricule_and_no_name_for_who_may_not_read_the_identity(signed_in, circle, monkeypatch):
    circle.dossier.ins_matricule = "241038199901211"
    circle.dossier.ins_oid = "1.2.250.1.213.1.4.10"
    circle.dossier.save()
    text = words(read_pdf(signed_in.get(address("print_sheet", circle))))
    assert "241038199901211" not in text.replace(" ", "")
    monkeypatch.setattr("habilitations.access.Access.can_read", lambda access, rubrique: rubrique == "cercle")
    text = words(read_pdf(signed_in.get(address("print_sheet", circle))))
    assert circle.dossier.family_name not in text and "1941" not in text


def test_what_people_type_is_never_markup(circle):
    make.relative(circle, family_name='#eval("1+1") *GRAS* $x$ \\', given_name="@ref &amp;")
    made = sheet.make_sheet(circle, Member.objects.rows(circle), reader="X Y", at=timezone.localtime())
    text = words(PdfReader(io.BytesIO(made.content)))
    assert '#EVAL("1+1") *GRAS* $X$ \\' in text


def test_a_name_that_no_font_draws_still_prints(circle):
    make.relative(circle, family_name="日本", given_name="Жук Ωμέγα")
    made = sheet.make_sheet(circle, Member.objects.rows(circle), reader="X Y", at=timezone.localtime())
    assert made.pages == 1 and made.content.startswith(b"%PDF")


@pytest.mark.parametrize(("members", "pages"), [(6, 1), (22, 1), (30, 1), (60, 2)])
def test_one_page_as_long_as_it_fits(circle, members, pages):
    row = next(row for row in Member.objects.rows(circle) if row.family_name == "SPÉCIMEN")
    rows = [replace(row, id=uuid.uuid4(), name=f"SPÉCIMEN-DE-LA-MOTTE Inès {n}") for n in range(members)]
    made = sheet.make_sheet(circle, rows, reader="X Y", at=timezone.localtime())
    assert made.pages == pages == len(PdfReader(io.BytesIO(made.content)).pages)


@pytest.mark.parametrize("many", [0, 25], ids=["one column", "two columns"])
def test_a_very_long_word_stays_in_its_column(circle, many):
    long_name, long_role = "LLANFAIRPWLLGWYNGYLLGOGERYCHWYRNDROBWLLLLANTYSILIO", "X" * 70
    make.relative(circle, family_name=long_name, given_name="Ana", mobile="06 39 98 20 56")
    make.by_hand(circle, family_name=long_role, given_name="Bo")
    for n in range(many):
        make.add(circle, make.listed(family_name=f"FICTIF{n * 7919:X}", given_name="Ana"))
    made = sheet.make_sheet(circle, Member.objects.rows(circle), reader="X Y", at=timezone.localtime())
    reader = PdfReader(io.BytesIO(made.content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in reader.trailer["/Root"]["/Metadata"].get_data()
    lines = [line.replace("\u200b", "") for page in reader.pages for line in page.extract_text().splitlines()]
    for word in (long_name, long_role):
        assert not any(word in line for line in lines)
        assert word in "".join(lines)


def test_a_second_page_is_asked_for(signed_in, circle, monkeypatch):
    monkeypatch.setattr(sheet, "_set_in_type", lambda asked: sheet.Sheet(b"%PDF-", 2))
    response = signed_in.get(address("print_sheet", circle))
    assert response["Content-Type"].startswith("text/html")
    assert "Imprimer sur 2 pages" in response.content.decode()
    agreed = address("print_sheet", circle) + "?pages=2"
    assert agreed in response.content.decode()
    assert signed_in.get(agreed)["Content-Type"] == "application/pdf"
    assert signed_in.get(address("print_sheet", circle) + "?pages=²")["Content-Type"].startswith("text/html")


def test_typesetting_that_lasts_too_long_is_stopped_and_told(signed_in, circle, monkeypatch, tmp_path):
    endless = tmp_path / "endless.py"
    endless.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(sheet, "TYPESETTER", endless)
    monkeypatch.setattr(sheet, "TIMEOUT", 0.3)
    response = signed_in.get(address("print_sheet", circle))
    assert response.status_code == 503
    assert "Réessayez dans un instant" in response.content.decode()
    assert Trace.objects.filter(dossier_id=circle.dossier.pk, outcome=Outcome.FAILED).count() == 1


# ---- List ----------------------------------------------------------------------------------------


def test_the_list_is_the_screen_typed_and_filtered(signed_in, circle):
    make.relative(circle, family_name="=CMD()", given_name="+A1", mobile="06 39 98 20 11")
    response = signed_in.get(address("export_list", circle))
    assert response["Content-Disposition"] == 'attachment; filename="cercle-de-soins.xlsx"'
    assert response["Cache-Control"] == "no-store"
    book = load_workbook(io.BytesIO(response.content))
    page = book["Cercle de soins"]
    heads = [cell.value for cell in page[2]]
    assert heads[:4] == ["Type de membre", "Nom", "Profession ou catégorie", "Rôle"]
    assert page.freeze_panes == "C3"
    assert page.auto_filter.ref == page.dimensions.replace("A1:", "A2:")
    lines = [dict(zip(heads, row, strict=True)) for row in page.iter_rows(min_row=3)]
    shown = listing.ordered(Member.objects.rows(circle), "")
    assert [line["Nom"].value for line in lines] == [row.name for row in shown]
    assert [line["Accès au dossier"].value for line in lines] == [row.access.phrase for row in shown]
    assert all(line["Dans le cercle depuis le"].is_date for line in lines)
    nasty = next(line["Nom"] for line in lines if "CMD" in line["Nom"].value)
    assert nasty.data_type == "s" and nasty.quotePrefix and nasty.value.startswith("=")
    unlisted = next(line for line in lines if line["Nom"].value == "SECRET Lou")
    assert unlisted["Sur liste rouge"].value == "Oui"
    assert unlisted["Mobile"].value == "06 39 98 20 88"
    assert not any(circle.dossier.family_name in title for title in book.sheetnames)
    assert circle.dossier.family_name not in str(book.properties)


def exported(client, circle, query=""):
    """Return (the head, the names in order, the columns) of the list as the screen asks it."""
    book = load_workbook(io.BytesIO(client.get(address("export_list", circle) + query).content))
    said, heads, *lines = book["Cercle de soins"].iter_rows(values_only=True)
    assert said[0] == book["À propos"]["A1"].value
    return said[0], [line[1] for line in lines], heads


def test_the_list_follows_the_filters_of_the_screen_and_says_them(signed_in, circle):
    today = timezone.localdate()
    assert exported(signed_in, circle)[0] == f"Cercle de soins au {today:%d/%m/%Y}. Tri : Rôle."
    said, names, _ = exported(signed_in, circle, "?afficher=refus&tri=nom")
    assert said == f"Cercle de soins au {today:%d/%m/%Y}. Filtre : Refus du patient. Tri : Nom."
    assert names == ["REFUSÉ Ana"]
    said, names, _ = exported(signed_in, circle, "?afficher=role-PCP")
    assert (said.split(". ")[1], names) == ("Filtre : Médecin traitant", ["TESTARD Paul"])
    _, names, _ = exported(signed_in, circle, "?tri=nom")
    # By name in each group, as on the screen: professionals, structures, relatives.
    assert names[:5] == ["CACHÉ Line", "EXEMPLE-LARRIEU Maëlle", "REFUSÉ Ana", "SPÉCIMEN Inès", "TESTARD Paul"]
    assert names[5:] == ["EHPAD LES MODÈLES", "EXEMPLE Odile", "MODÈLE Karim", "SECRET Lou"]


def test_the_list_of_a_past_day_and_of_who_has_left(signed_in, circle):
    left = Member.objects.get(pk=member_of(circle, "SPÉCIMEN"))
    past, today = timezone.localdate() - dt.timedelta(days=40), timezone.localdate()
    Period.objects.filter(member=left).update(starts_on=past)
    actions.remove_member(circle, left, reason="fin")
    said, names, heads = exported(signed_in, circle, "?afficher=partis")
    assert said.startswith(f"Membres partis du cercle de soins au {today:%d/%m/%Y}.")
    assert (names, heads[-1]) == (["SPÉCIMEN Inès"], "Sorti du cercle le")
    day = past + dt.timedelta(days=3)
    said, names, _ = exported(signed_in, circle, f"?au={day:%d/%m/%Y}")
    assert (said.split(". ")[0], names) == (f"Cercle de soins au {day:%d/%m/%Y}", ["SPÉCIMEN Inès"])
    assert "SPÉCIMEN Inès" not in exported(signed_in, circle)[1]


def test_the_link_of_the_screen_asks_for_what_the_screen_shows(signed_in, circle):
    page = signed_in.get(address("list", circle) + "?afficher=acces&tri=nom").content.decode()
    assert f"{address('export_list', circle)}?afficher=acces&amp;tri=nom" in page


# ---- Contact -------------------------------------------------------------------------------------


def parse(content):
    """Read a vCard strictly: CRLF, lines of 75 octets, one space before what continues, escapes undone."""
    assert content.endswith(b"\r\n") and b"\n" not in content.replace(b"\r\n", b"")
    lines = content.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no letter cut in two
    unfolded = content.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert unfolded[0] == "BEGIN:VCARD" and unfolded[1] == "VERSION:4.0" and unfolded[-1] == "END:VCARD"
    found = {}
    for line in unfolded:
        name, _, value = line.partition(":")
        parts = [unescape(part) for part in re.findall(r"(?:^|;)((?:\\.|[^;\\])*)", value)]
        found[name] = parts if len(parts) > 1 else parts[0]
    return found


def unescape(text):
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def test_the_contact_of_a_professional(signed_in, circle):
    response = signed_in.get(address("export_vcard", circle, member_of(circle, "TESTARD")))
    assert response["Content-Type"] == "text/vcard; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="contact.vcf"'
    card = parse(response.content)
    assert card["N"] == ["TESTARD", "Paul", "", "", ""]
    assert card["FN"] == "TESTARD Paul"
    assert card["TITLE"].startswith("Médecin")
    assert card["TEL;TYPE=work,voice"] == "+33536491021"
    assert card["ADR;TYPE=work"][3:6] == ["Carmaux", "", "81400"]
    said = response.content.decode()
    assert "traitant" not in said and circle.dossier.family_name not in said


def test_the_contact_of_a_relative_says_nothing_of_the_link(signed_in, circle):
    made = make.relative(
        circle, family_name="VIRGULE; de, Long\\", given_name="É" * 60, phone="05 36 49 10 99",
        description="Fille de la patiente", address="3, rue du Modèle; bât. A",
    )  # fmt: skip
    response = signed_in.get(address("export_vcard", circle, made.pk))
    card = parse(response.content)
    assert card["N"][0] == "VIRGULE; de, Long\\"
    assert card["ADR;TYPE=home"][2] == "3, rue du Modèle; bât. A"
    assert "TITLE" not in card and "NOTE" not in card
    assert "ille" not in response.content.decode()


def test_the_contact_of_a_structure(signed_in, circle):
    structure = next(row for row in Member.objects.rows(circle) if row.shape == "structure")
    card = parse(signed_in.get(address("export_vcard", circle, structure.id)).content)
    assert card["KIND"] == "org" and card["ORG"] == card["FN"] == "EHPAD LES MODÈLES"


def test_a_member_of_another_circle_is_not_found(signed_in, circle):
    other = make.open_circle(make.coordinator())
    stranger = make.relative(other)
    assert signed_in.get(address("export_vcard", circle, stranger.pk)).status_code == 404


# ---- Who may, and what is written in the journal -------------------------------------------------

PAGES = [("print_sheet", "impression"), ("export_list", "export"), ("export_vcard", "export")]


def page_of(name, entry):
    return address(name, entry, *([member_of(entry, "TESTARD")] if name == "export_vcard" else []))


@pytest.mark.req("SEC-9")
@pytest.mark.parametrize(("name", "action"), PAGES)
def test_each_leaves_one_trace(signed_in, circle, name, action):
    page = page_of(name, circle)
    before = Trace.objects.filter(dossier_id=circle.dossier.pk).count()
    assert signed_in.get(page).status_code == 200
    assert Trace.objects.filter(dossier_id=circle.dossier.pk).count() == before + 1
    trace = Trace.objects.filter(dossier_id=circle.dossier.pk).latest("at")
    assert (trace.action, trace.rubrique, trace.outcome) == (action, "cercle", Outcome.OK)
    if name == "export_vcard":
        assert (trace.object_kind, trace.object_id) == ("member", member_of(circle, "TESTARD"))


@pytest.mark.parametrize(("name", "action"), PAGES)
def test_without_the_right_to_print_nothing_leaves(signed_in, circle, monkeypatch, name, action):
    page = page_of(name, circle)
    may = "habilitations.access.Access.may"
    monkeypatch.setattr(may, lambda access, wanted, structure_id=None: wanted != "imprimer")
    before = Trace.objects.filter(dossier_id=circle.dossier.pk).count()
    assert signed_in.get(page).status_code == 403
    traces = Trace.objects.filter(dossier_id=circle.dossier.pk)
    assert traces.count() == before + 1
    assert (traces.latest("at").action, traces.latest("at").outcome) == (action, Outcome.REFUSED)


@pytest.mark.parametrize(("name", "action"), PAGES)
def test_an_outsider_finds_nothing(client, circle, name, action):
    client.force_login(make.account())
    assert client.get(page_of(name, circle)).status_code == 404


@pytest.mark.req("SEC-2")
def test_the_reduced_circle_stays_reduced_on_paper_and_in_files(signed_in, circle, monkeypatch):
    profile = "habilitations.matrix.Matrix.profile_of"
    monkeypatch.setattr(profile, lambda matrix, profession, fonction="": HOME_HELP)
    text = words(read_pdf(signed_in.get(address("print_sheet", circle))))
    assert "TESTARD" not in text and "Odile" not in text
    assert "06 39 98 20 77" in text, "whom to call in an emergency"
    book = load_workbook(io.BytesIO(signed_in.get(address("export_list", circle)).content))
    heads = [cell.value for cell in book["Cercle de soins"][2]]
    assert heads == ["Type de membre", "Fonction ou structure", "Téléphone fixe", "Mobile"]
    assert "Odile" not in str([[cell.value for cell in row] for row in book["Cercle de soins"]])
    monkeypatch.undo()
    hidden = address("export_vcard", circle, member_of(circle, "TESTARD"))
    monkeypatch.setattr(profile, lambda matrix, profession, fonction="": HOME_HELP)
    assert signed_in.get(hidden).status_code == 404
