"""From lines of `PS_LibreAcces_Personne_activite` to lines of the staging table.

Two million lines go through here: one split, one pick, one hash each, and nothing looked up twice. The lines
of one person are usually neighbours and are treated together: duplicates of an activity (one line per
savoir-faire) become one staged line. What is not together is put together in SQL (rpps_merge.regroup).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from operator import itemgetter

from coordination.common.text import fold
from coordination.directory.errors import FileRefused
from coordination.directory.imports import normalise
from coordination.directory.imports.headers import PERSON_ACTIVITY
from coordination.directory.imports.staging import MASK, hash64

# A change of what is kept from a line must make every stored hash different.
VERSION = b"1"

REQUIRED = (
    "Identification nationale PP",
    "Nom d'exercice",
    "Code profession",
    "Identifiant technique de la structure",
)
# In the order of `_Row`; a column an older file does not have is read as empty.
COLUMNS = (
    "Type d'identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Code civilité d'exercice",
    "Code civilité",
    "Nom d'exercice",
    "Prénom d'exercice",
    "Code profession",
    "Code catégorie professionnelle",
    "Code type savoir-faire",
    "Code savoir-faire",
    "Code mode exercice",
    "Numéro SIRET site",
    "Numéro SIREN site",
    "Numéro FINESS site",
    "Numéro FINESS établissement juridique",
    "Identifiant technique de la structure",
    "Raison sociale site",
    "Enseigne commerciale site",
    "Complément destinataire (coord. structure)",
    "Complément point géographique (coord. structure)",
    "Numéro Voie (coord. structure)",
    "Indice répétition voie (coord. structure)",
    "Libellé type de voie (coord. structure)",
    "Libellé Voie (coord. structure)",
    "Mention distribution (coord. structure)",
    "Bureau cedex (coord. structure)",
    "Code postal (coord. structure)",
    "Code commune (coord. structure)",
    "Libellé commune (coord. structure)",
    "Code pays (coord. structure)",
    "Téléphone (coord. structure)",
    "Téléphone 2 (coord. structure)",
    "Adresse e-mail (coord. structure)",
    "Code secteur d'activité",
    "Code rôle",
    "Code genre activité",
)

# The staging table, in the order the lines are written.
STAGE_COLUMNS = (
    "n bigint", "pn bigint", "pfirst boolean", "national_id text", "civility text", "practice_civility text",
    "family text", "given text", "phash bigint", "savoir_faire text", "sfam text", "sgiv text", "sflag smallint",
    "skey text", "finess text", "finess_ej text", "siren text", "siret text", "technical text", "ssearch text",
    "shash bigint", "trade_name text", "sname text", "address text", "postal_code text", "town text",
    "commune_code text", "phone text", "email text", "nk bigint", "profession text", "category text",
    "speciality text", "mode text", "genre text", "fonction text", "sector text", "ahash bigint",
)  # fmt: skip
# What the next activities of a person repeat: nothing.
_SAME_PERSON = "f||||||\\N|"
_KNOWN_PLACE = "||||||\\N|"
_NO_PLACE = f"0||{_KNOWN_PLACE}|||||||"

_FOLDED_LIMIT = 200_000


def columns(header: str, known: str, required: Iterable[str], name: str) -> list[str]:
    """Return the column names of a header line. Raises FileRefused when the file is not the expected one.

    Columns are found by name; those known must come in the known order, else names and values may have
    been shifted against each other.
    """
    if header.count(";") > header.count("|") or header.startswith('"') or "\t" in header:
        raise FileRefused(
            f"{name} est une copie passée par un tableur (séparateurs ou guillemets changés) : des zéros et des "
            "numéros y sont perdus. Prenez le fichier d'origine ; rien n'a été modifié."
        )
    found = header.split("|")
    missing = [column for column in required if column not in found]
    if missing:
        raise FileRefused(f"Colonnes absentes de {name} : {', '.join(missing)}. Rien n'a été modifié.")
    expected = [column for column in known.split("|") if column in found and column]
    if [column for column in found if column in set(expected)] != expected:
        raise FileRefused(f"Les colonnes de {name} ne sont pas dans l'ordre connu. Rien n'a été modifié.")
    return found


class ActivityParser:
    """Feeds on lines, gives staging lines. `refuse(line number, reason)` hears of what is left out."""

    def __init__(self, header: str, name: str, refuse: Callable[[int, str], None]) -> None:
        found = columns(header, PERSON_ACTIVITY, REQUIRED, name)
        self.width = len(found)
        # The empty field behind the last bar stands for every column the file lacks.
        self._padded = found[-1] != ""
        index = {column: position for position, column in enumerate(found)}
        self._pick = itemgetter(*(index.get(column, -1) for column in COLUMNS))
        self.salt = line_salt(header)
        self.refuse = refuse
        self.held: set[str] = set()
        self.zeros_lost = self.zeros_kept = 0
        self._key = ""
        self._run: list[tuple[int, int, tuple[str, ...]]] = []
        self._out: list[str] = []
        self._folded: dict[str, str] = {}
        self._places: set[int] = set()
        self._addressed: set[int] = set()

    def feed(self, numbered: Iterable[tuple[int, bytes]], encoding: str) -> str:
        """Return the staging lines that are complete after these lines."""
        width, pick, padded, salt = self.width, self._pick, self._padded, self.salt
        from_bytes = int.from_bytes
        for number, raw in numbered:
            text = raw.decode(encoding)
            if "\\" in text:
                # Typed for "c/o"; and COPY gives the backslash another meaning.
                text = text.replace("\\", "/")
            fields = text.split("|")
            if len(fields) != width:
                self._refuse_shape(number, fields)
                continue
            if padded:
                fields.append("")
            row = pick(fields)
            if row[2] != self._key:
                self._flush()
                self._key = row[2]
            line_hash = from_bytes(blake2b(raw, digest_size=8, salt=salt).digest(), "big") & MASK
            self._run.append((number, line_hash, row))
        text = "".join(self._out)
        self._out.clear()
        return text

    def finish(self) -> str:
        self._flush()
        text = "".join(self._out)
        self._out.clear()
        return text

    def _refuse_shape(self, number: int, fields: list[str]) -> None:
        # What the directory knows of this person must not be marked ceased because one line is unreadable.
        if len(fields) > 2:
            self.held.add(fields[2])
        self.refuse(number, f"{len(fields)} colonnes au lieu de {self.width}")

    def _flush(self) -> None:
        if not self._run:
            return
        run, self._run = self._run, []
        first, _, head = run[0]
        reason = _identity_fault(head)
        if reason:
            for number, _, _ in run:
                self.refuse(number, reason)
            self.held.add(head[2])
            return
        person_hash = 0
        staged: dict[int, list] = {}
        savoir_faire: dict[str, None] = {}
        for number, line_hash, row in run:
            person_hash += line_hash
            if row[9] and row[10]:
                savoir_faire[f"{row[7]},{row[9]},{row[10]}"] = None
            self._stage(staged, number, line_hash, row)
        self._write(first, head, person_hash & MASK, ";".join(savoir_faire), staged)

    def _stage(self, staged: dict[int, list], number: int, line_hash: int, row: tuple[str, ...]) -> None:
        if len(row[7]) > 4 or len(row[8]) > 1 or len(row[10]) > 10 or len(row[11]) > 1 or len(row[35]) > 8:
            self.held.add(row[2])
            self.refuse(number, "un code dépasse la longueur des nomenclatures")
            return
        place = row[16] or _fallback_key(row)
        key = hash64(f"{row[7]}|{row[8]}|{row[11]}|{place}|{row[34]}|{row[35]}|{row[36]}".encode())
        known = staged.get(key)
        if known is None:
            staged[key] = [number, line_hash, row, place, row[9], row[10]]
            return
        known[1] += line_hash
        # The speciality shown is the one of the order, whatever line brings it.
        if row[10] and (not known[5] or (row[9] == "S" and known[4] != "S")):
            known[4], known[5] = row[9], row[10]

    def _write(self, first: int, head: tuple[str, ...], person_hash: int, savoir_faire: str, staged: dict) -> None:
        family, given = self._fold(head[5]), self._fold(head[6])
        person = f"t|{head[2]}|{head[4]}|{head[3]}|{head[5]}|{head[6]}|{person_hash}|{savoir_faire}"
        for key, (number, line_hash, row, place, _, code) in staged.items():
            self._out.append(
                f"{number}|{first}|{person}|{family}|{given}|{self._place(row, place)}|{key}|{row[7]}|{row[8]}|{code}"
                f"|{row[11]}|{row[36]}|{row[35]}|{row[34]}|{line_hash & MASK}\n"
            )
            person = _SAME_PERSON

    def _place(self, row: tuple[str, ...], place: str) -> str:
        """Columns of the structure: its key and address on every line, the rest where it is first met."""
        if not place:
            return _NO_PLACE
        postal, town = row[27], row[29]
        if not (postal and town) and row[26]:
            from_line = normalise.split_route_line(row[26])
            postal, town = postal or from_line[0], town or from_line[1]
        if postal:
            self._watch_zeros(postal, row)
        address = normalise.street(row[21], row[22], row[23], row[24], row[19], row[20], row[25])
        phone = normalise.phone(row[31]) or normalise.phone(row[32])
        mail = normalise.email(row[33]) if row[33] else ""
        name = row[17] or row[18]
        shown = f"{name}|{address}|{postal}|{town}|{row[28]}|{phone}|{mail}"
        flag = self._flag(place, bool(postal or address))
        if not flag:
            return f"0|{place}|{_KNOWN_PLACE}|{shown}"
        numbers = f"{row[14]}|{row[15]}|{row[13] or row[12][:9]}|{row[12]}|{row[16]}"
        content = hash64(f"{numbers}|{shown}|{row[34]}|{row[18]}".encode())
        return f"{flag}|{place}|{numbers}|{fold(f'{row[17]} {row[18]}')}|{content}|{row[18]}|{shown}"

    def _flag(self, place: str, addressed: bool) -> int:
        """1 where a structure is first met, 2 where it is first met with an address after one without."""
        mark = hash(place)
        if mark not in self._places:
            self._places.add(mark)
            if not addressed:
                self._addressed.add(mark)
            return 1
        if addressed and mark in self._addressed:
            self._addressed.discard(mark)
            return 2
        return 0

    def _watch_zeros(self, postal: str, row: tuple[str, ...]) -> None:
        if postal[0] == "0":
            self.zeros_kept += 1
        elif len(postal) == 4 and postal.isdigit() and row[30] in ("", "99000"):
            self.zeros_lost += 1
        if row[12] and not row[12].isdigit() and normalise.SCIENTIFIC.match(row[12]):
            self.zeros_lost += 1_000_000

    def _fold(self, name: str) -> str:
        found = self._folded.get(name)
        if found is None:
            if len(self._folded) > _FOLDED_LIMIT:
                self._folded.clear()
            found = self._folded[name] = fold(name)
        return found


def line_salt(header: str) -> bytes:
    """Salt of the line hashes: the same line under other columns, or read otherwise, is another line."""
    return blake2b(VERSION + header.encode(), digest_size=16).digest()


def _identity_fault(row: tuple[str, ...]) -> str:
    national, kind = row[2], row[0]
    if not national:
        return "sans identification nationale"
    if not (national.isascii() and national.isalnum()) or len(national) > 30:
        return "identification nationale mal formée"
    if kind and national != kind + row[1]:
        return "identification nationale différente du type et du numéro"
    if national[0] == "8" and not (len(national) == 12 and national.isdigit()):
        return "numéro RPPS mal formé"
    return "" if row[5] else "sans nom d'exercice"


def _fallback_key(row: tuple[str, ...]) -> str:
    """Key of a structure without technical identifier (directories.md A.3): FINESS, SIRET, name and address."""
    if row[14]:
        return f"FINESS:{row[14]}"
    if row[12]:
        return f"SIRET:{row[12]}"
    if not (row[17] or row[18]):
        return ""
    written = "|".join((fold(row[17]), fold(row[18]), row[21], fold(row[24]), row[27], row[28]))
    return f"NOM:{hash64(written.encode()):016x}"
