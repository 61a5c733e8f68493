"""Lines that cannot be read, files of an unexpected shape, files of another day: nothing is lost, nobody is ceased."""

import gzip
import json

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports import headers, rpps, rpps_first
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.mssante import import_mssante
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.runs import Options
from coordination.directory.imports.structures_csv import import_structures
from coordination.directory.models import Activity, ImportRun, Mailbox, Professional, SavoirFaire, Structure
from tests.directory import files
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, PEOPLE, PSYCHOLOGIST, changed, people_file
from tests.directory.test_import_finess import EHPAD, MARTINIQUE, csv_file, entity, establishment, json_file
from tests.directory.test_import_mssante import PERSONAL, SHARED, TIED, mailboxes
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


class TestUnexpectedShapes:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"adresse": [None]}, "adresse"),
            ({"adresse": {}}, "adresse"),
            ({"adresse": ["x"]}, "adresse"),
            ({"contact": [None]}, "contact"),
            ({"contact": "x"}, "contact"),
            ({"contact": [{"telecom": []}]}, "contact"),
            ({"informationsGeneralesEGE": "x"}, "informationsGeneralesEGE"),
            ({"etatObjet": "Z"}, "état"),
        ],
    )
    def test_of_an_establishment(self, tmp_path, change, reason):
        report = finess(json_file(tmp_path, entity("810999990", {**establishment(), **change})))
        assert (report.run.state, report.run.refused_count) == ("fait", 1)
        assert report.refusals[0][0] == 2
        assert reason in report.refusals[0][1]
        assert Structure.objects.get().kind == "ej"

    @pytest.mark.parametrize("bad", [None, "x", 3, [], [None]])
    def test_of_a_list_of_establishments(self, tmp_path, bad):
        path = json_file(tmp_path, entity("810999990", ege=[establishment(), bad]), entity("810999982"))
        report = finess(path)
        assert [line for line, _ in report.refusals] == [3]
        assert Structure.objects.count() == 3

    @pytest.mark.parametrize("bad", ["x", {}, 3])
    def test_instead_of_a_list_of_establishments(self, tmp_path, bad):
        report = finess(json_file(tmp_path, entity("810999990", ege=bad)))
        assert report.run.refused_count == 1
        assert Structure.objects.get().finess == "810999990"

    @pytest.mark.parametrize("bad", [None, "x", 3, [], {"informationsGeneralesPMEJ": []}])
    def test_of_an_entity(self, tmp_path, bad):
        report = finess(json_file(tmp_path, entity("810999990"), bad))
        assert [line for line, _ in report.refusals] == [2]

    @pytest.mark.parametrize("text", ["ASSO\x00CIATION", "ASSO\ud800CIATION"])
    def test_characters_that_are_none(self, tmp_path, text):
        one = entity("810999990")
        one["informationsGeneralesPMEJ"]["denominationLonguePmSmsse"] = text
        path = tmp_path / "finess-structures-journalier-20261102.json"
        path.write_text(json.dumps({"pmej": [one]}), encoding="utf-8")
        finess(path)
        # What readers of JSON make of half a character differs; none of them gives a NUL or a half.
        assert Structure.objects.get().name in ("ASSOCIATION", "ASSO?CIATION")

    def test_a_number_without_end(self, tmp_path):
        path = tmp_path / "finess-structures-journalier-20261102.json"
        path.write_text(f'{{"pmej": [{{"x": {"9" * 5000}}}]}}', encoding="utf-8")
        with pytest.raises(FileRefused):
            finess(path)

    def test_a_csv_field_without_end(self, tmp_path):
        long = EHPAD.replace("DU TEST", "X" * 200_000)
        report = finess(csv_file(tmp_path, long, MARTINIQUE))
        assert report.refusals == [(2, "ligne illisible")]
        report = structures(tmp_path, TEAM.replace("R-001", "R-002").replace("rue", "X" * 200_000), TEAM)
        assert report.refusals == [(2, "ligne illisible")]

    def test_a_header_without_end(self, tmp_path):
        with pytest.raises(FileRefused):
            structures(tmp_path, TEAM, header=f"identifiant;{'x' * 200_000}")

    def test_a_value_that_the_database_refuses(self, tmp_path, monkeypatch):
        """Whatever the readers let through, the answer is a sentence and nothing changes."""
        structures(tmp_path, TEAM)
        monkeypatch.setattr("coordination.directory.imports.structure_rows._copied_columns", lambda row: ["x"] * 99)
        with pytest.raises(FileRefused, match="n'accepte pas"):
            structures(tmp_path, TEAM.replace("mobile", "autre"))
        assert ImportRun.objects.latest("started_at").state == "refuse"
        assert "mobile" in Structure.objects.get().name

    def test_a_name_longer_than_its_column_at_the_first_load(self, tmp_path):
        import_rpps([people_file(tmp_path, changed(DOCTOR, c8="X" * 300))], ANY_SIZE)
        assert len(Professional.objects.get().family_name) == 120


