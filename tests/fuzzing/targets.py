"""The parsers of what comes from outside: how each is called, what it may raise, what feeds it spoilt (SECT-19)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from agenda import received_mail
from agenda.ics import caldav
from agenda.ics.errors import CalendarRefused
from agenda.ics.invitations import read_reply
from agenda.ics.reading import busy_times
from agenda.spans import Span
from circle import several
from coordination.directory import search
from coordination.directory.errors import FileRefused
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.mssante import import_mssante
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.structures_csv import import_structures
from coordination.directory.search import typed
from coordination.dossiers import search as dossier_search
from coordination.fhir import formats, validation
from coordination.fhir.outcomes import Refused
from coordination.fhir.search import asking
from habilitations import defaults, spreadsheets
from habilitations.matrix import Matrix
from habilitations.tables import TableRefused, read_table
from tests.directory.files import ANY_SIZE
from tests.fuzzing import seeds

PARIS = ZoneInfo("Europe/Paris")
WINDOW = Span(dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 9, 1, tzinfo=dt.UTC))


class Target(NamedTuple):
    """`call(body, folder)`; `raises`: what it declares, and nothing else may come out."""

    call: Callable[[bytes, Path], object]
    raises: tuple[type[Exception], ...]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()


def _fhir(media: str) -> Callable[[bytes, Path], object]:
    def read(body: bytes, _folder: Path) -> None:
        resource = formats.read(body, media)
        # What is sound is kept, and given back in both formats.
        if not validation.check(resource):
            formats.write_json(resource)
            formats.write_xml(resource)

    return read


def _asked(body: bytes, _folder: Path) -> None:
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    for name in seeds.FHIR_TYPES:
        asking.read(name, pairs)


def _table(name: str) -> Callable[[bytes, Path], object]:
    shipped = defaults.load()
    base = Matrix(1, shipped.levels, shipped.action_rights, shipped.profile_rules)

    def read(body: bytes, _folder: Path) -> None:
        for title, rows in spreadsheets.read_file(name, body).items():
            read_table(rows, base=base, professions=frozenset({"10", "60"}), name=title)

    return read


def _people(body: bytes, _folder: Path) -> None:
    text = body.decode("utf-8", "replace")
    lines = several.read(text)
    several.kept(text, {line.number for line in lines if line.error})


def _text(read: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    return lambda body, _folder: read(body.decode("utf-8", "replace"))


def _file(name: str, load: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def read(body: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(body)
        load(path)

    return read


PURE = {
    "FHIR in JSON": Target(_fhir("json"), (Refused,), seeds.FHIR_JSON, seeds.FHIR_TOKENS),
    "FHIR in XML": Target(_fhir("xml"), (Refused,), seeds.FHIR_XML, seeds.FHIR_TOKENS),
    "a FHIR search": Target(_asked, (Refused,), seeds.FHIR_ASKED, seeds.ASKED_TOKENS),
    "a calendar": Target(
        lambda body, _: busy_times(body, PARIS, WINDOW), (CalendarRefused,), seeds.CALENDARS, seeds.CALENDAR_TOKENS
    ),
    "CalDAV": Target(
        lambda body, _: busy_times(caldav.calendars_in(body), PARIS, WINDOW),
        (CalendarRefused,),
        seeds.MULTISTATUS,
        (*seeds.CALENDAR_TOKENS, *seeds.FHIR_TOKENS[-10:]),
    ),
    "an answer to an invitation": Target(
        lambda body, _: read_reply(body, PARIS), (CalendarRefused,), seeds.REPLIES, seeds.CALENDAR_TOKENS
    ),
    "a mail": Target(
        lambda body, _: read_reply(received_mail.read(body).calendar(), PARIS),
        (CalendarRefused,),
        seeds.MAILS,
        (*seeds.MAIL_TOKENS, *seeds.CALENDAR_TOKENS),
    ),
    "a table in CSV": Target(_table("x.csv"), (TableRefused,), seeds.TABLES, seeds.FILE_TOKENS),
    "a workbook": Target(_table("x.xlsx"), (TableRefused,), seeds.WORKBOOKS, seeds.FILE_TOKENS),
    "people to invite": Target(_people, (), seeds.PEOPLE, seeds.FILE_TOKENS),
    "what is typed in the directory": Target(_text(typed.read), (), seeds.TYPED, seeds.TYPED_TOKENS),
    "what is typed among dossiers": Target(_text(dossier_search.parse), (), seeds.TYPED, seeds.TYPED_TOKENS),
}
# Those that write or ask the database as they read.
STORED = {
    "the search box": Target(
        _text(lambda text: search.search(text, near="81400")), (), seeds.TYPED, seeds.TYPED_TOKENS
    ),
    "RPPS": Target(
        _file("PS_LibreAcces_Personne_activite_202611020620.txt", lambda path: import_rpps([path], ANY_SIZE)),
        (FileRefused,), seeds.RPPS, seeds.FILE_TOKENS,
    ),
    "FINESS in CSV": Target(
        _file("etalab-cs1100502-stock-20260512-0338.csv", lambda path: import_finess(path, ANY_SIZE)),
        (FileRefused,), seeds.FINESS_CSV, seeds.FILE_TOKENS,
    ),
    "FINESS in JSON": Target(
        _file("finess-structures-journalier-20261102.json", lambda path: import_finess(path, ANY_SIZE)),
        (FileRefused,), seeds.FINESS_JSON, (*seeds.FILE_TOKENS, *seeds.FHIR_TOKENS),
    ),
    "FINESS packed": Target(
        _file("finess-structures-journalier-20261102.json.gz", lambda path: import_finess(path, ANY_SIZE)),
        (FileRefused,), seeds.PACKED, seeds.FILE_TOKENS,
    ),
    "MSSanté": Target(
        _file("Extraction_Correspondance_MSSante_202611020620.txt", lambda path: import_mssante(path, ANY_SIZE)),
        (FileRefused,), seeds.MSSANTE, seeds.FILE_TOKENS,
    ),
    "structures of a region": Target(
        _file("structures-2026-11-20.csv", lambda path: import_structures(path, ANY_SIZE)),
        (FileRefused,), seeds.STRUCTURES, seeds.FILE_TOKENS,
    ),
}  # fmt: skip
