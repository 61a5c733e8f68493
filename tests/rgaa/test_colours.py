"""Contrasts of the tokens of the style sheet, in the light theme and in the dark one (RGAA 3.2, 3.3, 10.5)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.STATICFILES_DIRS[0]) / "css/app.css").read_text()
LIGHT = dict(re.findall(r"--([\w-]+):(#\w{6})", CSS.partition(":root{")[2].partition("}")[0]))
DARK = LIGHT | dict(re.findall(r"--([\w-]+):(#\w{6})", CSS.partition("[data-bs-theme=dark]{")[2].partition("}")[0]))
MATRIX = (Path(settings.STATICFILES_DIRS[0]) / "css/matrix.css").read_text()
LIGHT |= dict(re.findall(r"--(m-[\w-]+):(#\w{6})", MATRIX.partition("}")[0]))
DARK |= dict(re.findall(r"--(m-[\w-]+):(#\w{6})", MATRIX.partition("}")[2].partition("}")[0]))
GROUNDS = ("surface", "fond", "surface-2")
WORDS = [
    *((word, ground) for word in ("encre", "encre-2", "petrole", "refus") for ground in GROUNDS),
    ("petrole", "teinte"), ("petrole-f", "teinte"), ("encre", "teinte"), ("encre-2", "teinte"), ("encre", "marque"),
    ("sur-petrole", "petrole"), ("sur-petrole", "petrole-f"), ("refus", "refus-t"), ("att", "att-t"), ("ok", "ok-t"),
    ("auc", "auc-t"), ("att", "surface"), ("ok", "surface"), ("bandeau-2", "bandeau"), ("bandeau-focus", "bandeau"),
    ("m-e", "m-e-t"), ("m-l", "m-l-t"),
]  # fmt: skip
EDGES = [
    *((edge, ground) for edge in ("champ", "petrole", "refus", "focus") for ground in GROUNDS),
    ("bandeau-focus", "bandeau"), ("bandeau-2", "bandeau"), ("att", "att-t"), ("petrole", "teinte"),
    ("focus", "teinte"), ("m-e", "m-e-t"), ("focus", "m-l-t"), ("focus", "att-t"), ("sur-petrole", "petrole"),
]  # fmt: skip


def light_of(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the ratio of WCAG 2, from 1 (the same colour) to 21 (black on white)."""
    darker, lighter = sorted((light_of(one), light_of(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratio_is_that_of_wcag():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def below(pairs, least):
    return {
        f"{theme}: {one} on {other}": round(contrast(tokens[one], tokens[other]), 2)
        for theme, tokens in (("light", LIGHT), ("dark", DARK))
        for one, other in pairs
        if contrast(tokens[one], tokens[other]) < least
    }


@pytest.mark.req("RGAA")
def test_words_are_read_on_every_ground():
    assert LIGHT["encre"] != DARK["encre"]
    assert below(WORDS, 4.5) == {}


@pytest.mark.req("RGAA")
def test_edges_and_the_ring_of_focus_are_seen():
    assert below(EDGES, 3) == {}
