"""Our own rules over the whole product, each with a planted fault and a clean twin (SECT-16)."""

import re
import subprocess
from collections import Counter

import pytest
from django.apps import apps
from django.db.models import ForeignKey

from coordination.runtime.places import ROOT
from tests.static import planted, rules
from tests.static.accepted import ACCEPTED

pytestmark = pytest.mark.req("SECT-16")


def sources():
    """{path: text} of the product: neither its tests nor what Django wrote."""
    named = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = [one for one in named.stdout.split() if not re.search(r"(^tests/|/migrations/)", one)]
    return {one: (ROOT / one).read_text() for one in kept if (ROOT / one).exists()}


def of_a_dossier():
    """The names of the models whose rows are of one dossier, directly or by what they belong to."""
    found = {"Dossier"}
    while True:
        more = {
            model.__name__
            for model in apps.get_models()
            if model.__module__.split(".")[0] in {"agenda", "circle", "coordination", "habilitations"}
            and any(
                isinstance(field, ForeignKey) and not field.null and field.related_model.__name__ in found
                for field in model._meta.concrete_fields
            )
        }
        if more <= found:
            return frozenset(found)
        found |= more


@pytest.mark.parametrize(("rule", "path", "source"), planted.WRONG)
def test_a_planted_fault_is_found(rule, path, source):
    assert rule in {found.rule for found in rules.findings(rules.read(path, source), frozenset({"Member", "Dossier"}))}


@pytest.mark.parametrize(("rule", "path", "source"), planted.CLEAN)
def test_its_clean_twin_is_not(rule, path, source):
    found = rules.findings(rules.read(path, source), frozenset({"Member", "Dossier"}))
    assert rule not in {one.rule for one in found}


def test_every_rule_has_both():
    named = {rule.__name__.replace("_", "-") for rule in rules.RULES}
    assert {rule for rule, _, _ in planted.WRONG} == named == {rule for rule, _, _ in planted.CLEAN}


def test_no_source_breaks_a_rule_but_where_it_is_said_why():
    models, texts = of_a_dossier(), sources()
    assert len(texts) > 500 and {"Member", "Habilitation", "Appointment"} <= models, "too little is read"
    found = Counter(
        (one.rule, one.path, one.function)
        for path, text in texts.items()
        for one in rules.findings(rules.read(path, text), models)
    )
    accepted = {(rule, path, function): count for (rule, path, function), (count, _) in ACCEPTED.items()}
    assert {where: count for where, count in found.items() if accepted.get(where) != count} == {}, "not accepted"
    assert {where for where in accepted if where not in found} == set(), "accepted, and no longer there"
    assert all(reason.strip() for _, reason in ACCEPTED.values())


# What a page shows without escaping it: markup of ours, drawn a moment before.
SAFE_FILTER = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false")

ARIA = (
    """(' aria-invalid="true"' | safe if errors else "") ~ (" required" if required else ""), """
    """name ~ "_texte" ~ ("," ~ params if params else "")) }}"""
)
# Such lines, and why they hold.
SHOWN_AS_IS = {
    ("templates/components/combobox.html", ARIA): "an attribute of ours, written in the template itself",
    ("templates/mfa/totp/activate_form.html", "{{ totp_svg | safe }}"): "a picture drawn by allauth from a number",
    ("templates/outbox/mail.html", r"""{{ mail.text | urlize | replace("\n", "<br>" | safe) }}"""):
        "a tag of ours, in a text that urlize escaped; on a developer’s machine only",
}  # fmt: skip


def unescaped(templates):
    return {(path, line.strip()) for path, text in templates.items() for line in text.splitlines()
            if SAFE_FILTER.search(line)}  # fmt: skip


def test_no_page_shows_what_is_not_escaped():
    pages = {str(one.relative_to(ROOT)): one.read_text() for one in (ROOT / "templates").rglob("*.html")}
    assert len(pages) > 150
    assert unescaped(pages) == SHOWN_AS_IS.keys()


@pytest.mark.parametrize(
    "line", ["{{ name | safe }}", "{{name|safe}}", "{% autoescape false %}", "{%- autoescape false -%}"]
)
def test_a_page_that_does_is_found(line):
    assert unescaped({"x.html": f"<p>\n{line}\n</p>"}) == {("x.html", line)}
    assert unescaped({"x.html": "<p>{{ name }} {{ 'safe' }} {{ safe_name }}</p>"}) == set()
