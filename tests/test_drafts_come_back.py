"""A draft taken up again is the whole of what was typed, boxes too, and the page says that it shows one (REL-20)."""

from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest

from coordination.accounts import drafts
from coordination.accounts.models import Draft
from tests.test_drafts_everywhere import NOT_DRAWN, addresses, build_town, ours

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-20")]
SAID = "Ce formulaire reprend votre brouillon."
TYPED = {"email": "essai@exemple.fr", "tel": "0536491040", "number": "3", "date": "2027-03-14"}
TEXTS = {"text", "email", "tel", "url", "number", "date"}
# What belongs to one sending only is asked again; a field named as that of a second factor is never kept.
ASKED_AGAIN = {"duplicate_reason", "code"}


class Drafted(HTMLParser):
    """Read the forms of a page that keep a draft: {draft, controls: [(kind, name, value, on)]}."""

    def __init__(self):
        super().__init__()
        self.forms, self.open, self.area, self.select = [], None, None, None

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "form" and said.get("data-draft"):
            self.open = {"draft": said["data-draft"], "controls": []}
            self.forms.append(self.open)
        elif self.open is None or said.keys() & {"disabled", "readonly"}:
            return
        elif tag == "select":
            self.select = said.get("name")
        elif tag == "option":
            self.open["controls"].append(("option", self.select, said.get("value", ""), "selected" in said))
        elif tag == "textarea":
            self.area = [said.get("name"), ""]
        elif tag == "input" and said.get("name"):
            kind = said.get("type", "text")
            value = said.get("value", "on" if kind == "checkbox" else "")
            self.open["controls"].append((kind, said["name"], value, "checked" in said))

    def handle_data(self, data):
        if self.area:
            self.area[1] += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self.area:
            if self.open is not None:
                self.open["controls"].append(("textarea", self.area[0], self.area[1].removeprefix("\n"), False))
            self.area = None
        elif tag == "form":
            self.open = None


def drafted(client, address):
    """Return (text of the page, its forms that keep a draft, its own address when it gives one to each object)."""
    answer = client.get(address)
    if answer.status_code in (301, 302, 303):
        address = answer["Location"]
        answer = client.get(address)
    if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
        return "", [], address
    reading = Drafted()
    text = answer.content.decode()
    reading.feed(text)
    return text.replace("\xa0", " "), reading.forms, address


def typed_in(form, *, ticked):
    """Return what somebody types in a form as [(name, value)]: other texts and choices, and boxes as `ticked` says."""
    pairs, last = [], {}
    for kind, name, value, on in form["controls"]:
        if kind == "hidden" and name != "csrfmiddlewaretoken":
            pairs.append((name, value))
        elif kind in TEXTS or kind == "textarea":
            pairs.append((name, TYPED.get(kind, f"Essai {len(pairs)}")))
        elif kind in ("radio", "option"):
            last[name] = value
        elif kind == "checkbox" and ticked(on):
            pairs.append((name, value))
    return pairs + list(last.items())


def shown_in(form):
    """Return what a form shows, as it would be posted: {(name, value)}, and the names it holds."""
    pairs = {
        (name, value) for kind, name, value, on in form["controls"]
        if kind in TEXTS or kind == "textarea" or (kind in ("radio", "option", "checkbox") and on)
    }  # fmt: skip
    names = {
        name for kind, name, _, _ in form["controls"] if kind in TEXTS | {"textarea", "radio", "option", "checkbox"}
    }
    return pairs, names


@pytest.fixture
def town(settings):
    return build_town(settings)


def everywhere(client, town):
    """Yield (route, address, user, form), once for each kind of draft."""
    seen = set()
    for route, path in ours():
        if route in NOT_DRAWN:
            continue
        for user in town["users"]:
            client.force_login(user)
            for address in addresses(route, path, town):
                _, forms, address = drafted(client, address)
                for form in forms:
                    key = urlsplit(form["draft"]).path.split("/")[-3]
                    if (route, key) not in seen:
                        seen.add((route, key))
                        yield route, address, user, form


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "ticked", [lambda on: not on, lambda on: False], ids=["the other boxes", "no box"]
)  # fmt: skip
def test_what_was_typed_in_any_form_comes_back_whole_and_is_said(client, town, ticked):
    wrong, seen = [], 0
    for route, address, user, form in everywhere(client, town):
        *_, key, about, _ = urlsplit(form["draft"]).path.split("/")
        pairs = typed_in(form, ticked=ticked)
        Draft.objects.all().delete()
        drafts.save(user, key, about, urlencode(pairs))
        client.force_login(user)
        page, again, _ = drafted(client, address)
        back = next((one for one in again if one["draft"] == form["draft"]), None)
        Draft.objects.all().delete()
        if back is None:
            wrong.append((route, key, "the form is not drawn again"))
            continue
        seen += 1
        shown, names = shown_in(back)
        wanted = {(name, value) for name, value in pairs if name in names and name not in ASKED_AGAIN}
        if lost := {pair for pair in wanted ^ shown if pair[0] not in ASKED_AGAIN}:
            wrong.append((route, key, sorted(lost)))
        if SAID not in page:
            wrong.append((route, key, "not said"))
    assert wrong == [], "\n".join(map(str, wrong))
    assert seen >= 40
