"""Lines that cannot be read, files about others: nobody is ceased by mistake."""

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports import headers
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.mssante import import_mssante
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.runs import Options
from coordination.directory.imports.structures_csv import import_structures
from coordination.directory.models import Activity, Mailbox, Professional, SavoirFaire, Structure
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, PEOPLE, PSYCHOLOGIST, changed, people_file
from tests.directory.test_import_finess import EHPAD, MARTINIQUE, csv_file, entity, establishment, json_file
from tests.directory.test_import_mssante import PERSONAL, SHARED, mailboxes
from tests.directory.test_import_structures import HEADER, TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-IMPORT")]

GUARDED = Options(min_rows=0)


def finess(path, options=ANY_SIZE):
    return import_finess(path, options)[0]


def mssante(tmp_path, *lines, options=ANY_SIZE, **more):
    return import_mssante(mailboxes(tmp_path, *lines, **more), options)[0]


def structures(tmp_path, *lines, header=HEADER, options=ANY_SIZE):
    path = tmp_path / "structures-2026-11-20.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return import_structures(path, options)[0]


def in_force(model):
    return model.objects.filter(ceased_at=None).count()


class TestWhatARefusedLineWasAbout:
    """It stays as it was; when nobody can tell what it was about, nothing ceases in that load."""

    @pytest.mark.parametrize(
        "broken",
        [
            EHPAD.replace('"EHPAD ""LES ESSAIS"""', '"EHPAD LES ESSAIS'),
            EHPAD.replace(";TARN;", "TARN"),
            f'"{EHPAD}',
            EHPAD.replace("EHPAD LES ESSAIS DE L AUTAN", "").replace('"EHPAD ""LES ESSAIS"""', ""),
            EHPAD.replace("structureet;810999999", "structureet;8109999;99"),
            EHPAD.replace("structureet;", "structuret;"),
        ],
    )
    def test_finess_csv(self, tmp_path, broken):
        finess(csv_file(tmp_path, EHPAD, MARTINIQUE))
        report = finess(csv_file(tmp_path, broken, MARTINIQUE))
        assert (report.run.refused_count, in_force(Structure)) == (1, 2)
        assert finess(csv_file(tmp_path, MARTINIQUE)).run.ceased_count == 1

    def test_only_what_the_line_was_about_is_spared(self, tmp_path):
        other = EHPAD.replace("810999999", "810999981")
        finess(csv_file(tmp_path, EHPAD, MARTINIQUE, other))
        finess(csv_file(tmp_path, EHPAD.replace(";TARN;", "TARN"), MARTINIQUE))
        assert set(Structure.objects.exclude(ceased_at=None).values_list("finess", flat=True)) == {"810999981"}

    def test_a_line_that_nobody_can_attribute_spares_all_and_says_so(self, tmp_path):
        other = EHPAD.replace("810999999", "810999981")
        finess(csv_file(tmp_path, EHPAD, MARTINIQUE, other))
        sent = (EHPAD.replace("structureet;810999999", "structureet;8109999;99"), MARTINIQUE)
        report = finess(csv_file(tmp_path, *sent))
        assert in_force(Structure) == 3
        assert any("--cesser-malgre-refus" in message for message in report.messages)
        anyway = Options(min_rows=0, accept_gap=True, cease_anyway=True)
        assert finess(csv_file(tmp_path, *sent), anyway).run.ceased_count == 2

    @pytest.mark.parametrize("change", [{"adresse": [None]}, {"contact": {}}, {"etatObjet": None}])
    def test_finess_plus(self, tmp_path, change):
        finess(json_file(tmp_path, entity("810999990", establishment())))
        report = finess(json_file(tmp_path, entity("810999990", {**establishment(), **change})))
        assert (report.run.refused_count, in_force(Structure)) == (1, 2)

    def test_regional(self, tmp_path):
        structures(tmp_path, TEAM, TEAM.replace("R-001", "R-002"))
        structures(tmp_path, TEAM.replace("606", "6;06"))
        assert list(Structure.objects.filter(ceased_at=None).values_list("source_key", flat=True)) == ["REG:R-001"]
        structures(tmp_path, TEAM, TEAM.replace("R-001", "R-002"))
        structures(tmp_path, TEAM.replace("R-001", ""))
        assert in_force(Structure) == 2

    @pytest.mark.parametrize(
        "broken",
        [f"{PERSONAL}||", PERSONAL.replace("PER|", "XXX|"), PERSONAL.replace("@", ""), PERSONAL.split("|D")[0]],
    )
    def test_mailboxes(self, tmp_path, broken):
        gone = SHARED.replace("secretariat", "accueil")
        mssante(tmp_path, PERSONAL, SHARED, gone)
        mssante(tmp_path, broken, SHARED)
        assert set(Mailbox.objects.exclude(ceased_at=None).values_list("address", flat=True)) == {
            "accueil@dac-fictif.mssante.example"
        }

    def test_mailbox_of_nobody(self, tmp_path):
        mssante(tmp_path, PERSONAL, SHARED)
        mssante(tmp_path, "ORG||", PERSONAL)
        assert in_force(Mailbox) == 2

    @pytest.mark.parametrize(
        "broken",
        ["8|" + "|" * 20, changed(DOCTOR, c3="8109990000"), changed(DOCTOR, c1="", c2="", c3="?"), "ligne en trop"],
    )
    def test_people(self, tmp_path, broken):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        moved = changed(NURSE, c18="L")
        first = import_rpps([people_file(tmp_path, broken, moved, PSYCHOLOGIST)], ANY_SIZE)[0]
        assert first.run.refused_count == 1
        assert in_force(Professional) == 3
        # Nothing is forgotten either: what moved is judged once the file can be read.
        known = in_force(Activity)
        import_rpps([people_file(tmp_path, DOCTOR, moved, PSYCHOLOGIST)], ANY_SIZE)
        assert known - in_force(Activity) in (0, 1)
        assert in_force(Activity) == 3

    def test_the_two_halves_of_a_broken_line_are_about_the_same_person(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        halves = DOCTOR.replace("CABINET DU DR", "CABINET\nDU DR")
        import_rpps([people_file(tmp_path, halves, PSYCHOLOGIST)], ANY_SIZE)
        assert Professional.objects.get(rpps="10999000011").ceased_at is None
        assert Professional.objects.get(rpps="10999000022").ceased_at is not None

    def test_a_line_that_names_nobody_spares_nobody(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        import_rpps([people_file(tmp_path, DOCTOR, NURSE, changed(DOCTOR, c1="", c2="", c3=""))], ANY_SIZE)
        assert in_force(Professional) == 2

    @pytest.mark.parametrize("broken", [True, False])
    def test_savoir_faire(self, tmp_path, broken):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        start = "8|10999000011|810999000011|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|"
        rows = [f"{start}S|x|SM54|x|", f"{start}CAPA|x|CAPA01|x|"]
        second = f"{rows[1]}|" if broken else rows[0]
        for lines in (rows, [second, rows[0]]):
            path = people_file(tmp_path, *lines, header=headers.SAVOIR_FAIRE, name="PS_LibreAcces_SavoirFaire.txt")
            import_rpps([path], ANY_SIZE)
        assert in_force(SavoirFaire) == (2 if broken else 1)


class TestAFileOfTheRightSizeAboutOthers:
    def numbers(self, first):
        return range(first, first + 300)

    def test_finess_csv(self, tmp_path):
        def lines(first):
            return [EHPAD.replace("810999999", f"81099{n:04d}") for n in self.numbers(first)]

        finess(csv_file(tmp_path, *lines(1000)))
        with pytest.raises(FileRefused, match="n'apparaissent plus"):
            finess(csv_file(tmp_path, *lines(5000)), GUARDED)
        assert (Structure.objects.count(), in_force(Structure)) == (300, 300)
        assert finess(csv_file(tmp_path, *lines(5000))).run.ceased_count == 300

    def test_finess_plus_where_all_close_at_once(self, tmp_path):
        def document(state):
            return json_file(
                tmp_path,
                entity("810999990", *(establishment(f"81099{n:04d}", state=state) for n in self.numbers(1000))),
            )

        finess(document("A"))
        with pytest.raises(FileRefused, match="n'apparaissent plus"):
            finess(document("I"), GUARDED)
        assert in_force(Structure) == 301

    def test_mailboxes(self, tmp_path):
        def lines(first):
            return [PERSONAL.replace("larrieu", f"larrieu{n}") for n in self.numbers(first)]

        mssante(tmp_path, *lines(1000))
        with pytest.raises(FileRefused, match="n'apparaissent plus"):
            mssante(tmp_path, *lines(5000), options=GUARDED)
        assert (Mailbox.objects.count(), in_force(Mailbox)) == (300, 300)

    def test_regional(self, tmp_path):
        def lines(first):
            return [TEAM.replace("R-001", f"R-{n}") for n in self.numbers(first)]

        structures(tmp_path, *lines(1000))
        with pytest.raises(FileRefused, match="n'apparaissent plus"):
            structures(tmp_path, *lines(5000), options=GUARDED)
        assert in_force(Structure) == 300

    def test_savoir_faire(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)

        def load(letter, options=ANY_SIZE):
            start = "8|10999000011|810999000011|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|"
            rows = [f"{start}S|x|{letter}{n}|x|" for n in range(200)]
            path = people_file(tmp_path, *rows, header=headers.SAVOIR_FAIRE, name="PS_LibreAcces_SavoirFaire.txt")
            return import_rpps([path], options)

        load("A")
        with pytest.raises(FileRefused, match="n'apparaissent plus"):
            load("B", GUARDED)
