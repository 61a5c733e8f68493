"""Files of an unexpected shape, ending, encoding, order or date: a sentence or a reading, never a traceback."""

import gzip
import json
import uuid

import pytest

from coordination.directory.errors import FileRefused
from coordination.directory.imports import headers, rpps, rpps_first
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.runs import Options
from coordination.directory.models import Activity, ImportRun, Mailbox, Professional, SavoirFaire, Structure
from tests.directory import files
from tests.directory.files import ANY_SIZE, DOCTOR, NURSE, PEOPLE, changed, people_file
from tests.directory.test_import_faults import finess, in_force, mssante, structures
from tests.directory.test_import_finess import EHPAD, MARTINIQUE, csv_file, entity, establishment, json_file
from tests.directory.test_import_mssante import PERSONAL, SHARED
from tests.directory.test_import_structures import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-IMPORT")]


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

    @pytest.mark.asvs("v5.0.0-1.4.2")
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

    def test_what_a_rule_of_the_database_refuses(self, tmp_path, monkeypatch):
        structures(tmp_path, TEAM)
        Structure.objects.update(source_key="")
        same = f"'{uuid.UUID(int=1)}'::uuid"
        monkeypatch.setattr("coordination.directory.imports.structure_rows.new_id", lambda number: same)
        with pytest.raises(FileRefused, match="n'accepte pas"):
            structures(tmp_path, TEAM, TEAM.replace("R-001", "R-002"))
        assert ImportRun.objects.latest("started_at").state == "refuse"

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
