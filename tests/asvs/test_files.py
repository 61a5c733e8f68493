"""Files that people send: their size, their name, what they hold, what they unpack to."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from circle.views.colleagues import BIGGEST_FILE
from coordination.directory.errors import FileRefused
from coordination.directory.imports import sources
from habilitations import spreadsheets
from habilitations.tables import TableRefused
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-1", "SEC-20")]

LINE = "z@b.example;Éloi;Zoé;60\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = {
    "a picture that runs": ("dessin.svg", SVG),
    "a page": ("page.html", b"<script>alert(1)</script>"),
    "a program": ("liste.csv.exe", LINE.encode()),
    "no extension": ("liste", LINE.encode()),
    "a workbook renamed": ("liste.csv", b"PK\x03\x04\x14\x00\x06\x00" + b"\x00" * 40),
    "a program renamed": ("liste.csv", b"MZ\x90\x00\x03\x00\x00\x00"),
    "a picture renamed": ("liste.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    "a PDF renamed": ("liste.csv", b"%PDF-1.7\n%\xe2\xe3\x01\x02\n"),
}


@pytest.fixture
def desk(client):
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    client.force_login(entry.user)
    address = reverse("circle:check_several", args=[entry.dossier.pk])
    return lambda name, content: client.post(address, {"lines": "", "file": SimpleUploadedFile(name, content)})


def said(answer):
    return answer.content.decode().replace("\xa0", " ")


@pytest.mark.asvs("v5.0.0-5.2.2", "v5.0.0-1.3.4")
@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_is_not_what_is_asked_is_refused(desk, case):
    name, content = HOSTILE[case]
    answer = desk(name, content)
    assert answer.status_code == 422 and "n’est pas un CSV" in said(answer)
    assert b"<script>alert" not in answer.content
    with pytest.raises(TableRefused):
        spreadsheets.read_file(name, content)


@pytest.mark.asvs("v5.0.0-5.2.1")
def test_a_file_too_large_is_refused_before_it_is_read(desk):
    assert desk("liste.csv", LINE.encode()).status_code == 200
    answer = desk("liste.csv", b"a" * (BIGGEST_FILE + 1))
    assert answer.status_code == 422 and "trop gros" in said(answer)
    with pytest.raises(TableRefused, match="1 Mo"):
        spreadsheets.read_file("m.csv", b"a" * (spreadsheets.LARGEST + 1))


@pytest.mark.asvs("v5.0.0-5.3.2", "v5.0.0-5.4.1")
@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.csv", "..\\..\\x.csv", "a\r\nX-Injected: 1.csv", "/etc/passwd.csv"]
)
def test_a_name_leads_nowhere_and_is_not_said_again(desk, name):
    answer = desk(name, LINE.encode())
    assert answer.status_code in (200, 400, 422)
    assert "X-Injected" not in answer.headers and "cron.d" not in said(answer)


def archive(**parts):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


class TestArchives:
    @pytest.mark.asvs("v5.0.0-5.2.3")
    def test_a_workbook_that_swells_is_not_unpacked(self, monkeypatch):
        bomb = archive(**{"xl/worksheets/sheet1.xml": b"0" * (spreadsheets.LARGEST_UNPACKED + 1)})
        assert len(bomb) < spreadsheets.LARGEST
        many = archive(**{f"p{number}": b"" for number in range(spreadsheets.MOST_PARTS + 1)})

        def never(*args, **kwargs):
            raise AssertionError("it was opened")

        monkeypatch.setattr(spreadsheets, "load_workbook", never)
        for content in (bomb, many):
            with pytest.raises(TableRefused, match="trop grand"):
                spreadsheets.read_file("m.xlsx", content)

    @pytest.mark.asvs("v5.0.0-5.2.3")
    @pytest.mark.parametrize("bound", ["MOST_MEMBERS", "LARGEST_UNPACKED"])
    def test_an_archive_of_the_directory_is_bounded(self, tmp_path, monkeypatch, bound):
        path = tmp_path / "PS_LibreAcces.zip"
        path.write_bytes(archive(a="x" * 50, b="y" * 50, c="z"))
        assert len(sources.sources(path)) == 3
        monkeypatch.setattr(sources, bound, {"MOST_MEMBERS": 2, "LARGEST_UNPACKED": 100}[bound])
        with pytest.raises(FileRefused, match="trop grande"):
            sources.sources(path)


@pytest.mark.asvs("v5.0.0-2.2.2")
def test_only_who_may_sends_a_version_of_the_matrix(client):
    """The form hides from others; the server refuses."""
    client.force_login(UserFactory())
    file = SimpleUploadedFile("m.csv", b"profil;cercle\nmedecin;ecriture\n")
    assert client.post(reverse("habilitations:import"), {"fichier": file}).status_code == 404
