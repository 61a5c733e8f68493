"""`python -m tests.invariants.page`: writes docs/invariants.md from the table."""

import os

import django

from coordination.runtime.places import ROOT

PAGE = ROOT / "docs" / "invariants.md"
HEAD = """# Invariants

Ce qui est toujours vrai, quoi qu’il arrive et quoi qu’on tente : la base de données le tient par une contrainte ou un
déclencheur, et `tests/invariants` l’attaque par trente-deux connexions à la fois (REL-8), en READ COMMITTED et, par
`ISOLATION=SERIALIZABLE`, en SERIALIZABLE (REL-9). « Lignes » : écrites dans la base comme aucun écran ne le ferait ;
« actes » : par la fonction qu’appellent les écrans et l’API, qui dit en français pourquoi elle refuse.

Cette page est écrite par `python -m tests.invariants.page` d’après `tests/invariants/table.py`.
"""


def written() -> str:
    """Return the page as it is to be."""
    from tests.invariants.table import TABLE  # noqa: PLC0415 - reads the models, once Django is ready

    parts, number = [HEAD], 0
    for title, lines in TABLE.items():
        rows = ["| n° | toujours vrai | tenu par | attaqué par |", "|---|---|---|---|"]
        for line in lines:
            number += 1
            held = ", ".join(f"`{name}`" for name in line.holds)
            rows.append(f"| {number} | {line.sentence} | {held} | {'lignes et actes' if line.acts else 'lignes'} |")
        parts.append(f"## {title}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    django.setup()
    PAGE.write_text(written())
