"""The Jinja2 environment of every page: globals, filters and French typography.

Named by the settings as ``"environment": "coordination.common.jinja.environment"``. Components are macros in
``templates/components/``; their index is ``templates/components/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from coordination.common import french
from coordination.common.addresses import address
from coordination.common.comb import comb_bars
from coordination.common.escaping import PageEnvironment
from coordination.common.text import initials, of_name

_INDENT = re.compile(r"[ \t]*\n\s*")


class TemplateText(Extension):
    """Prepare the literal text of templates while they are compiled, so that it costs nothing when a page is drawn.

    Non-breaking spaces go into the French; the indentation that makes a template readable stays out of the page. What
    the database holds is not touched: for data, use the filter ``nbsp``.
    """

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            if token.type == "data":
                yield Token(token.lineno, token.type, _INDENT.sub("\n", french.nbsp(token.value)))
            elif token.type == "string":
                yield Token(token.lineno, token.type, french.nbsp(token.value))
            else:
                yield token


class PublicConfig:
    """The few settings a template may read: ``config.product_name``. Anything else raises AttributeError."""

    _NAMES = {
        "product_name": ("PRODUCT_NAME", "Dossier de coordination"),
        "debug": ("DEBUG", False),
        "invitation_days": ("INVITATION_DAYS", 14),
    }

    def __getattr__(self, name: str) -> Any:
        try:
            setting, fallback = self._NAMES[name]
        except KeyError:
            raise AttributeError(name) from None
        return getattr(settings, setting, fallback)


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """Return the address of a named route: ``url("circle:list", dossier.pk)``."""
    if not kwargs and all(type(arg) is UUID for arg in args):
        return address(name, *args)
    return reverse(name, args=args or None, kwargs=kwargs or None)


_BLANKS = re.compile(r"\s+")


_ICON = Markup('<svg class="{}" aria-hidden="true" width="16" height="16"><use href="{}#{}"></use></svg>')


@lru_cache(maxsize=64)
def asset(path: str) -> str:
    """Return the address of a file of static/, kept: its name changes with its content, at each deployment."""
    return static(path)


@lru_cache(maxsize=256)
def draw_icon(name: str, cls: str = "") -> Markup:
    """Return one icon of the sprite, see ``templates/components/icon.html``; kept, a page shows some two hundred."""
    return _ICON.format(f"icon {cls}" if cls else "icon", static("icons.svg"), name)


def classes(*names: str | None) -> str:
    """Join class names, passing over the empty ones."""
    return _BLANKS.sub(" ", " ".join(name for name in names if name)).strip()


def environment(**options: Any) -> Environment:
    """Build the environment; `options` come from the TEMPLATES setting (loader, autoescape, auto_reload)."""
    # A forgotten variable must fail the page in tests, not print an empty name in production.
    options["undefined"] = StrictUndefined
    # All of them are kept: their number is that of our files.
    options.setdefault("cache_size", -1)
    options.setdefault("trim_blocks", True)
    options.setdefault("lstrip_blocks", True)
    options["extensions"] = [*options.get("extensions", []), TemplateText, "jinja2.ext.do"]
    env = PageEnvironment(autoescape=options.pop("autoescape", True), **options)
    env.globals.update(
        static=asset,
        url=url,
        config=PublicConfig(),
        classes=classes,
        initials=initials,
        comb_bars=comb_bars,
        draw_icon=draw_icon,
    )
    env.filters.update(
        date_fr=french.date_fr,
        near_date=french.near_date,
        long_date=french.long_date,
        time_fr=french.time_fr,
        datetime_fr=french.datetime_fr,
        interval_fr=french.interval_fr,
        ago_fr=french.ago_fr,
        age_fr=french.age_fr,
        number_fr=french.number_fr,
        plural=french.plural,
        phone_fr=french.phone_fr,
        phone_href=french.phone_href,
        matricule_fr=french.matricule_fr,
        rpps_fr=french.rpps_fr,
        nbsp=french.nbsp,
        initials=initials,
        of_name=of_name,
    )
    return env


def read_all(env: Environment) -> int:
    """Read and compile every template now; return how many there are.

    A release puts the files of the next version in the place of those of the one that still serves: what a process has
    not read by then would be drawn from the other's, with names that it does not give.
    """
    names = env.list_templates()
    for name in names:
        env.get_template(name)
    return len(names)
