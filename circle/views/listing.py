"""« Cercle de soins »: the list, grouped, sorted, filtered, as it is or as it was on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from cachetools import LRUCache
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from markupsafe import Markup

from circle.lines import MemberRow
from circle.models import Member
from circle.roles import SHOWN_AS_PROFESSION, STRUCTURE
from circle.rows import COMING, STATE, Coming
from circle.views import drawing
from circle.views.drawing import Listing, may_grant
from circle.views.pages import circle_url, links_of, page
from coordination.common.context import FORM_FIELD, with_form_field
from coordination.common.dates import InvalidDate, parse_date
from coordination.common.french import plural
from coordination.common.htmx import is_fragment, vary_on_htmx
from coordination.common.text import fold
from coordination.dossiers.door import READ, Entry, rubric_view
from coordination.partners.known import any_active
from habilitations.actions import kept_structures
from habilitations.rubriques import Action, Rubrique

SHOWN = (
    ("", "Tous les membres"),
    ("acces", "Avec accès"),
    ("sans-acces", "Sans accès"),
    ("attente", "En attente"),
    ("demande", "Habilitation demandée"),
    ("refus", "Refus du patient"),
    ("partis", "Partis"),
)
# Rule 7: who gets the reduced circle is told nothing of the others' access.
SHOWN_REDUCED = SHOWN[:1]
SORTS = (("", "Rôle"), ("nom", "Nom"), ("profession", "Profession"), ("entree", "Date d’entrée"))
GROUPS = (("person", "Professionnels"), ("structure", "Structures"), ("relative", "Proches et aidants"))


@dataclass(frozen=True)
class Filters:
    """What the toolbar asks. All but the text live in the address; the text may name someone."""

    show: str = ""
    sort: str = ""
    day: dt.date | None = None
    text: str = ""
    day_error: str = ""
    day_typed: str = ""

    @property
    def shown_day(self) -> dt.date:
        return self.day or timezone.localdate()

    @property
    def query(self) -> str:
        said = {"afficher": self.show, "tri": self.sort, "au": f"{self.day:%d/%m/%Y}" if self.day else ""}
        return urlencode({name: value for name, value in said.items() if value})


def read_filters(request: HttpRequest) -> Filters:
    """Return the filters of the address, or those sent with a text to look for: it stays when they change."""
    said = request.POST if "afficher" in request.POST else request.GET
    day, error = None, ""
    if typed := said.get("au", "").strip():
        try:
            day = parse_date(typed)
        except InvalidDate as refusal:
            error = str(refusal)
    if day == timezone.localdate():
        day = None
    sort = said.get("tri", "")
    return Filters(
        # A label may be a hundred signs long: cut short, it would be no filter at all.
        show=said.get("afficher", "")[:200],
        sort=sort if sort in dict(SORTS) else "",
        day=day,
        text=request.POST.get("q", "").strip()[:100],
        day_error=error,
        day_typed=typed[:20] if error else "",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, action=READ)
def members(request: HttpRequest, entry) -> HttpResponse:
    """The list; POST only brings the text to look for, so that a name is never in an address."""
    filters, rows, kept = found(entry, read_filters(request))
    listed = Listed(entry, filters, tuple(rows), tuple(kept), *_beside(entry, filters))
    if is_fragment(request):
        response = page(request, entry, "circle/_list.html", listed.list_context() | {"is_fragment": True})
    else:
        response = page(request, entry, "circle/list.html", {"body": listed.body()})
    return vary_on_htmx(response)


def _beside(entry, filters: Filters) -> tuple[tuple[Coming, ...], str]:
    """Return who is to come in, and the state of the circle, where the list is that of today."""
    if filters.day is not None:
        return (), ""
    coming = () if filters.show else entry.read.get(COMING, ())
    return tuple(one for one in coming if is_named(one.row, filters.text)), entry.read.get(STATE, "")


# Some ten megabytes per process. A member who changed, another day, another right give another key: what is kept here
# is never older than what it would say if it were drawn now.
_bodies: LRUCache[tuple, str] = LRUCache(maxsize=96)


def forget() -> None:
    """Drop the pages this process keeps; for tests and measures."""
    _bodies.clear()


def kept() -> list[str]:
    """Return the pages this process keeps."""
    return list(_bodies.values())


@dataclass(frozen=True)
class Listed:
    """The list as one reader asked for it: all the members of the day, and those kept by the filters."""

    entry: Entry
    filters: Filters
    rows: tuple[MemberRow, ...]
    kept: tuple[MemberRow, ...]
    # Read with the members of today: none on another day, nor with a filter, which is of members.
    coming: tuple[Coming, ...] = ()
    state: str = ""

    @property
    def is_editable(self) -> bool:
        return self.entry.abilities["write_cercle"] and self.filters.day is None and self.filters.show != "partis"

    def body(self) -> Callable[[object], Markup]:
        """Return what draws the page between its bars, given the hidden field of the form."""
        doubled = doubles(self.rows, self.entry) if self.is_editable else []
        # Neither a typed text nor an answer of the directory is in the key: they are drawn, and not kept.
        if doubled or self.filters.text or self.filters.day_typed:
            drawn = self._drawn(doubled)
        else:
            key = self._key()
            drawn = _bodies.get(key) or self._drawn([])
            _bodies[key] = drawn
        return lambda csrf_input: with_form_field(drawn, csrf_input)

    def _key(self) -> tuple:
        """All that the page says depends on: members as they are now, filters, day, and what this reader may do."""
        entry, access = self.entry, self.entry.access
        reduced = tuple(sorted(access.ceilings.items()))
        may = (
            access.profile, access.cap, access.hat.structure_id, access.matrix.edition, reduced, access.on_behalf_of,
        )  # fmt: skip
        return (
            self.rows,
            self.coming,
            self.state,
            self.filters,
            timezone.localdate(),
            entry.dossier.pk,
            entry.user.pk,
            any_active(),
            *may,
        )

    def _drawn(self, doubled: list[dict]) -> str:
        context = self.list_context() | {
            "doubles": doubled,
            "state": self.state,
            "has_partners": any_active(),
            "facts": facts(self.rows, self.filters),
            "shown": shown_choices(self.rows, self.entry),
            "sorts": SORTS,
            "abilities": self.entry.abilities,
            "dossier": self.entry.dossier,
            "circle_url": circle_url(self.entry),
            "csrf_input": FORM_FIELD,
            "may_note": self.entry.access.may_record_refusal,
            "is_reduced": not self.entry.access.sees_whole_circle,
            "is_fragment": False,
        }
        return engines["jinja2"].env.get_template("circle/_members.html").render(context)

    def _coming(self) -> dict:
        """Return « Arrivées prévues » in the shape of a group: they are no members before their day."""
        may_undo = self.is_editable and self.entry.abilities[Action.ADD_MEMBER]
        drawn = [drawing.drawn_coming(one.row, self.entry.dossier.pk, *one[1:], may_undo) for one in self.coming]
        return {"title": "Arrivées prévues", "members": drawn}

    def list_context(self) -> dict:
        """Return what templates/circle/_list.html shows."""
        listing = Listing(self.entry, self.is_editable)
        return {
            "groups": [*grouped(self.kept, self.filters.sort, listing), self._coming()],
            "menus": listing.menus,
            "filters": self.filters,
            "is_empty": not self.rows,
            "found": plural(len(self.kept), "membre"),
        }


def found(entry, filters: Filters) -> tuple[Filters, list, list]:
    """Return the filters that mean something here, the members of the day asked, or those who had left, and who is
    kept of them.

    A role, a profession or a category that nobody has, from an address kept since, is no filter: the toolbar could not
    show it.
    """
    rows = Member.objects.rows(entry, filters.day, past=filters.show == "partis")
    if filters.show.startswith(("role-", "profession-", "categorie-")):
        offered = {value for _, pairs in shown_choices(rows, entry) for value, _ in pairs}
        filters = filters if filters.show in offered else replace(filters, show="")
    return filters, rows, [row for row in rows if is_shown(row, filters) and is_named(row, filters.text)]


def doubles(rows, entry) -> list[dict]:
    """Return {name, url} of each structure that is twice in the circle since the directory merged its two entries.

    Only where the reader may join them. One SQL statement when one of two structures was merged, else none.
    """
    houses = [row for row in rows if row.kind == STRUCTURE and not row.is_reduced]
    if len(houses) < 2 or not any(row.is_merged for row in houses):
        return []
    kept = kept_structures(*(row.structure_id for row in houses))
    same: dict = {}
    for row in houses:
        same.setdefault(kept.get(row.structure_id), []).append(row)
    return [
        {"name": one.name, "url": links_of(entry.dossier.pk, one.id).join}
        for one, *others in same.values()
        if others and may_grant(one, entry)
    ]


def is_shown(row, filters: Filters) -> bool:
    """Say whether a row answers « Afficher »: an access, a role ("role-PCP"), a profession, a kind of structure."""
    wanted, _, value = filters.show.partition("-")
    tests = {
        "acces": lambda: row.has_access,
        "sans": lambda: not row.has_access,
        "attente": lambda: row.state == "attente",
        "demande": lambda: row.requested,
        "refus": lambda: row.state == "refus",
        "role": lambda: row.role_code == value,
        "profession": lambda: row.kind != STRUCTURE and key_of(row.profession) == value,
        "categorie": lambda: row.kind == STRUCTURE and key_of(row.profession) == value,
    }
    test = tests.get(wanted)
    return test() if test else True


def is_named(row, text: str) -> bool:
    """Say whether every word typed begins some word of the name, profession, role, structure or town."""
    words = fold(text).split()
    if not words:
        return True
    said = fold(" ".join((row.name, row.profession, row.role, row.structure_name, row.town, row.relation)))
    return all(f" {word}" in f" {said}" for word in words)


def ordered(rows, sort: str) -> list:
    """Return the rows group by group, in the order asked."""
    order = {
        "": lambda row: (not row.role_unique, row.role_key or "~", row.sort_name),
        "nom": lambda row: row.sort_name,
        "profession": lambda row: (fold(row.profession or row.relation), row.sort_name),
        "entree": lambda row: (-row.starts_on.toordinal(), row.sort_name),
    }[sort]
    shapes = [shape for shape, _ in GROUPS]
    return sorted(rows, key=lambda row: (shapes.index(row.shape), order(row)))


def grouped(rows, sort: str, listing: Listing) -> list[dict]:
    """Return the three groups in the shape of `member_list` (templates/components/member.html)."""
    in_order = ordered(rows, sort)
    return [
        {"title": title, "members": [listing.drawn(row) for row in in_order if row.shape == shape]}
        for shape, title in GROUPS
    ]


def facts(rows, filters: Filters) -> str:
    """Return "10 membres, 4 avec accès"; only the members at another date, and where rights are not shown (rule 7)."""
    said = plural(len(rows), "membre")
    if filters.show == "partis":
        return f"{plural(len(rows), 'membre parti', 'membres partis')}"
    if filters.day:
        return f"{said} au {filters.day:%d/%m/%Y}"
    if any(row.is_reduced for row in rows):
        return said
    return f"{said}, {sum(row.has_access for row in rows)} avec accès"


def said(filters: Filters, rows, entry) -> str:
    """Return what a file of the list says in its head: the day, what is shown, in which order."""
    title = "Membres partis du cercle de soins" if filters.show == "partis" else "Cercle de soins"
    shown = dict(pair for _, pairs in shown_choices(rows, entry) for pair in pairs).get(filters.show)
    parts = [f"{title} au {filters.shown_day:%d/%m/%Y}"]
    if filters.show and shown and filters.show != "partis":
        parts.append(f"Filtre : {shown}")
    return ". ".join([*parts, f"Tri : {dict(SORTS)[filters.sort]}."])


def shown_choices(rows, entry) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the groups of « Afficher »: access as far as it is told, then roles and trades of this circle.

    A role that says only the profession is not offered as a role: nurses and doctors hold the same one.
    """
    told = SHOWN if entry.access.sees_whole_circle else SHOWN_REDUCED
    roles = {row.role_code: row.role for row in rows if row.role and row.role_code not in SHOWN_AS_PROFESSION}
    people = {key_of(row.profession): row.profession for row in rows if row.profession and row.kind != STRUCTURE}
    houses = {key_of(row.profession): row.profession for row in rows if row.profession and row.kind == STRUCTURE}
    return [
        ("", list(told)),
        ("Rôle", [(f"role-{code}", label) for code, label in _by_label(roles)]),
        ("Profession", [(f"profession-{key}", label) for key, label in _by_label(people)]),
        ("Catégorie de structure", [(f"categorie-{key}", label) for key, label in _by_label(houses)]),
    ]


def key_of(label: str) -> str:
    """Return a word for the address: "Médecin généraliste" -> "medecin-generaliste"."""
    return fold(label).replace(" ", "-")


def _by_label(labels: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(labels.items(), key=lambda pair: fold(pair[1]))
