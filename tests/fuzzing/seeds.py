"""Sound inputs that hold the constructs of each format: what is spoilt from there goes further than chance would."""

from __future__ import annotations

import gzip
import io
import json

from openpyxl import Workbook

from coordination.directory.imports import headers
from coordination.fhir import formats
from tests.directory.files import DOCTOR, NURSE, PSYCHOLOGIST
from tests.directory.test_import_finess import EHPAD, MARTINIQUE, entity, establishment
from tests.directory.test_import_mssante import PERSONAL, SHARED, TIED
from tests.directory.test_import_structures import HEADER, KNOWN, TEAM
from tests.fhir.samples import TYPES, sample

FHIR_JSON = [formats.write_json(sample(name)) for name in TYPES]
FHIR_XML = [formats.write_xml(sample(name)) for name in TYPES]
FHIR_TOKENS = (
    b'"resourceType": "Patient",',
    b'"resourceType": "Bundle", "entry": [{"resource": {}}],',
    b'"contained": [{}],',
    b'"extension": [{"url": "x", "valueString": 1}],',
    b'"modifierExtension": [],',
    b'"_status": {"id": ""},',
    b"1.0e400",
    b'"birthDate": "2026-02-30",',
    b'"id": "../x",',
    b'"div": "<div><script/></div>",',
    b'"meta": {"profile": [null]},',
    b"\\ud800",
    b"\\u0000",
    b'"reference": "#",',
    b'"start": "24:00",',
    b'"value": -0,',
    b'"__proto__": {},',
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"<?xml-stylesheet?>",
    b"<![CDATA[x]]>",
    b"&#0;",
    b"&#x10FFFF;",
    b' xmlns="urn:x"',
    b"<div xmlns='http://www.w3.org/1999/xhtml'><a href='javascript:x'/></div>",
    b'<value value="',
    b"</",
    b"/>",
)
FHIR_ASKED = [
    b"name:contains=a,b&birthdate=ge2026-01-31&_sort=-name&_count=20&_include=CareTeam:subject&_elements=id",
    b"identifier=urn:oid:1.2.3|4&patient.name=x&_has:RelatedPerson:patient:_id=1&_revinclude=*&_total=accurate",
    b"date=ap2026-01-31T10:00:00%2B01:00&date=sa2026&status:not=booked&_summary=count&_lastUpdated=lt2026-13",
]
ASKED_TOKENS = (
    b"&",
    b"=",
    b":",
    b"|",
    b",",
    b"\\",
    b"$",
    b"ge",
    b"eb",
    b":missing=true",
    b":identifier=|",
    b"_has:",
    b"%00",
)
FHIR_TYPES = (
    "CareTeam",
    "Patient",
    "RelatedPerson",
    "Appointment",
    "Schedule",
    "Slot",
    "Practitioner",
    "Organization",
)

_HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//FR\r\n"
_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Custom\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;"
    "BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)
