"""A member as a vCard (RFC 6350), written so that telephones that only know version 3.0 read it too.

Nothing of the person followed: no role in the care, no link with her, no free text.
"""

from __future__ import annotations

import re

from circle import roles
from circle.lines import MemberRow

CONTENT_TYPE = "text/vcard; charset=utf-8"
LINE_OCTETS = 75
_ESCAPED = re.compile(r"[\\,;]")
_BREAKS = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def write_vcard(row: MemberRow) -> bytes:
    """Return the vCard of a member as its reader sees him: no more than the screen shows."""
    place = "home" if row.kind == roles.PERSON else "work"
    lines = ["BEGIN:VCARD", "VERSION:4.0", *_names(row)]
    if row.phone:
        lines.append(f"TEL;TYPE={place},voice:{escape(row.phone)}")
    if row.mobile:
        lines.append(f"TEL;TYPE=cell,voice:{escape(row.mobile)}")
    if row.email:
        lines.append(f"EMAIL;TYPE={place}:{escape(row.email)}")
    if row.mss_address:
        lines += [f"item1.EMAIL;TYPE=work:{escape(row.mss_address)}", "item1.X-ABLabel:MSSanté"]
    if row.address or row.town:
        parts = ("", "", row.address, row.town, "", row.postal_code, "")
        lines.append(f"ADR;TYPE={place}:{';'.join(map(escape, parts))}")
    lines.append("END:VCARD")
    return b"".join(map(fold_line, lines))


def _names(row: MemberRow) -> list[str]:
    if row.kind == roles.STRUCTURE:
        return ["KIND:org", f"FN:{escape(row.name)}", "N:;;;;", f"ORG:{escape(row.name)}"]
    said = [
        "KIND:individual",
        f"FN:{escape(row.name)}",
        f"N:{escape(row.family_name)};{escape(row.given_name)};;;",
    ]
    if row.structure_name:
        said.append(f"ORG:{escape(row.structure_name)}")
    if row.is_professional and row.profession:
        said.append(f"TITLE:{escape(row.profession)}")
    return said


def escape(text: str) -> str:
    r"""Return the text as a value: "\", "," and ";" after a "\", line ends as "\n", no control character."""
    escaped = _ESCAPED.sub(lambda found: "\\" + found[0], text)
    return _CONTROL.sub("", _BREAKS.sub(r"\\n", escaped))


def fold_line(line: str) -> bytes:
    """Return the line in pieces of 75 octets at most, no letter cut in two, each ended by CRLF."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        # A piece that continues begins with one space.
        if len(piece) + len(octets) > LINE_OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece, b""])
