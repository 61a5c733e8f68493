"""Every page of the product: its code read (reading.py), then drawn once in a browser and looked at (drawn.py).

In one module, so that one process asks for the pages and draws them.
"""

import pytest

from tests.rgaa import drawn, weighing
from tests.rgaa.reading import Tree, faults, labels

# The pages are asked for, then drawn, before the first of these tests.
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.once,
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.req("RGAA"),
]


@pytest.fixture(scope="module")
def trees(pages):
    return {key: Tree(html) for key, html in pages.items()}


def test_no_page_has_a_fault_that_its_code_shows(trees):
    wrong = {}
    for key, tree in trees.items():
        for fault in faults(tree):
            wrong.setdefault(fault, key)
    assert not wrong, "\n" + "\n".join(f"{c} {said} [{page}]" for (c, said), page in sorted(wrong.items(), key=str))
    assert len({name for name, _, status in trees if status == 200}) >= 100, "too few pages answered"


# What is asked of people on more than one page, by the name of its field.
PERSONAL = {
    "email", "phone", "mobile", "family_name", "given_name", "birth_name", "birth_given_names", "birth_date", "sex",
    "address", "postal_code", "town_texte", "profession", "ins_matricule", "relation", "description", "finess",
    "siret", "siren", "password", "password1", "password2", "oldpassword", "discreet", "duplicate_reason",
}  # fmt: skip
# Lines of the same minute, of the same person and in the same words: each asks the same question.
ALIKE = {"/dossiers.journal"}
# Of one name, and not the same thing: where an invitation is sent, the telephone of a structure.
APART = {
    "email": {"Adresse e-mail", "Adresse e-mail professionnelle"},
    "phone": {"Numéro de téléphone fixe", "Numéro de téléphone"},
    "password1": {"Nouveau mot de passe", "Mot de passe"},
}


def test_what_is_asked_on_several_pages_is_called_the_same(trees):
    """RGAA 11.3."""
    said, addresses = {}, set()
    for tree in trees.values():
        for field, words in labels(tree):
            said.setdefault(field.get("name"), set()).add(words)
            # Who is called is found by his address or by his number.
            if "email" in (field.get("type"), field.get("inputmode")) and field.get("name") != "called":
                addresses.add(words)
    assert len(PERSONAL & said.keys()) >= 15, "too few fields were met"
    assert {name: said[name] for name in PERSONAL & said.keys() if said[name] - APART.get(name, said[name])} == {}
    assert {name for name in PERSONAL - APART.keys() if len(said.get(name, ())) > 1} == set()
    assert addresses and {words for words in addresses if not words.startswith("Adresse e-mail")} == set()


@pytest.mark.parametrize("path", ["/nulle-part/", "/compte/connexion/"])
def test_what_is_not_found_and_the_entrance_hold_too(client, db, path):
    assert faults(Tree(client.get(path).content.decode())) == []


# What a field about oneself is for, as browsers and password keepers know it (WCAG 1.3.5).
ONESELF = {
    "account_login": {"login": "username", "password": "current-password"},
    "account_reset_password": {"email": "email"},
    "account_change_password": {
        "oldpassword": "current-password", "password1": "new-password", "password2": "new-password",
    },
    "account_reauthenticate": {"password": "current-password"},
    "mfa_activate_totp": {"code": "one-time-code"},
    "accounts:home": {"title": "organization-title"},
}  # fmt: skip


def test_fields_about_oneself_say_what_they_are(trees):
    for route, fields in ONESELF.items():
        drawn = trees[route, "GET", 200].root.all("input")
        said = {one.get("name"): one.get("autocomplete") for one in drawn if one.get("name") in fields}
        assert said == fields, route


# ---- as a browser draws them -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def looked(pages, browser, request):
    """{(page, look): [what is wrong]}: the walk of drawn.py over every page that answered."""
    answered = {f"/{name.replace(':', '.')}": html for (name, method, status), html in pages.items()
                if (method, status) == ("GET", 200)}  # fmt: skip
    assert len(answered) >= 100, "too few pages answered"
    return drawn.walk(answered, browser, seed=request.config.getoption("randomly_seed", 0))


@pytest.mark.browser
def test_every_page_holds_at_320_pixels(looked):
    assert drawn.wrong(looked, "narrow") == ""


@pytest.mark.browser
def test_every_page_holds_at_twice_its_size(looked):
    assert drawn.wrong(looked, "zoomed") == ""


@pytest.mark.browser
def test_every_page_holds_with_text_alone_twice_as_large(looked):
    assert drawn.wrong(looked, "twice") == ""


@pytest.mark.browser
def test_every_page_holds_with_spaced_text(looked):
    assert drawn.wrong(looked, "spaced") == ""


@pytest.mark.browser
def test_what_one_acts_upon_stands_out_of_its_ground(looked):
    """RGAA 3.3, 10.7: drawings, fields and the ring of the focus, in both themes, 3 to 1 as the browser draws them."""
    assert drawn.wrong(looked, "edges") == ""


@pytest.mark.browser
def test_a_link_is_told_from_the_words_of_its_line(looked):
    """RGAA 10.6."""
    assert drawn.wrong(looked, "links") == ""


@pytest.mark.browser
def test_axe_finds_nothing_on_any_page(looked):
    """WCAG 2.2 AA and best practices: at a size drawn for each page, at the three with FULL=1."""
    assert drawn.wrong(looked, "axe") == ""


@pytest.mark.browser
def test_everything_one_acts_upon_is_told_by_its_name(looked):
    assert drawn.wrong(looked, "tree", known=ALIKE) == ""


@pytest.mark.req("SECT-14")
@pytest.mark.browser
def test_the_browser_complains_of_nothing(looked):
    """Neither of an error nor of what the policy of contents refuses."""
    assert drawn.wrong(looked, "console") == ""


@pytest.mark.req("PERF-16")
@pytest.mark.browser
def test_every_page_is_light(looked):
    assert drawn.wrong(looked, "weighed") == ""
    assert weighing.HEAVY.keys() <= {path for path, _ in looked}


@pytest.mark.req("PERF-15")
@pytest.mark.browser
def test_no_page_moves_while_it_is_loaded(looked):
    assert drawn.wrong(looked, "moved") == ""
