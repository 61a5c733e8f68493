"""What must hold on the HTML of every component, without a browser."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.template import engines
from jinja2 import UndefinedError

from coordination.common import context, error_pages
from coordination.common.comb import comb_bars
from tests.front import rendering

STATIC = Path(settings.STATICFILES_DIRS[0])
TEMPLATES = Path(engines["jinja2"].template_dirs[0])


def weight(path):
    return len(gzip.compress((STATIC / path).read_bytes(), 9))


class Reader(HTMLParser):
    """Collect what a page uses, and whether each element is closed."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self, html):
        super().__init__()
        self.ids, self.attributes, self.tags, self.open, self.crossed = [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.crossed.append((tag, self.getpos()))


@pytest.fixture(scope="module", params=rendering.NAMES)
def page(request):
    return Reader(rendering.draw(request.param))


def test_no_style_attribute_nor_inline_code(page):
    assert not [item for item in page.attributes if item[1] == "style" or item[1].startswith("on")]
    assert "style" not in page.tags
    scripts = [value for tag, name, value in page.attributes if tag == "script" and name == "src"]
    assert len(scripts) == page.tags.count("script")
    assert all(value.startswith("/static/") for value in scripts)


def test_each_id_is_said_once_and_every_reference_finds_it(page):
    assert len(page.ids) == len(set(page.ids))
    for _, name, value in page.attributes:
        if name in {"aria-labelledby", "aria-describedby", "aria-controls", "for"}:
            assert set(value.split()) <= set(page.ids), (name, value)


def test_elements_are_closed_in_order(page):
    assert page.crossed == []
    assert page.open == []


def test_one_h1_and_no_level_skipped(page):
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_icon_is_in_the_sprite(page):
    known = set(re.findall(r'id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = {value.partition("#")[2] for tag, name, value in page.attributes if tag == "use"}
    assert used <= known


def test_every_static_file_named_by_a_template_exists():
    for template in TEMPLATES.rglob("*.html"):
        for name in re.findall(r'static\("([^"]+)"\)', template.read_text()):
            assert (STATIC / name).is_file(), (template.name, name)


def test_every_icon_named_by_a_template_is_in_the_sprite():
    known = set(re.findall(r'id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    for template in TEMPLATES.rglob("*.html"):
        named = re.findall(r'\b_?icon\("([\w-]+)"', template.read_text())
        assert set(named) <= known, template.name


def test_weights_of_the_first_view():
    """Design system, section 9: 130 KB over the wire, of which 12 of code. The bound of the style alone is ours."""
    html = len(gzip.compress(rendering.draw("patients").encode(), 9))
    font = (STATIC / "fonts/atkinson-hyperlegible-next-latin.woff2").stat().st_size
    parts = ["vendor/bootstrap/bootstrap.min.css", "css/app.css", "vendor/htmx/htmx.min.js", "icons.svg", "js/app.js"]
    assert html + font + sum(map(weight, parts)) <= 130_000
    assert weight("css/app.css") <= 10_500
    # What only its own page loads is not of the first view.
    code = [
        file.name
        for file in (STATIC / "js").glob("*.js")
        if file.name not in ("matrix.js", "durations.js", "webauthn.js")
    ]
    assert sum(weight(f"js/{name}") for name in code) <= 12_000


def test_later_pages_are_light():
    assert all(len(gzip.compress(rendering.draw(name).encode(), 9)) <= 25_000 for name in rendering.NAMES)


def test_no_raw_colour_below_the_tokens():
    css = (STATIC / "css/app.css").read_text()
    below = css.split("/* --- Ground")[1]
    # The strip and the toast are dark in both themes: white and the tokens' own values are theirs.
    allowed = {"#FFF", "#000", "#FFF3D9", "#6E4500", "#16242B", "#C3DBE1", "#0E3742", "#FFD166"}
    assert set(re.findall(r"#[0-9A-Fa-f]{3,6}\b(?=[;,\s}!])", below)) <= allowed


def test_both_dark_blocks_say_the_same():
    css = (STATIC / "css/app.css").read_text()
    blocks = re.findall(r"\[data-bs-theme=(?:dark|system)\]\{\s*(--encre:.*?)\}", css, re.DOTALL)
    assert len(blocks) == 2
    assert blocks[0] == blocks[1]


def test_a_forgotten_variable_fails_the_page():
    with pytest.raises(UndefinedError):
        rendering.draw("circle", groups=[{"title": "Professionnels", "members": [{"name": "SANS Rien"}]}])


@pytest.mark.asvs("v5.0.0-1.2.1")
def test_data_is_escaped():
    trap = {"text": "<script>", "count": 1}
    html = rendering.draw("gallery", messages=[Message(25, "<script>alert(1)</script>")], user_badge=None, trap=trap)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_matricule_is_drawn_only_when_the_identity_is_qualified():
    identity = dict(rendering.sample.IDENTITY, ins={"state": "provisoire", "matricule": "241038199901211"})
    assert "Matricule" not in rendering.draw("home", identity=identity)
    assert "Matricule" in rendering.draw("home")


def test_title_never_names_a_person_and_says_error_first():
    assert "<title>Cercle de soins – Dossier de coordination</title>" in rendering.draw("circle")
    assert "<title>Erreur\u00a0: Ajout manuel de personne – " in rendering.draw("errors")


def test_the_refused_form_keeps_what_was_typed_and_tells_where():
    html = rendering.draw("errors")
    assert 'value="g.prototype@"' in html
    assert '<a href="#id_email">Adresse e-mail\u00a0: il manque' in html
    assert 'aria-describedby="id_mobile-erreur"' in html
    assert "2\u00a0champs à corriger" in html


def test_the_first_answer_gives_way_to_a_sentence_without_the_right():
    html = rendering.draw("gallery")
    assert 'value="oui"' not in html
    assert "Seul un coordinateur" in html


def test_the_fragment_of_a_search_is_a_listbox_content():
    html = str(rendering.draw_results())
    assert html.count('role="option"') == 5
    assert html.count('role="group"') == 3
    assert "<a " not in html  # an option holds nothing that takes the focus
    assert "4 résultats" in html


TOOLBAR = """
{%% from "components/toolbar.html" import toolbar, tool %%}
{%% call toolbar("/", label="Chercher") %%}{%% call tool("Qui", "qui") %%}%s{%% endcall %%}{%% endcall %%}
"""


@pytest.mark.parametrize(
    ("field", "waits"),
    [('<input class="form-control" name="qui">', True), ('<input class="form-control" hx-post="/" name="qui">', False),
     ('<input class="form-control" name="qui"><button type="submit">Chercher</button>', False),
     ('<input class="form-control date" name="du">', False), ("<select></select>", False)],
)  # fmt: skip
def test_a_text_that_waits_for_enter_says_so(field, waits):
    """Nothing else sends it: there is no button where a script runs."""
    shown = engines["jinja2"].env.from_string(TOOLBAR % field).render()
    assert ("Entrée lance la recherche." in shown) is waits
    assert ("La page se recharge" in shown) is ("date" in field or "select" in field)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "405", "500", "503"])
def test_failure_pages_need_nothing(name):
    html = engines["jinja2"].get_template(f"errors/{name}.html").render({})
    assert html.count("<h1") == 1
    assert "</html>" in html


def test_failure_views_answer_with_their_status(rf):
    request = rf.get("/")
    assert error_pages.bad_request(request).status_code == 400
    assert error_pages.server_error(request).status_code == 500


def test_a_broken_page_says_under_which_number_the_logs_tell_it(rf):
    request = rf.get("/")
    assert "Référence" not in error_pages.server_error(request).content.decode()
    request.id = "abcdef0123456789"
    assert "abcdef0123456789" in error_pages.server_error(request).content.decode()


class Somebody:
    is_authenticated = True
    given_name, family_name, title = "Maëlle", "Exemple-Larrieu", "Coordinatrice"
    is_administrator = False


def test_entries_of_the_bar_follow_the_right(monkeypatch):
    monkeypatch.setattr(context, "_links", {"nav": {}, "account": {}, "footer": {}})
    context.register_link(
        "nav", "admin", "Administration", "alive", order=90, allowed=lambda user: user.is_administrator
    )
    context.register_link("nav", "patients", "Patients", "alive", order=10)
    assert [link["key"] for link in context.links("nav", Somebody(), "patients")] == ["patients"]
    assert context.links("nav", Somebody(), "patients")[0]["current"]
    assert context.user_badge(Somebody()) == {
        "name": "Maëlle EXEMPLE-LARRIEU", "detail": "Coordinatrice", "initials": "ME",
    }  # fmt: skip


def test_the_undo_waits_in_the_session_and_is_shown_once(rf):
    request = rf.get("/")
    request.session = {}
    context.offer_undo(request, "LEMODÈLE Anne a été retirée.", url="/annuler/", label="Annuler le retrait")
    take = context.interface(request)["take_undo_toast"]
    assert take()["label"] == "Annuler le retrait"
    assert take() is None


def test_the_comb_has_one_bar_per_rubric_and_is_decorative():
    drawn = str(comb_bars([2, 1, 0, 2]))
    assert drawn.count("v15") == 2
    assert drawn.count("v7") == 1
    assert drawn.count("v2") == 1
    assert '<path class="e" d="M0 0h5v15h-5zM21 0h5v15h-5z"/>' in drawn