class TestHowFilesEnd:
    @pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n", "  \n", ""])
    def test_people(self, tmp_path, end):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_bytes() + end.encode())
        for _ in range(2):
            report = import_rpps([path], ANY_SIZE)[0]
            assert (report.run.read_count, report.run.refused_count) == (3, 0)
        assert in_force(Professional) == 3

    def test_a_blank_line_in_the_middle(self, tmp_path):
        path = people_file(tmp_path, DOCTOR, "", NURSE)
        for _ in range(2):
            assert import_rpps([path], ANY_SIZE)[0].run.refused_count == 0
        assert in_force(Professional) == 2

    def test_mailboxes_and_savoir_faire(self, tmp_path):
        assert mssante(tmp_path, PERSONAL, "", SHARED, "").run.refused_count == 0
        assert in_force(Mailbox) == 2
        row = "8|10999000011|810999000011|EXEMPLE-LARRIEU|Maëlle|10|Médecin|C|Civil|S|x|SM54|x|"
        path = people_file(tmp_path, row, "", header=headers.SAVOIR_FAIRE, name="PS_LibreAcces_SavoirFaire.txt")
        assert import_rpps([path], ANY_SIZE)[0].run.refused_count == 0

    @pytest.mark.parametrize("bars", [("|", ""), ("", "|"), ("|", "|"), ("", "")])
    def test_a_last_bar_here_or_there(self, tmp_path, bars):
        header, row = bars
        report = mssante(tmp_path, PERSONAL + row, header=headers.MSSANTE + header)
        assert (report.run.refused_count, in_force(Mailbox)) == (0, 1)

    def test_something_behind_the_last_bar_is_no_row(self, tmp_path):
        assert mssante(tmp_path, SHARED, PERSONAL + "|x").run.refused_count == 1


class TestEncodings:
    def test_zip_in_windows_1252_with_the_diplomas(self, tmp_path):
        diplomas = tmp_path / "PS_LibreAcces_Dipl_AutExerc_202611020620.txt"
        diplomas.write_text(
            "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom d'exercice|Prénom d'exercice|"
            "Code type diplôme obtenu|Libellé type diplôme obtenu|\n8|10999000011|810999000011|X|Maëlle|DE|x|\n",
            encoding="cp1252",
        )
        activities = people_file(tmp_path, *PEOPLE, encoding="cp1252")
        reports = import_rpps([files.zipped(tmp_path, diplomas, activities)], ANY_SIZE)
        assert [report.run.kind for report in reports] == ["rpps"]

    def test_utf8_with_a_few_bytes_of_another(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_bytes().replace("Noé".encode(), "Noé".encode("cp1252")))
        with pytest.raises(FileRefused, match="UTF-8"):
            import_rpps([path], ANY_SIZE)
        assert not Professional.objects.exists()

    def test_utf8_cut_in_a_character(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE)
        path.write_bytes(path.read_bytes().rstrip(b"\n") + "é".encode()[:1])
        with pytest.raises(FileRefused, match="tronqué"):
            import_rpps([path], ANY_SIZE)

    def test_windows_1252_that_quotes_utf8_once(self, tmp_path):
        path = people_file(tmp_path, *PEOPLE, changed(NURSE, c9="NoÃ©"), encoding="cp1252")
        import_rpps([path], ANY_SIZE)
        assert Professional.objects.get(rpps="10999000011").given_name == "Maëlle"


class TestTheOrderOfLines:
    @pytest.mark.parametrize("general", [False, True])
    @pytest.mark.parametrize("scattered", [False, True])
    def test_the_speciality_shown(self, tmp_path, monkeypatch, scattered, general):
        if general:
            monkeypatch.setattr(rpps_first, "is_possible", lambda: False)
            monkeypatch.setattr(rpps, "MANY", -1)
        kinds = [("CAPA", "CAPA06"), ("S", "SM54"), ("S", "SM26"), ("CAPA", "CAPA01")]
        lines = [changed(DOCTOR, c14=kind, c16=code) for kind, code in kinds]
        shown = set()
        for turn in range(4):
            Activity.objects.all().delete()
            SavoirFaire.objects.all().delete()
            Professional.objects.all().delete()
            a, b, c, d = lines[turn:] + lines[:turn]
            between = [NURSE] if scattered else []
            import_rpps([people_file(tmp_path, a, *between, b, *between[:0], c, *between, d)], ANY_SIZE)
            shown.add(Activity.objects.get(professional__rpps="10999000011").speciality)
        assert shown == {"SM26"}


