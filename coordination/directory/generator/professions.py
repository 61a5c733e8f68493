"""Professions and specialities in the rough proportions of the RPPS, and where each is practised.

Proportions: order of magnitude of the public statistics of the directory (about 2.2 million activities);
what matters here is that filters meet big, small and tiny groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from coordination.common import nomenclatures


@dataclass(frozen=True, slots=True)
class Profession:
    code: str
    weight: int
    # Share of self-employed among those who practise, in percent.
    liberal: int
    women: int
    civility: str = ""
    registrar: str = "ARS/ARS/ARS"


PROFESSIONS = (
    Profession("60", 7300, 20, 87, registrar="CNOI/CNOI/CNOI"),
    Profession("10", 3300, 52, 48, "DR", "CNOM/CNOM/CNOM"),
    Profession("70", 1080, 82, 51, registrar="CNOMK/CNOMK/CNOMK"),
    Profession("21", 1020, 35, 67, "DR", "CNOP/CNOP/CNOP"),
    Profession("93", 1000, 45, 86),
    Profession("35", 700, 0, 90),
    Profession("40", 520, 88, 48, "DR", "CNOCD/CNOCD/CNOCD"),
    Profession("28", 480, 20, 55),
    Profession("86", 450, 0, 76),
    Profession("98", 420, 0, 70),
    Profession("41", 400, 2, 93),
    Profession("39", 380, 0, 88),
    Profession("71", 400, 92, 50),
    Profession("91", 330, 78, 97),
    Profession("50", 300, 34, 97, registrar="CNOSF/CNOSF/CNOSF"),
    Profession("31", 240, 0, 96),
    Profession("51", 230, 2, 70),
    Profession("96", 190, 25, 88),
    Profession("95", 180, 45, 94),
    Profession("94", 170, 25, 87),
    Profession("80", 160, 94, 69, registrar="CNOPP/CNOPP/CNOPP"),
    Profession("37", 160, 0, 97),
    Profession("72", 120, 85, 70),
    Profession("53", 110, 0, 82),
    Profession("38", 90, 0, 80),
    Profession("36", 90, 10, 30),
    Profession("44", 70, 3, 94),
    Profession("92", 65, 65, 85),
    Profession("26", 55, 20, 50),
    Profession("69", 40, 0, 60),
    Profession("99", 35, 0, 75),
    Profession("81", 30, 15, 35),
    Profession("73", 16, 95, 35),
    Profession("82", 12, 30, 45),
    Profession("32", 10, 0, 40),
    Profession("97", 4, 0, 85),
    Profession("84", 1, 30, 40),
)

# (type, code, weight) of the main savoir-faire.
SPECIALITIES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "10": (
        ("S", "SM54", 300), ("S", "SM53", 150), ("S", "SM26", 60), ("S", "SM42", 65), ("S", "SM02", 50),
        ("S", "SM44", 40), ("S", "SM40", 38), ("S", "SM04", 35), ("S", "SM38", 28), ("S", "SM20", 25),
        ("S", "SM24", 20), ("S", "SM59", 25), ("S", "SM25", 24), ("S", "SM15", 19), ("S", "SM08", 18),
        ("S", "SM41", 16), ("S", "SM18", 18), ("S", "SM32", 14), ("S", "SM48", 13), ("S", "SM14", 13),
        ("S", "SM29", 12), ("S", "SM36", 8), ("S", "SM34", 10), ("S", "SM30", 9), ("S", "SM43", 8),
        ("S", "SM62", 9), ("S", "SM27", 9), ("S", "SM49", 9), ("S", "SM37", 6), ("S", "SM12", 6), ("S", "SM19", 5),
        ("S", "SM58", 4), ("S", "SM57", 3), ("S", "SM17", 3), ("S", "SM61", 3), ("S", "SM39", 6), ("", "", 60),
    ),
    "40": (("", "", 90), ("S", "SCD01", 8), ("S", "SCD02", 2), ("S", "SCD03", 1)),
    "60": (("", "", 970), ("S", "SI01", 6), ("S", "SI02", 3), ("S", "SI04", 2), ("S", "SI05", 2), ("S", "SI03", 1)),
    "21": (("", "", 90), ("S", "SM03", 6)),
}  # fmt: skip

# A second savoir-faire some doctors add to the first.
SECONDS = (
    ("CAPA", "CAPA06"), ("CAPA", "CAPA10"), ("CAPA", "CAPA05"), ("CAPA", "CAPA01"), ("CAPA", "CAPA02"),
    ("C", "C35"), ("C", "C05"), ("C", "C33"), ("C", "C25"),
)  # fmt: skip


@cache
def profession_fields(code: str, category: str) -> str:
    """Columns 10 to 13: profession and professional category, codes and labels."""
    return f"{code}|{display('profession', code)}|{category}|{display('categorie_professionnelle', category)}"


@cache
def savoir_faire_fields(kind: str, code: str) -> str:
    """Columns 14 to 17."""
    if not code:
        return "|||"
    return f"{kind}|{display('type_savoir_faire', kind)}|{code}|{display('savoir_faire', code)}"


@cache
def coded(kind: str, code: str) -> str:
    """Code and official label as two adjacent columns."""
    return f"{code}|{display(kind, code)}"


@cache
def display(kind: str, code: str) -> str:
    concept = nomenclatures.get(kind, code)
    return concept.display if concept else ""
