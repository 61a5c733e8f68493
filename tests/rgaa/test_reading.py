"""What reads the code of a page finds the fault that is planted in it, and nothing in a page without a fault."""

import pytest

from tests.rgaa.reading import Tree, faults

GOOD = """<!DOCTYPE html><html lang="fr"><head><title>Essai – Produit</title></head><body>
<a href="#contenu">Aller au contenu</a><header><nav aria-label="Principale"><ul><li><a href="/">Un</a></li></ul></nav>
</header><main id="contenu"><h1>Essai</h1><h2>Suite</h2><p>Un mot.</p>
<table><caption>Gens</caption><tr><th scope="col">Nom</th></tr><tr><td>Un</td></tr></table>
<form><label for="n">Nom</label><input id="n" name="n"><fieldset><legend>Choix</legend>
<label for="c1">Un</label><input type="radio" id="c1" name="c"><label for="c2">Deux</label>
<input type="radio" id="c2" name="c"></fieldset><button>Envoyer</button></form></main>
<footer></footer></body></html>"""
# A change to that page, and the criterion that it breaks.
PLANTED = [
    ("<!DOCTYPE html>", "", "8.1"), ('<p>Un mot.</p>', "<p>Un <em>mot.</p>", "8.2"),
    ('id="c2"', 'id="c1"', "8.2"), ('id="n" name="n"', 'id="n" id="n" name="n"', "8.2"), ('for="n"', 'for="m"', "8.2"),
    (' lang="fr"', "", "8.3"), ("<title>Essai – Produit</title>", "", "8.5"), ("Essai – Produit", " – Produit", "8.6"),
    ("<p>Un mot.</p>", '<p lang="en">A word.</p>', "8.7"), ("<p>Un mot.</p>", "<p> </p>", "8.9"),
    ("<p>Un mot.</p>", '<p dir="rtl">Un mot.</p>', "8.10"), ("h2>", "h3>", "9.1"), ("<h1>Essai</h1>", "", "9.1"),
    ("<h2>Suite</h2>", "<h2></h2>", "9.1"), ("<footer></footer>", "", "9.2"),
    ('<p>Un mot.</p>', "<ul><p>Un mot.</p></ul>", "9.3"), ("<p>Un mot.</p>", "<blockquote>Un</blockquote>", "9.4"),
    ("<p>Un mot.</p>", '<p align="right">Un mot.</p>', "10.1"), ("<p>Un mot.</p>", '<img src="x" alt="">', "1.1"),
    ("<p>Un mot.</p>", '<svg role="img"></svg>', "1.1"), ("<p>Un mot.</p>", "<svg></svg>", "1.2"),
    ("<p>Un mot.</p>", '<iframe src="x"></iframe>', "2.1"), ("<p>Un mot.</p>", '<video src="x"></video>', "4.1"),
    ("<p>Un mot.</p>", '<object data="x"></object>', "4.8"), ("<table>", '<table role="presentation">', "5.3"),
    ("<caption>Gens</caption>", "", "5.4"), ('<th scope="col">Nom</th>', "<td>Nom</td>", "5.6"),
    (' scope="col"', "", "5.7"), ('<a href="/">Un</a>', '<a href="/" aria-label="Deux">Un</a>', "6.1"),
    ('<a href="/">Un</a>', '<a href="/">Retour</a>', "6.1"),
    ("<p>Un mot.</p>", "<p><span>É</span><span>lire</span></p>", "10.3"),
    ("Un mot.", "Le bouton vert, en bas.", "10.9"), ("Un mot.", "Les filtres sont à gauche.", "10.9"),
    ('<a href="/">Un</a>', '<a href="/"></a>', "6.2"), ("<label for=\"n\">Nom</label>", "", "11.1"),
    ('<input id="n"', '<input inputmode="email" id="n"', "11.10"),
    ('<input id="n"', '<input class="date" id="n"', "11.10"), ('<input id="n"', '<input type="file" id="n"', "11.10"),
    ('<form><label for="n"', '<form data-auto-submit><label for="n"', "7.4"), ("fieldset", "div", "11.5"),
    ("<legend>Choix</legend>", "", "11.6"),
    ("<p>Un mot.</p>", "<select aria-label='x'><optgroup><option>1</option></optgroup></select>", "11.8"),
    ("Envoyer", "", "11.9"), (' aria-label="Principale"', "", "12.6"), ('href="#contenu"', 'href="#fin"', "12.7"),
    ("<button>", '<button tabindex="3">', "12.8"), ("<button>", '<button accesskey="e">', "12.10"),
    ("<head>", '<head><meta http-equiv="refresh" content="9">', "13.1"),
    ('<a href="/">', '<a href="/" target="_blank">', "13.2"), ("<p>Un mot.</p>", "<marquee>Un</marquee>", "13.8"),
]  # fmt: skip


def test_a_page_without_a_fault_has_none():
    assert faults(Tree(GOOD)) == []


@pytest.mark.parametrize(("before", "after", "criterion"), PLANTED, ids=lambda said: said[:24])
def test_a_planted_fault_is_found(before, after, criterion):
    assert before in GOOD
    assert criterion in {found for found, _ in faults(Tree(GOOD.replace(before, after)))}
