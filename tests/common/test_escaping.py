"""What a page shows is escaped exactly as markupsafe does."""

import pytest
from django.template import engines
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup, escape

from coordination.common.escaping import escaped


class Named(str):
    pass


@pytest.mark.asvs("v5.0.0-1.2.1")
@given(st.text())
def test_any_text(text):
    assert escaped(text) == str(escape(text))


@pytest.mark.parametrize("value", [
    "<b>&\"'</b>", Named("<i>"), Markup("<b>"), mark_safe("<b>"), 12, None, 3.5, ["<a>"],
])  # fmt: skip
def test_any_kind(value):
    assert escaped(value) == str(escape(value))


@pytest.mark.asvs("v5.0.0-1.1.2")
def test_pages_use_it():
    draw = engines["jinja2"].env.from_string
    macro = "{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m(x) }}{% set y %}{{ x }}{% endset %}{{ y }}{{ x ~ '<' }}"
    assert draw(macro).render(x="<b>") == "<p>&lt;b&gt;</p>&lt;b&gt;&lt;b&gt;&lt;"
    with pytest.raises(UndefinedError):
        draw("{{ nothing }}").render()
