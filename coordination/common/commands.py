"""The base of our commands: what they take and why they refuse it is said in French, like what they answer.

Django's and argparse's own words are English, and seven options of Django's that no operator uses hide ours.
"""

from __future__ import annotations

import argparse
import re
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

# What argparse says: what we say. `\1` is the option or the argument.
_REFUSALS: Final = (
    (re.compile(r"the following arguments are required: (.+)"), r"il manque : \1"),
    (re.compile(r"unrecognized arguments: (.+)"), r"de trop : \1"),
    (
        re.compile(r"argument (.+?): invalid choice: '?(.*?)'? \(choose from (.+)\)"),
        r"\1 : « \2 » n’est pas un choix (\3)",
    ),
    (
        re.compile(r"argument (.+?): invalid int value: '(.*)'"),
        r"\1 : un nombre entier est attendu, pas « \2 »",
    ),
    (re.compile(r"argument (.+?): invalid float value: '(.*)'"), r"\1 : un nombre est attendu, pas « \2 »"),
    (
        re.compile(r"argument (.+?): invalid UUID value: '(.*)'"),
        r"\1 : un identifiant est attendu, pas « \2 »",
    ),
    (re.compile(r"argument (.+?): expected (?:at least )?one argument"), r"\1 : une valeur est attendue"),
    (re.compile(r"argument (.+?): not allowed with argument (.+)"), r"\1 : pas avec \2"),
    (
        re.compile(r"ambiguous option: (.+?) could match (.+)"),
        r"\1 : plusieurs options commencent ainsi (\2)",
    ),
    (re.compile(r"argument (.+?): (.+)"), r"\1 : \2"),
)
_HEADINGS: Final = {"positional arguments": "arguments"}


class _Help(DjangoHelpFormatter):
    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage : " if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        super().start_section(_HEADINGS.get(heading or "", heading))


class _Parser(CommandParser):
    def error(self, message: str) -> NoReturn:
        said = in_french(message)
        if self.called_from_command_line:
            self.print_usage()
            self.exit(2, f"{said[:1].upper()}{said[1:]}. Voir « {self.prog} --help ».\n")
        super().error(said)


class Command(BaseCommand):
    """As Django's; with help and refusals in French."""

    suppressed_base_arguments = {
        "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
        "--skip-checks",
    }  # fmt: skip

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, add_help=False, formatter_class=_Help, **kwargs)
        # Django names its class of parser and lets nobody give another.
        parser.__class__ = _Parser
        parser.add_argument("-h", "--help", action="help", default=argparse.SUPPRESS, help="afficher cette aide")
        return parser


def in_french(message: str) -> str:
    """Say a refusal of argparse in French; one that we do not know stays as it is."""
    for pattern, said in _REFUSALS:
        if found := pattern.fullmatch(message):
            return found.expand(said).replace("'", "")
    return message


def above_zero(text: str) -> float:
    """An option that takes a number above zero. Raises ArgumentTypeError, in French."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"un nombre plus grand que zéro est attendu, pas « {text} »")
    return value


def whole_above_zero(text: str) -> int:
    """The same, without a part after the comma."""
    if not whole(text):
        raise argparse.ArgumentTypeError(f"un nombre entier plus grand que zéro est attendu, pas « {text} »")
    return int(text)


def whole(text: str) -> int:
    """An option that takes a whole number, zero included."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"un nombre entier est attendu, zéro ou plus, pas « {text} »")
    return int(text)