class TestOlderFiles:
    def test_by_the_date_of_the_name(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        older = people_file(tmp_path, DOCTOR, name="PS_LibreAcces_Personne_activite_202611010620.txt")
        with pytest.raises(FileRefused, match="--accepter-plus-ancien"):
            import_rpps([older], ANY_SIZE)
        assert in_force(Professional) == 3
        accepted = Options(min_rows=0, accept_gap=True, accept_older=True)
        assert import_rpps([older], accepted)[0].run.ceased_count == 2

    def test_a_file_without_a_date_is_taken(self, tmp_path):
        import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)
        import_rpps([people_file(tmp_path, *PEOPLE, name="ps-libreacces-personne-activite.txt")], ANY_SIZE)
        older = people_file(tmp_path, DOCTOR, name="PS_LibreAcces_Personne_activite_202611010620.txt")
        with pytest.raises(FileRefused, match="02/11/2026"):
            import_rpps([older], ANY_SIZE)

    def test_finess_by_its_content_whatever_the_generation(self, tmp_path):
        path = tmp_path / "finess.json.gz"
        document = {"schemaVersion": "v1.0.0", "generatedAt": "2026-11-01T02:14:23Z", "pmej": [entity()]}
        path.write_bytes(gzip.compress(json.dumps(document).encode()))
        finess(path)
        assert str(Structure.objects.get().seen_on) == "2026-11-01"
        with pytest.raises(FileRefused, match="01/11/2026"):
            finess(csv_file(tmp_path, EHPAD, name="finess.csv"))

    def test_a_refused_file_sets_no_date(self, tmp_path):
        later = people_file(tmp_path, "x", name="PS_LibreAcces_Personne_activite_202711020620.txt")
        with pytest.raises(FileRefused):
            import_rpps([later], ANY_SIZE)
        assert import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)[0].run.state == "fait"

    def test_an_old_file_is_told_not_refused(self, tmp_path):
        old = people_file(tmp_path, DOCTOR, name="PS_LibreAcces_Personne_activite_202001010620.txt")
        report = import_rpps([old], ANY_SIZE)[0]
        assert any("01/01/2020" in message for message in report.messages)


class TestQuotes:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ('"EHPAD """"""LES ESSAIS"""""""', 'EHPAD "LES ESSAIS"'),
            ('EHPAD """"LES ESSAIS""""', 'EHPAD "LES ESSAIS"'),
            ('EHPAD ""LES ESSAIS""', 'EHPAD "LES ESSAIS"'),
            ('""""', ""),
            ('""', ""),
        ],
    )
    def test_runs_of_quotes(self, tmp_path, written, name):
        finess(csv_file(tmp_path, EHPAD.replace('"EHPAD ""LES ESSAIS"""', written)))
        assert Structure.objects.get().short_name == name

    def test_regional(self, tmp_path):
        structures(tmp_path, TEAM.replace("Équipe mobile", '"Équipe """"mobile"""""'))
        assert '""' not in Structure.objects.get().name

    @pytest.mark.parametrize("header", ["identifiant;libelle", "identifiant;libelle;sigle"])
    def test_a_name_on_two_lines_is_refused(self, tmp_path, header):
        end = ";EM" * (header.count(";") - 1)
        report = structures(tmp_path, f'R-1;"Équipe\nmobile"{end}', f"R-2;Autre{end}", header=header)
        assert [line for line, _ in report.refusals] == [2, 3]
        assert "guillemet" in report.refusals[0][1]
        assert Structure.objects.get().name == "Autre"

    def test_the_end_of_a_name_on_two_lines_is_not_somebody_unknown(self, tmp_path):
        structures(tmp_path, "R-1;Équipe", "R-2;Autre", header="identifiant;libelle")
        structures(tmp_path, 'R-1;"Équipe\nmobile"', "R-3;Encore", header="identifiant;libelle")
        names = Structure.objects.filter(ceased_at=None).values_list("name", flat=True)
        assert set(names) == {"Équipe", "Encore"}


class TestMailboxesTiedToAStructure:
    def test_shown_at_that_structure_only(self, tmp_path):
        other = changed(DOCTOR, c18="S", c24="R10999900000007", c20="")
        import_rpps([people_file(tmp_path, DOCTOR, other)], ANY_SIZE)
        mssante(tmp_path, TIED.replace("maelle@", "a@"), PERSONAL)
        shown = dict(Activity.objects.values_list("structure__technical_id", "mss_address"))
        own = "maelle.exemple-larrieu@test.mssante.example"
        assert shown == {"R10999900000001": "a@cabinet.mssante.example", "R10999900000007": own}
        assert Professional.objects.get().mss_address == own

    def test_the_persons_when_the_structure_is_unknown(self, tmp_path):
        import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
        mssante(tmp_path, TIED.replace("R10999900000001", "R000"))
        assert Professional.objects.get().mss_address == "maelle@cabinet.mssante.example"
        assert Activity.objects.get().mss_address == "maelle@cabinet.mssante.example"
