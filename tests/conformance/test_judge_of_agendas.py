"""What the HL7 validator says of agendas, with the packages of their guide (GAP-44, 61, 91)."""

import re
import tomllib

import pytest

from tests.conformance import judge, of_agendas

EXPLAINED = tomllib.loads((judge.HOME / "warnings_of_agendas.toml").read_text())


def known(said, kind):
    return any(
        re.search(one["id"], said.id) and re.search(one.get("message", ""), said.message) for one in EXPLAINED[kind]
    )


def errors(report, under):
    return [said for said in report.of("error", under) if not known(said, "lenient")]


def test_what_is_wrong_on_purpose_turns_the_judge_red(report_of_agendas):
    red = {said.file for said in errors(report_of_agendas, "planted/wrong/")}
    assert red == {file for file in report_of_agendas.files if file.startswith("planted/wrong/")}
    assert len(red) == len(of_agendas.WRONG)


def test_what_is_right_stays_green(report_of_agendas):
    assert [str(said) for said in errors(report_of_agendas, "planted/right/")] == []


@pytest.mark.req("GAP-91")
def test_the_examples_of_the_guide_are_right(report_of_agendas):
    assert [str(said) for said in errors(report_of_agendas, "guide/")] == []


@pytest.mark.req("GAP-44", "GAP-61")
def test_no_error_in_anything_the_server_wrote(report_of_agendas):
    written = [file for file in report_of_agendas.files if file.startswith("captured/")]
    kinds = sorted({file.removeprefix("captured/").partition("-")[0] for file in written})
    print(f"\njudged: {len(written)} files ({', '.join(kinds)}) in {report_of_agendas.seconds:.0f} s")
    assert {"Appointment", "Bundle", "Schedule", "Slot"} <= set(kinds)
    assert [str(said) for said in errors(report_of_agendas, "captured/")] == []


def test_every_warning_is_explained(report_of_agendas):
    warnings = [str(said) for said in report_of_agendas.of("warning", "captured/") if not known(said, "warning")]
    assert warnings == []


def test_value_sets_that_were_not_verified_are_named(report_of_agendas):
    assert {url.rpartition("/")[2] for url in report_of_agendas.unverified} == set(
        EXPLAINED["unverified"]["value_sets"]
    )


@pytest.mark.parametrize("one", EXPLAINED["warning"] + EXPLAINED["lenient"], ids=lambda one: one["id"])
def test_an_explanation_says_why(one):
    assert len(one["why"]) > 20
