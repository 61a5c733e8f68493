"""Patients: the file active, its search and its export. Text about a person only ever comes by POST (INS-12)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from coordination.accounts.decorators import recently_authenticated
from coordination.common.communes import departements
from coordination.common.dates import Precision
from coordination.common.french import age_fr, ago_fr, date_fr
from coordination.common.htmx import redirect as see_other
from coordination.common.text import of_name
from coordination.common.workbooks import CONTENT_TYPE
from coordination.dossiers import export, panels
from coordination.dossiers.file_active import ALL_STATES, OPEN_STATES, Counts, FileActive, Filters, Reader, Rows
from coordination.dossiers.models import Dossier
from coordination.dossiers.search import LONGEST, Wanted, parse
from habilitations import access, emergency, traces
from habilitations.acting import STAND_IN
from habilitations.acting_levels import held_for

TABS = {
    "mes": "Mes dossiers", "structure": "Ma structure", "remplacements": "Pour un confrère", "tous": "Tous mes accès",
}  # fmt: skip
# Shown to who acts for somebody only.
ACTING_TAB = "remplacements"
STATES = [
    (OPEN_STATES, "Statuts ouverts"),
    *Dossier.Status.choices,
    (ALL_STATES, "Tous les statuts"),
]
# Nobody lives at an address of the last two collectivities.
TERRITORIES = [
    ("", "Tous"),
    *((d.code, f"{d.name} ({d.code})") for d in departements() if d.code not in ("984", "989")),
]
STATUS_KINDS = {Dossier.Status.EVALUATION: "att", Dossier.Status.PAUSE: "auc", Dossier.Status.CLOS: "auc"}


def root(request: HttpRequest) -> HttpResponse:
    """The product opens on the file active."""
    return redirect("dossiers:list")


@require_http_methods(["GET", "HEAD", "POST"])
def file_active(request: HttpRequest) -> HttpResponse:
    """The list. Filters are in the address; a form without search text goes back there."""
    filters, wanted = _asked(request)
    if request.method == "POST" and not wanted:
        return see_other(request, reverse("dossiers:list") + filters.first_page().query())
    return _page(request, filters, wanted)


@require_http_methods(["GET", "HEAD", "POST"])
def open_dossier(request: HttpRequest) -> HttpResponse:
    """« Ouvrir un dossier » of the top bar: the same search over everything one may open, closed ones too."""
    wanted = parse(request.POST.get("q"))
    if not wanted:
        return see_other(request, "dossiers:list")
    return _page(request, Filters(vue="tous", statut=ALL_STATES), wanted)


@require_http_methods(["GET", "HEAD", "POST"])
@recently_authenticated(act="exporter la liste des dossiers", gives_file=True)
def export_xlsx(request: HttpRequest) -> HttpResponse:
    """The columns of the list as a spreadsheet, traced with the number of people in it."""
    filters, wanted = _asked(request)
    listed = FileActive(Reader.of(request.user), filters.first_page(), wanted)
    dossiers = listed.everything(export.LONGEST)
    content = export.workbook(rows_of(request.user, dossiers))
    _trace(request, "export", len(dossiers))
    return HttpResponse(
        content,
        content_type=CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="file-active-{timezone.localdate():%Y-%m-%d}.xlsx"'},
    )


def rows_of(user, dossiers: list[Dossier]) -> list[dict]:
    """Return the rows in the shape of templates/components/table.html. One SQL statement per registered column."""
    # What a profession tells of a circle is told where one enters by oneself; elsewhere, if it tells the other too.
    own = [dossier.pk for dossier in dossiers if not _acting(dossier)]
    told = _told_for_another(user, dossiers)
    columns = panels.list_columns(user, [*own, *told], told) if own or told else {}
    referents, news, next_ones = (columns.get(name, {}) for name in ("referent", "news", "rendezvous"))
    return [_row(one, referents.get(one.pk), news.get(one.pk), next_ones.get(one.pk)) for one in dossiers]


def _asked(request: HttpRequest) -> tuple[Filters, Wanted]:
    data = request.POST if request.method == "POST" else request.GET
    return Filters.read(data), parse(request.POST.get("q"))


def _page(request: HttpRequest, filters: Filters, wanted: Wanted) -> HttpResponse:
    reader = Reader.of(request.user)
    listed, counts = FileActive(reader, filters, wanted).settled()
    rows = listed.page()
    _trace(request, _action(request, wanted), len(rows.dossiers))
    return render(request, "dossiers/list.html", _context(request, listed, rows, counts))


def _context(request, listed: FileActive, rows: Rows, counts: Counts) -> dict:
    reader, filters, wanted = listed.reader, listed.filters, listed.wanted
    return {
        "reader": reader,
        "filters": filters,
        "searching": bool(wanted),
        "typed": (request.POST.get("q") or "")[:LONGEST],
        "rows": rows_of(reader.user, rows.dossiers),
        "page": rows,
        "counts": counts,
        "columns": _columns(),
        "tabs": [_tab(vue, label, filters, counts) for vue, label in TABS.items() if _is_shown(vue, filters, counts)],
        "states": STATES,
        "motifs": [("", "Tous les motifs"), *Dossier.Motif.choices],
        "territories": TERRITORIES,
        "referents": _referents(listed),
        "previous_query": filters.query(avant=rows.before, apres=None, page=max(filters.page - 1, 1)),
        "next_query": filters.query(apres=rows.after, avant=None, page=filters.page + 1),
        "list_query": filters.first_page().query(),
        "in_emergency": emergency.is_on() and reader.profile in emergency.PROFILES,
    }


def _is_shown(vue: str, filters: Filters, counts: Counts) -> bool:
    return vue != ACTING_TAB or vue == filters.vue or bool(counts.of_tab(vue).value)


def _tab(vue: str, label: str, filters: Filters, counts: Counts) -> dict:
    number = counts.of_tab(vue)
    return {
        "label": f"{label}, {number}" if number.exceeded else label,
        "count": None if number.exceeded else number.value,
        "url": reverse("dossiers:list") + filters.first_page().query(vue=vue),
        "current": vue == filters.vue,
    }


def _referents(listed: FileActive) -> list[tuple[str, str]]:
    """Return the choices of « Référent »; none when no room tells who that is, or when this reader is not told."""
    found, chosen = listed.referents(), listed.filters.referent
    if found and chosen not in ("", *(value for value, _ in found)):
        # One who is no longer among them: the list stays filtered, and says so.
        found = [*found, (chosen, "Autre référent")]
    return [("", "Tous les référents"), *found] if found else []


def _columns() -> list[str]:
    """Return the columns that have a content: a room not built yet shows no empty column."""
    told = {"referent", "rendezvous"}
    return [
        name for name in ("motif", "referent", "nouveau", "rendezvous", "statut")
        if name not in told or panels.has_list_column(name)
    ]  # fmt: skip


def _row(
    dossier: Dossier, referent: panels.Summary | None, news: panels.Summary | None, next_one: panels.Summary | None
) -> dict:
    changed = dossier.changed_at > dossier.seen_at
    status = Dossier.Status(dossier.status)
    return {
        "url": reverse("dossiers:home", args=[dossier.pk]),
        "name": dossier.full_name,
        "second": ", ".join(filter(None, [_born(dossier), dossier.town])),
        "dossier": dossier,
        "motive": dossier.get_motif_display(),
        "referent": referent.main if referent else "",
        "is_new": changed,
        "news": _news(news, dossier.changed_at) if changed else None,
        "next": next_one.main if next_one else "",
        "acting": _for_whom(_acting(dossier)),
        "status": status.label,
        "status_kind": STATUS_KINDS.get(status, ""),
    }


def _acting(dossier: Dossier) -> str:
    """Return for whom the reader enters, as the list reads it; "" where he enters by himself."""
    return getattr(dossier, "acting", None) or ""


def _told_for_another(user, dossiers: list[Dossier]) -> frozenset[UUID]:
    """Return, of the dossiers entered for another, those whose whole circle is read by both. Two SQL statements more,
    none for who enters all of them by himself."""
    actings = {dossier.pk: UUID(_acting(dossier).split("|", 3)[2]) for dossier in dossiers if _acting(dossier)}
    if not actings:
        return frozenset()
    held = held_for(access.held_by(user), set(actings.values()))
    return frozenset(pk for pk, acting in actings.items() if acting in held and held[acting].sees_whole_circle)


def _for_whom(said: str) -> str:
    """Return "Remplacement de MODÈLE Karim jusqu’au 12/12/2026"."""
    if not said:
        return ""
    kind, until, _, name = said.split("|", 3)
    what = "Remplacement" if kind == STAND_IN else "Secrétariat"
    return f"{what} {of_name(name)}" + (f" jusqu’au {date_fr(dt.date.fromisoformat(until))}" if until else "")


def _born(dossier: Dossier) -> str:
    written = dossier.birth_date_written
    exact = dossier.birth_date_precision == Precision.DAY
    return f"{written}, {age_fr(dossier.birth_date)}" if exact else written


def _news(summary: panels.Summary | None, at) -> dict:
    if summary is None or not summary.main:
        return {"text": "Dossier modifié", "when": ago_fr(at)}
    return {"text": summary.main, "when": summary.detail or ago_fr(at)}


def _action(request: HttpRequest, wanted: Wanted) -> str:
    if wanted.matricule:
        return "recherche INS"
    return "recherche" if wanted else "liste"


def _trace(request: HttpRequest, action: str, count: int) -> None:
    traces.record_account(
        user=request.user, action=action, object_kind="dossier", count=count, via=traces.via_request(request)
    )
