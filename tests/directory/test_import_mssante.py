"""Mailboxes: whose they are, whichever file is loaded first."""

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports import headers
from coordination.directory.imports.mssante import import_mssante
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, Mailbox, Professional, Structure
from tests.directory import files
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, changed, people_file

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-MSSANTE")]

PERSONAL = (
    "PER|maelle.exemple-larrieu@test.mssante.example|8|10999000011|810999000011||||DR|EXEMPLE-LARRIEU|Maëlle|C|Civil"
    "|10|Médecin|SM54|Médecine générale (SM)|True|||||||||||||"
)
SHARED = (
    "ORG|secretariat@dac-fictif.mssante.example||||1|810999999|Cellule de coordination||||||||||False|DAC FICTIF||||3|"
    "|AV|DU TEST||81400 CARMAUX|81400|81|FR"
)
TIED = PERSONAL.replace("maelle.exemple-larrieu@test", "maelle@cabinet").replace("||||DR", "|4|R10999900000001||DR")


def mailboxes(tmp_path, *lines, header=headers.MSSANTE):
    return people_file(tmp_path, *lines, header=header, name="Extraction_Correspondance_MSSante_202611020620.txt")


def load(*arguments, **options):
    return import_mssante(mailboxes(*arguments, **options), ANY_SIZE)[0]


@pytest.mark.parametrize("first", ["people", "mailboxes"])
def test_mailboxes_find_their_owners(tmp_path, first):
    people = people_file(tmp_path, DOCTOR, NURSE)
    steps = [lambda: import_rpps([people], ANY_SIZE), lambda: load(tmp_path, PERSONAL, SHARED, TIED)]
    for step in steps if first == "people" else reversed(steps):
        step()
    assert Mailbox.objects.count() == 3
    assert Professional.objects.get(rpps="10999000011").mss_address == "maelle.exemple-larrieu@test.mssante.example"
    # Tied to a structure: shown on the activity there.
    assert Activity.objects.get(professional__rpps="10999000011").mss_address == "maelle@cabinet.mssante.example"
    if first == "people":
        assert Structure.objects.get(finess="810999999").mss_address == "secretariat@dac-fictif.mssante.example"


def test_one_address_for_two_structures(tmp_path):
    load(tmp_path, SHARED, SHARED.replace("810999999", "810999981"))
    assert Mailbox.objects.count() == 2


def test_vanished_mailbox_is_removed_and_may_come_back(tmp_path):
    import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
    load(tmp_path, PERSONAL, SHARED)
    assert load(tmp_path, PERSONAL, SHARED).run.changed_count == 0
    assert load(tmp_path, SHARED).run.ceased_count == 1
    assert Professional.objects.get().mss_address == ""
    assert load(tmp_path, PERSONAL, SHARED).run.changed_count == 1
    assert Activity.objects.get().mss_address == "maelle.exemple-larrieu@test.mssante.example"


def test_short_names_of_the_last_columns_and_trailing_bar(tmp_path):
    header = headers.MSSANTE.replace(" structure BAL", "") + "|"
    load(tmp_path, PERSONAL + "|", header=header)
    assert Mailbox.objects.get().paperless is True


def test_refusals(tmp_path):
    with pytest.raises(FileRefused, match="Colonnes absentes"):
        load(tmp_path, PERSONAL, header=headers.MSSANTE.replace("Adresse BAL", "Adresse"))
    lines = [PERSONAL.replace("larrieu", f"larrieu{n}") for n in range(300)]
    report = load(tmp_path, *lines, PERSONAL.replace("PER|", "XXX|"), PERSONAL.replace("@", ""))
    assert [line for line, _ in report.refusals] == [302, 303]
    path = mailboxes(tmp_path, *lines)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileRefused, match="tronqué"):
        import_mssante(path, ANY_SIZE)


def test_tied_to_a_structure_is_shown_there_only(tmp_path):
    other = changed(DOCTOR, c18="S", c24="R10999900000007", c20="")
    import_rpps([people_file(tmp_path, DOCTOR, other)], ANY_SIZE)
    load(tmp_path, TIED.replace("maelle@", "a@"), PERSONAL)
    shown = dict(Activity.objects.values_list("structure__technical_id", "mss_address"))
    own = "maelle.exemple-larrieu@test.mssante.example"
    assert shown == {"R10999900000001": "a@cabinet.mssante.example", "R10999900000007": own}
    assert Professional.objects.get().mss_address == own


def test_tied_to_an_unknown_structure_is_the_persons(tmp_path):
    import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
    load(tmp_path, TIED.replace("R10999900000001", "R000"))
    assert Professional.objects.get().mss_address == "maelle@cabinet.mssante.example"
    assert Activity.objects.get().mss_address == "maelle@cabinet.mssante.example"


def test_what_no_file_gave_is_not_taken_back(tmp_path):
    """A box of the red list is in no file: what the person or the structure said is all that there is."""
    import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
    Professional.objects.update(mss_address="listerouge@test.mssante.example")
    typed = Structure.objects.create(
        source="local", name="SAISIE", search_name="saisie", finess="810999981", mss_address="saisie@test.example"
    )
    load(tmp_path, PERSONAL.replace("10999000011", "10999000077"), SHARED.replace("810999999", typed.finess))
    load(tmp_path, PERSONAL.replace("10999000011", "10999000077"))
    import_rpps([people_file(tmp_path, changed(DOCTOR, c41="0536490055"))], ANY_SIZE)
    assert Professional.objects.get().mss_address == "listerouge@test.mssante.example"
    # Lent, then gone from the file: still the only way to reach it.
    assert Structure.objects.get(pk=typed.pk).mss_address == "secretariat@dac-fictif.mssante.example"


def test_generated_file_goes_through_whole():
    assert import_mssante(files.small().mailboxes, ANY_SIZE)[0].run.refused_count == 0
