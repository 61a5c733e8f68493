"""The looks of drawn.py and tree.py find what is planted in a page, and nothing in a page without a fault."""

import pytest

from tests import axe
from tests.rgaa import apart, drawn, tree

pytestmark = [pytest.mark.browser, pytest.mark.req("RGAA")]
GOOD = """<!DOCTYPE html><html lang="fr"><head><title>Essai</title></head><body>
<header><a href="/">Accueil</a></header><main><h1>Essai</h1><h2>Gens</h2>
<table><caption>Gens</caption><tr><th scope="row">Un</th><td><a href="/un">Modifier Un</a></td></tr></table>
<fieldset><legend>Matin</legend><label>De <input name="a"></label></fieldset>
<fieldset><legend>Soir</legend><label>De <input name="b"></label></fieldset>
<button type="button" aria-label="Retirer Un"><svg aria-hidden="true" width="9" height="9"></svg></button>
<p>Des mots.</p></main></body></html>"""
# A change to that page, and a word of what is said of it.
TOLD = [
    (' aria-label="Retirer Un"', "", "a button without a name"), ("Modifier Un", "Modifier", "does not say of what"),
    ("<main>", '<main></main><main>', "2 main"), ("h2>", "h3>", "from level 1"), ("<h1>Essai</h1>", "", "headings"),
    ("Soir", "Matin", "two textboxs"), ('</p>', ' <a href="/x">Accueil</a></p>', "two links"),
    ("<h2>Gens</h2>", "<h2></h2>", "an empty heading"),
    ("<label>De <input name=\"a\"></label>", "<input>", "a textbox"),
]  # fmt: skip
LAID = [
    ("<p>", '<p id="wide">', "#wide{width:3000px}", "too wide"),
    ("<p>", '<p id="cut">', "#cut{width:2rem;overflow:hidden;white-space:nowrap}", "cut: P"),
    ("<p>", '<p>Un autre.</p><p id="over">', "#over{margin-top:-2.2rem}", "« Un autre"),
]


FAINT = [
    ("<svg", '<svg class="icon"', ".icon{fill:#999;background:#fff}", "svg.icon"),
    ("<input", "<input", "input{border:1px solid #ccc;background:#fff}", "input."),
    ('<a href="/un"', '<a href="/un"', "a:focus{outline:3px solid #ccc}", "ring of a."),
    ("<button", "<button", "button:focus{outline:3px solid #777;outline-offset:-5px} button{background:#555}",
     "ring of button."),
]  # fmt: skip


@pytest.fixture(scope="module")
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("before", "after", "said"), [("Essai", "Essai", ""), *TOLD])
def test_what_a_screen_reader_is_told(page, before, after, said):
    assert before in GOOD
    page.set_content(GOOD.replace(before, after))
    found = tree.faults(tree.of(page))
    assert any(said in one for one in found) if said else found == [], found


@pytest.mark.parametrize(("before", "after", "style", "said"), LAID)
def test_what_is_too_wide_cut_or_laid_over(page, before, after, style, said):
    for now in (False, True):
        page.set_content(GOOD.replace(before, after) if now else GOOD)
        page.add_style_tag(content=style)
        assert any(said in one for one in drawn.stands_apart(page)) is now


@pytest.mark.parametrize(("before", "after", "style", "said"), FAINT)
def test_what_does_not_stand_out_of_its_ground(page, before, after, style, said):
    assert before in GOOD
    for now in (False, True):
        page.set_content(GOOD.replace(before, after) if now else GOOD)
        if now:
            page.add_style_tag(content=style)
        found = apart.edges(page)
        assert {one.partition(": ")[0] for one in found} == ({"light", "dark"} if now else set()), found
        assert all(one.partition(": ")[2].startswith(said) for one in found)


def test_a_link_that_nothing_tells_from_its_line(page):
    line = '<p>Des mots et <a href="/x">un lien</a>.</p><p><a href="/y">Seul</a> <span class="tag">2</span></p>'
    page.set_content(GOOD.replace("<p>Des mots.</p>", line))
    assert apart.links(page) == []
    page.add_style_tag(content="p a{text-decoration:none}")
    assert [one[:11] for one in apart.links(page)] == ["« un lien »"]


def test_axe_and_the_size_of_text_are_asked(page):
    page.set_content(GOOD.replace("<p>", '<p id="grey">'))
    page.add_style_tag(content="#grey{color:#bbb;background:#fff} table{width:35rem}")
    assert [one for one in axe.violations(page) if one.startswith("color-contrast")]
    assert drawn.fits(page) == []
    assert [one for one in drawn.twice_the_text(page) if "too wide" in one] == []
    page.add_style_tag(content="table{width:50rem}")
    assert drawn.fits(page) == [] and [one for one in drawn.twice_the_text(page) if "too wide" in one]
