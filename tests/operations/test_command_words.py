"""Our commands say what they take, and why they refuse it, in French (issue 6, §1)."""

import argparse
import io
import re
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import find_commands, load_command_class
from django.core.management.base import CommandError

from coordination.common import commands
from coordination.runtime.places import ROOT

# Django's own, with our way to wait for a lock.
DJANGOS = {"migrate"}
ENGLISH = re.compile(r"\b(usage:|positional|show this|required|default|invalid|argument)\b")


def ours():
    found = {}
    for app in apps.get_app_configs():
        if Path(app.path).is_relative_to(ROOT) and ".venv" not in app.path:
            found |= dict.fromkeys(find_commands(str(Path(app.path) / "management")), app.name)
    return {name: app for name, app in found.items() if name not in DJANGOS}


OURS = ours()


def parser(name):
    return load_command_class(OURS[name], name).create_parser("manage.py", name)


def refused(name, *arguments):
    """What is written when it is called so from a terminal."""
    command = load_command_class(OURS[name], name)
    command._called_from_command_line = True
    paper = io.StringIO()
    with redirect_stderr(paper), redirect_stdout(paper), pytest.raises(SystemExit) as left:
        command.create_parser("manage.py", name).parse_args(arguments)
    assert left.value.code == 2
    return paper.getvalue()


def test_they_are_all_there():
    assert {"create_account", "import_rpps", "quarantaine", "second_mur", "slo", "recevoir_reponse"} <= set(OURS)
    assert len(OURS) >= 30


@pytest.mark.parametrize("name", OURS)
def test_its_help_is_french_and_complete(name):
    command = load_command_class(OURS[name], name)
    assert isinstance(command, commands.Command)
    assert command.help.endswith(".")
    made = parser(name)
    shown = [one for one in made._actions if one.help is not argparse.SUPPRESS]
    assert [one.dest for one in shown if not one.help] == []
    text = made.format_help()
    assert text.startswith("Usage : manage.py ")
    assert ENGLISH.findall(text.split("\n\n", 1)[1]) == []
    assert "--settings" not in text


def test_each_refusal_is_french_and_says_where_to_look():
    for arguments, said in (
        (["account"], "Il manque : acte, --email, --par. Voir « manage.py account --help »."),
        (["courriels", "xx"], "De trop : xx."),
        (["second_mur", "voir"], "Geste : « voir » n’est pas un choix (monter, baisser)."),
        (["relais", "--annuler", "9"], "--annuler : un identifiant est attendu, pas « 9 »."),
        (["relais", "--annuler"], "--annuler : une valeur est attendue."),
        (["sweep_outbox", "--every", "-3"], "--every : un nombre plus grand que zéro est attendu, pas « -3 »."),
        (["sweep_outbox", "--every", "inf"], "--every : un nombre plus grand que zéro est attendu, pas « inf »."),
        (["import_finess", "x", "--lignes-min", "-3"], "--lignes-min : un nombre entier est attendu, zéro"),
        (["generate_directory", "x", "--structures", "0"], "--structures : un nombre entier plus grand que zéro"),
        (["import_finess", "x", "--lignes", "3"], "plusieurs options commencent ainsi"),
    ):
        found = refused(*arguments)
        assert said in found, found
        assert not ENGLISH.findall(found)


def test_called_by_a_program_a_refusal_is_an_error_it_can_catch():
    with pytest.raises(CommandError, match="De trop|de trop"):
        parser("courriels").parse_args(["xx"])


def test_each_refusal_of_argparse_that_we_translate_is_one_it_says():
    """Read in the library itself: one that it words otherwise would come out in English unseen."""
    source = Path(import_module("argparse").__file__).read_text()
    for words in (
        "the following arguments are required: %s", "unrecognized arguments: %s", "invalid choice: ", "(choose from ",
        "invalid %(type)s value: %(value)r", "expected one argument", "not allowed with argument %s",
        "ambiguous option: %(option)s could match %(matches)s", "argument %(argument_name)s: %(message)s",
    ):  # fmt: skip
        assert words in source, words