_EVENTS = (
    "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T000000Z\r\nDTSTART;TZID=Custom:20260310T100000\r\nDURATION:PT1H30M\r\n"
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20270101T000000Z;WKST=MO\r\nEXDATE;TZID=Custom:20260312T100000\r\n"
    "RDATE;VALUE=PERIOD:20260315T100000Z/PT2H,20260316T100000Z/20260316T120000Z\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Custom:20260324T100000\r\nDTSTART:20260324T110000Z"
    "\r\nDTEND:20260324T120000Z\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260311\r\nDTEND;VALUE=DATE:20260313\r\nTRANSP:TRANSPARENT\r\n"
    "RRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR;COUNT=24\r\nSUMMARY:Réunion\\, salle 2\r\n  suite\r\n"
    "END:VEVENT\r\n"
    "BEGIN:VFREEBUSY\r\nDTSTART:20260301T000000Z\r\nFREEBUSY;FBTYPE=BUSY:20260302T080000Z/PT3H\r\nEND:VFREEBUSY\r\n"
)
CALENDARS = [(_HEAD + body + "END:VCALENDAR\r\n").encode() for body in (_ZONE + _EVENTS, _EVENTS, _ZONE)]
CALENDAR_TOKENS = (
    b"\r\n",
    b"\r\n ",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"END:VCALENDAR\r\n",
    b"RRULE:FREQ=SECONDLY\r\n",
    b"RRULE:FREQ=MINUTELY;INTERVAL=1;COUNT=99999999\r\n",
    b"RRULE:FREQ=YEARLY;BYYEARDAY=366\r\n",
    b";BYSETPOS=400",
    b"RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5;BYSECOND=0,1,2,3,4\r\n",
    b";INTERVAL=0",
    b"RRULE:FREQ=WEEKLY;BYDAY=53MO\r\n",
    b"DTSTART:00010101T000000\r\n",
    b"DTSTART:99991231T235959Z\r\n",
    b"DURATION:-P1W\r\n",
    b"DURATION:P99999999999D\r\n",
    b"TZID=../../etc/passwd",
    b"TZID=",
    b"TZOFFSETTO:+9999\r\n",
    b";VALUE=DATE",
    b"/PT",
    b"RDATE:" + b"20260315T100000Z," * 200 + b"\r\n",
    b"X;" * 200,
    b"20260230T250000",
)
MULTISTATUS = [
    b'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response>'
    b"<d:href>/a</d:href><d:propstat><d:prop><c:calendar-data>"
    + CALENDARS[1]
    + b"</c:calendar-data></d:prop></d:propstat>"
    b"</d:response></d:multistatus>"
]
_REPLY = (
    "METHOD:{}\r\nBEGIN:VEVENT\r\nATTENDEE;PARTSTAT=ACCEPTED;CN=x:mailto:a@ms-exemple.example\r\nORGANIZER:mailto:"
    "agenda+1@dossier.example\r\nUID:1@dossier.example\r\nSEQUENCE:2\r\nDTSTAMP:20260301T000000Z\r\nDTSTART:20260310T100000Z"
    "\r\nDTEND:20260310T110000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
REPLIES = [(_HEAD + _REPLY.format(method)).encode() for method in ("REPLY", "COUNTER")]
_MAIL = """From: =?utf-8?q?In=C3=A8s?= <a@ms-exemple.example>
To: agenda+1@dossier.example, "x, y" <b@ms-exemple.example>
Subject: x
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="zz"

--zz
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

=E9
--zz
Content-Type: text/calendar; charset="utf-8"; method=REPLY
Content-Transfer-Encoding: 8bit

"""
MAILS = [_MAIL.replace("\n", "\r\n").encode() + REPLIES[0] + b"--zz--\r\n"]
MAIL_TOKENS = (
    b"Content-Type: multipart/mixed; boundary=zz\r\n",
    b"\r\n--zz\r\n",
    b"--zz--",
    b"Content-Transfer-Encoding: base64\r\n",
    b"=?utf-8?b?////?=",
    b"=?utf-7?q?x?=",
    b"charset=undefined",
    b"charset*=utf-8''%ff",
    b'boundary=""',
    b"From: a@b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"To: " + b"(" * 300,
    b"To: " + b"<a@b>," * 300,
    b"Content-Type: text/calendar",
)


def _workbook(rows: list[list[str]]) -> bytes:
    book, paper = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(paper)
    return paper.getvalue()


_TABLES = [
    [["profil", "identite", "cercle"], ["medecin", "lecture", "ecriture"], ["infirmier", "", "aucun"]],
    [["profession", "fonction", "profil"], ["10", "", "medecin"], ["60", "", "infirmier"]],
]
TABLES = ["\n".join(";".join(row) for row in rows).encode() for rows in _TABLES]
WORKBOOKS = [_workbook(rows) for rows in _TABLES]
PEOPLE = [
    "adresse;nom;prénom;profession\nn.echantillon@ms-segala.example;Échantillon;Nadia;Médecin\n".encode(),
    'a@ms-exemple.example\tNOM\tPrénom\t60\nb@ms-exemple.example,"Nom, autre",Luc,coordinatrice\n'.encode(),
]
TYPED = [
    "Échantillon-Martin Carmaux 81400".encode(),
    "dr d'essai infirmière toulouse 10999000011".encode(),
    b"+33 6 39 98 20 55 a.b@ms-exemple.example",
    b"MARTIN 14 mars 1941 2 55 08 14 168 025 38",
]
_PIECES = (
    " |-|'|’|st |ehpad |81|2A004|œ|İ|ﬃ|\u0301|٣|%|_|:*|& !|\\|((((|31/02/2026|1941|médecin |ÿ|ß|\u202e|"
    "1 2 3 4 5 6 7 8 9"
)
TYPED_TOKENS = tuple(piece.encode() for piece in _PIECES.split("|"))


def _file(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


RPPS = [_file(headers.PERSON_ACTIVITY, DOCTOR, NURSE, PSYCHOLOGIST)]
FINESS_CSV = [_file("finess;etalab;111;2026-05-12", EHPAD, MARTINIQUE)]
FINESS_JSON = [
    json.dumps(
        {
            "schemaVersion": "v1.0.0",
            "generatedAt": "",
            "gco": [],
            "gcc": [],
            "pmej": [entity("810999990", establishment(), establishment("810999998", state="I")), entity("310999990")],
        },
        ensure_ascii=False,
    ).encode()
]
MSSANTE = [_file(headers.MSSANTE, PERSONAL, SHARED, TIED)]
STRUCTURES = [_file(HEADER, TEAM, KNOWN)]
FILE_TOKENS = (
    b"|",
    b";",
    b'"',
    b'""',
    b"\n",
    b"||||||||",
    b";;;;;;;;",
    b"\x81",
    b"\xe9",
    b"8|10999000011|",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b'"pmej": null',
    b'{"ege": 1}',
    b"[[",
    b"10888000001",
)
PACKED = [gzip.compress(FINESS_JSON[0], mtime=0)]
