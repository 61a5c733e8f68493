"""The sizing, as docs/scale.md and the terminal say it: French, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from coordination.common.french import date_fr
from coordination.operations.measuring import Measures
from coordination.operations.sizing import Act, Inputs, Sized, Weight, size, unmeasured

BEGIN = "<!-- manage.py sizing : début -->"
END = "<!-- manage.py sizing : fin -->"
HEAVIEST = 15
# The months of the journal are cut in so many where one would be too heavy (quality-goals.md, « Scale »).
HASHED_IN = 16
UNITS = ((1e12, "To"), (1e9, "Go"), (1e6, "Mo"), (1e3, "ko"))


def page(inputs: Inputs, measures: Measures) -> str:
    """Return the whole report, without its marks."""
    sized = [size(scenario, inputs, measures) for scenario in inputs.scenarios]
    parts = (
        [_measured_on(measures)],
        ["### Ce que coûte un dossier actif, par an", "", *_of_one(inputs, sized)],
        ["### Ce qu’il faut", "", *_scenarios(inputs, sized)],
        ["### Par famille de tables, après un an", "", *_families(inputs, sized)],
        ["### Ce que pèse une ligne", "", *_rows(inputs, measures)],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def put_in(path: Path, text: str) -> None:
    """Replace what is between the two marks of a file. Raises ValueError when it has not both."""
    before, mark, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"{path.name} n’a pas les deux marques {BEGIN} et {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def between_marks(text: str) -> str:
    """Return the generated part of a page."""
    return text.partition(BEGIN)[2].partition(END)[0].strip() + "\n"


def _measured_on(measures: Measures) -> str:
    dossiers, members = (measures.tables[name].rows for name in ("dossiers_dossier", "circle_member"))
    lines = measures.tables["habilitations_trace"].rows
    return (
        f"Mesuré le {date_fr(measures.date)} sur PostgreSQL {measures.server} : {_number(dossiers)} dossiers, "
        f"{_number(members)} membres, {_number(lines)} lignes de journal."
    )


def _of_one(inputs: Inputs, sized: Sequence[Sized]) -> list[str]:
    # Any scenario whose dossiers are all active says what one holds; the first does.
    one, goal = sized[0], inputs.goal
    held, seconds = one.bytes_of_one(), inputs.seconds_a_year()
    rows = [
        (
            "Base de données, après un an",
            f"{_number(held / 1e3)} ko",
            f"≤ {_number(goal['bytes'] / 1e3)} ko",
            _kept(held <= goal["bytes"]),
        ),
        (
            "Processeur, web et base",
            f"{_decimal(seconds)} s",
            f"≤ {_decimal(goal['seconds'])} s",
            _kept(seconds <= goal["seconds"]),
        ),
    ]
    return [
        *_table(("", "Coût", "Objectif (SCALE-16)", "Tenu"), rows),
        "",
        *_table(("Acte", "Par an", "Un seul", "Dans l’année", "Mesure"), [_act(act, inputs) for act in inputs.acts]),
    ]


def _act(act: Act, inputs: Inputs) -> tuple[str, ...]:
    each = act.milliseconds(inputs.cores)
    return (
        act.says,
        _number(act.per_year),
        f"{_decimal(each)} ms",
        f"{_decimal(act.per_year * each / 1000)} s",
        f"{act.file}, « {act.line} », {date_fr(act.date)}",
    )


def _scenarios(inputs: Inputs, sized: Sequence[Sized]) -> list[str]:
    def journal(one: Sized) -> float:
        return one.families["journal"].added / 12

    lines = (
        ("Dossiers", lambda one: _number(one.scenario.dossiers)),
        ("dont actifs dans l’année", lambda one: _number(one.scenario.active)),
        ("Lignes, après un an", lambda one: _number(one.whole.rows)),
        ("Base, après un an", lambda one: _bytes(one.whole.bytes)),
        ("Base, par an ensuite", lambda one: _bytes(one.whole.added)),
        ("Journal, par mois", lambda one: _bytes(journal(one))),
        (f"Journal, un mois coupé en {HASHED_IN}", lambda one: _bytes(journal(one) / HASHED_IN)),
        ("Actes par seconde, à la pointe", lambda one: _number(one.acts)),
        ("Lignes écrites par seconde, à la pointe", lambda one: _number(one.writes)),
        ("Cœurs, à la pointe", lambda one: _decimal(one.processors)),
        ("dont PostgreSQL", lambda one: _decimal(one.database)),
    )
    rows = [(says, *(told(one) for one in sized)) for says, told in lines]
    return [
        *(f"- **{one.scenario.key}** : {one.scenario.says}." for one in sized),
        "",
        *_table(("", *(one.scenario.key for one in sized)), rows),
    ]


def _families(inputs: Inputs, sized: Sequence[Sized]) -> list[str]:
    rows = [
        (
            family.says,
            family.key,
            *(
                f"{_number(one.families[family.name].rows)} ; {_bytes(one.families[family.name].bytes)}"
                for one in sized
            ),
        )
        for family in inputs.families
    ]
    planned = [
        f"{one.says} : {_number(one.per_dossier)} par dossier, {_number(one.bytes)} octets chacune, supposés."
        for one in inputs.planned
    ]
    return [
        *_table(("Famille", "Clé", *(f"{one.scenario.key} : lignes ; octets" for one in sized)), rows),
        "",
        *planned,
    ]


def _rows(inputs: Inputs, measures: Measures) -> list[str]:
    heaviest = sorted(measures.tables.items(), key=lambda item: (-item[1].bytes, item[0]))[:HEAVIEST]
    rows = [
        (f"`{name}`", _number(one.rows), f"{'≈ ' if one.estimated else ''}{_number(one.per_row)}")
        for name, one in heaviest
    ]
    empty = unmeasured(inputs, measures)
    said = [
        "",
        "≈ : trop peu de lignes pour diviser la taille de la table ; estimé par leur largeur et le nombre d’index.",
    ]
    if empty:
        named = ", ".join(f"`{name}`" for name in empty)
        said += ["", f"Sans ligne dans cette base, donc comptées pour rien : {named}."]
    return [*_table(("Table", "Lignes", "Octets par ligne, index compris"), rows), *said]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join(['---', *['---:'] * (len(head) - 1)])}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _weight(one: Weight) -> str:
    return f"{_number(one.rows)} ; {_bytes(one.bytes)}"


def _kept(yes: bool) -> str:
    return "oui" if yes else "**NON**"


def _number(value: float) -> str:
    """Return 12 345, with three significant figures above a million: no more is known of it."""
    if value >= 1e9:
        return f"{_decimal(value / 1e9)} milliards"
    if value >= 1e6:
        return f"{_decimal(value / 1e6)} M"
    return f"{value:,.0f}".replace(",", " ")


def _decimal(value: float) -> str:
    """Return one decimal under a hundred, none above, none when it is a zero."""
    said = f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return said.removesuffix(".0").replace(",", " ").replace(".", ",")


def _bytes(value: float) -> str:
    for unit, name in UNITS:
        if value >= unit:
            return f"{_decimal(value / unit)} {name}"
    return f"{_number(value)} octets"
