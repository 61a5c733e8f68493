"""`make ease`: the ten tasks as people do them, timed; docs/ease.md.

On the demonstration, as `make run` serves it, in Chromium, with the pauses of tests/ease/hand.py. About ten minutes;
`ARGS="--reckoned"` adds the pauses up instead of waiting (three minutes). `--shots FOLDER` keeps the screen at the end
of each.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import sys
from pathlib import Path

import django

from coordination.runtime.services import embedded
from tests.ease import together

DOCS = Path(__file__).resolve().parents[2] / "docs" / "ease.md"
TITLES = {
    "souris": "À un bureau, 1280 × 800, souris et clavier",
    "doigt": "Au téléphone, 390 × 844, au doigt",
    "clavier": "À un bureau, au clavier seul",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make ease ARGS=")
    parser.add_argument("--reckoned", action="store_true", help="add up the pauses instead of waiting")
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--professionals", type=int, default=20_000, help="of the invented directory")
    parser.add_argument("hands", nargs="*", help="some of: souris, doigt, clavier")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.dev")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    if unknown := set(asked.hands) - set(TITLES):
        parser.error(f"no such hand: {', '.join(sorted(unknown))}")
    hands = [hand for hand in TITLES if hand in (asked.hands or TITLES)]
    with embedded("bench") as given:
        os.environ.update(given)
        django.setup()
        logging.disable(logging.WARNING)
        found = together.everybody(hands, asked)
    print(page(found, asked))
    if len(found) == len(TITLES):
        DOCS.write_text(page(found, asked))
    return 0


# ---- docs/ease.md ----


def page(found, asked) -> str:
    """Return docs/ease.md, of {hand: Done}."""
    lines = [
        "# Dix tâches, en clics et en secondes",
        "",
        f"`make ease`, {dt.date.today():%d/%m/%Y}, {os.cpu_count()} cœurs. Écrit par tests/ease : à ne pas modifier.",
        "Les tâches sont celles que décrit le guide « Cercle de soins » de SPICO. Elles se font dans Chromium, sur la",
        f"démonstration ({asked.professionals} professionnels inventés), telle que `make run` la sert.",
        "",
        *_compared(found),
        "",
        *_detailed(found),
        "",
        METHOD,
        RECKONED if asked.reckoned else WAITED,
    ]
    return "\n".join(lines) + "\n"


def _compared(found):
    from tests.ease.tasks import TASKS

    yield "| tâche | SPICO, clics | ici, clics | au téléphone | écrans SPICO | ici | demandé en plus ici |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for task in TASKS:
        done = [found[hand].tallies[task.key] if hand in found else None for hand in ("souris", "doigt")]
        cells = [task.title, task.spico_clicks, *(tally.clicks if tally else "–" for tally in done), task.screens,
                 done[0].screens if done[0] else "–", task.more]  # fmt: skip
        yield f"| {' | '.join(map(str, cells))} |"
    ours = [list(found[hand].tallies.values()) if hand in found else [] for hand in ("souris", "doigt")]
    total = [sum(task.spico_clicks for task in TASKS), *(sum(tally.clicks for tally in tallies) for tallies in ours),
             sum(task.screens for task in TASKS), sum(tally.screens for tally in ours[0])]  # fmt: skip
    yield f"| **en tout** | {' | '.join(f'**{count}**' for count in total)} | |"


def _detailed(found):
    from tests.ease.tasks import TASKS

    for hand, done in found.items():
        tallies = done.tallies
        yield f"## {TITLES[hand]}"
        yield ""
        yield "| tâche | clics | champs pointés | touches | défilements | écrans | secondes |"
        yield "|---|---:|---:|---:|---:|---:|---:|"
        for task in TASKS:
            tally = tallies[task.key]
            counts = (tally.clicks, tally.fields, tally.keys, tally.scrolls, tally.screens, f"{tally.seconds:.0f}")
            yield f"| {task.title} | {' | '.join(map(str, counts))} |"
        yield f"| **en tout** | | | | | | **{sum(tally.seconds for tally in tallies.values()):.0f}** |"
        yield ""
        yield _answered(done.answers)
        yield ""
    yield "## Ce que dit le guide, compté"
    yield ""
    yield "| tâche | où | clics nommés |"
    yield "|---|---|---|"
    for task in TASKS:
        said = ", ".join(f"{what} ({count})" for what, count in task.spico)
        yield f"| {task.title} | {task.section} | {said} |"


def _answered(answers: dict[str, list[float]]) -> str:
    """Say how long an act waits for what it shows (PERF-20)."""
    words = {"page": "pages (première image)", "piece": "fragments mis en place"}
    said = []
    for kind, times in answers.items():
        times = sorted(times)
        if times:
            late = times[min(len(times) - 1, int(len(times) * 0.95))]
            said.append(f"{len(times)} {words[kind]}, médiane {times[len(times) // 2]:.0f} ms, p95 {late:.0f} ms")
    return f"Réponses du produit : {' ; '.join(said)} (but : 100 ms au p95, sur cette machine)."


METHOD = """\
## Comment c’est compté

* **Un clic** agit ou choisit : bouton, lien, onglet, curseur, proposition. Une liste déroulante en vaut deux
  (l’ouvrir, y prendre une ligne). Mettre le curseur dans un champ est compté à part : le guide de SPICO ne le
  dit pas.
* **SPICO** n’a pas été essayé : ses clics sont ceux que son guide nomme, et un pour ouvrir la fenêtre
  « Modifier », que le guide montre sans dire d’où elle s’ouvre. Il n’y a donc pas de secondes dans sa colonne.
* **Les secondes** sont celles d’une horloge, de la première décision à l’écran de fin, réponses du produit
  comprises. Le script attend comme une personne exercée (modèle de Card, Moran et Newell, 1980) : 0,2 s par
  touche, 1,35 s avant chaque geste pour se décider, 1,1 s pour pointer, 0,2 s pour presser, 0,4 s quand la main
  passe du clavier à la souris ou en revient, 0,6 s par défilement. Le doigt a les mêmes durées ; il touche
  chaque champ, quand au bureau Tab mène au suivant s’il est à deux pas. C’est un modèle : aucune personne n’a
  été chronométrée.
* **Un écran** est une page, celle du départ comprise ; chez SPICO, une page ou une fenêtre montrée.
* On saisit le nom, le prénom, un moyen de contact et le rôle ; le reste est facultatif ici comme là.
* `tests/ease/test_ease.py` refait les tâches sans attendre, sur une petite base, avec une main tirée au sort,
  et refuse un clic de plus que ceux du premier tableau."""

WAITED = "* Le script a réellement attendu chacune de ces pauses."
RECKONED = "* Le script n’a pas attendu ces pauses : elles sont ajoutées au temps que le produit a pris."


if __name__ == "__main__":
    sys.exit(main())
