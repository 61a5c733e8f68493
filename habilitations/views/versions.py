"""« Versions »: what was published, compared, exported, imported and restored as drafts, and decisions seen again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts.decorators import recently_authenticated
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.common.workbooks import CONTENT_TYPE
from habilitations import actions, differences, published, spreadsheets, tables, wording
from habilitations.actions.drafts import changes_of, known_codes
from habilitations.differences import KINDS, Edit
from habilitations.forms import ImportForm, ReplayForm, version_numbers
from habilitations.models import MatrixVersion
from habilitations.replay import replay
from habilitations.tables import Fault, TableRefused, read_table, write_table
from habilitations.traces import record_account, via_request
from habilitations.views.board import Board, for_administrators, others_said

# Versions listed; they are published a few times a year.
SHOWN = 100


@require_safe
@for_administrators
def versions(request: HttpRequest) -> HttpResponse:
    """The published versions, the last first, and what was asked for the one being prepared."""
    rows = MatrixVersion.objects.select_related("published_by", "draft__requested_by").order_by("-number")[:SHOWN]
    listed = [
        {"version": row, "draft": draft, "asked_by": draft.requested_by if draft else None}
        for row in rows
        for draft in [getattr(row, "draft", None)]
    ]
    return render(request, "habilitations/versions.html", {"rows": listed, "numbers": version_numbers()})


@require_safe
@for_administrators
def compare(request: HttpRequest) -> HttpResponse:
    """Any two versions, the older first; by default the last one and the one before."""
    numbers = version_numbers()
    if not numbers:
        raise Http404
    published.current()
    one = _number(request.GET.get("de"), numbers, numbers[min(1, len(numbers) - 1)])
    other = _number(request.GET.get("a"), numbers, numbers[0])
    changes = differences.difference(published.matrix(one), published.matrix(other))
    context = {
        "numbers": [(n, f"Version {n}") for n in numbers], "one": one, "other": other,
        "lines": [wording.change_line(change) | {"kind": tables.TITLES[change.key.kind]} for change in changes],
    }  # fmt: skip
    return render(request, "habilitations/compare.html", context)


@require_POST
@for_administrators
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """« Revenir à la version N »: a draft that writes the difference back; nothing is published."""
    version = get_object_or_404(MatrixVersion, number=number)
    try:
        actions.restore_version(version, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect(request, "habilitations:versions")
    messages.success(request, f"Un brouillon reprend la version {number}. Il ne change rien avant sa publication.")
    return redirect(request, "habilitations:matrix")


@require_safe
@for_administrators
@recently_authenticated(act="exporter la matrice d’habilitation", gives_file=True)
def export_xlsx(request: HttpRequest, number: int) -> HttpResponse:
    """The three tables of a version as a workbook."""
    matrix = _published(number)
    book = spreadsheets.write_xlsx({tables.TITLES[kind]: write_table(matrix, kind) for kind in KINDS})
    return _file(request, book, f"matrice-{number}.xlsx", CONTENT_TYPE)


@require_safe
@for_administrators
@recently_authenticated(act="exporter la matrice d’habilitation", gives_file=True)
def export_csv(request: HttpRequest, number: int, table: str) -> HttpResponse:
    """One table of a version as CSV."""
    if table not in KINDS:
        raise Http404
    rows = write_table(_published(number), table)
    return _file(request, spreadsheets.write_csv(rows), f"matrice-{number}-{table}.csv", spreadsheets.CSV)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def import_file(request: HttpRequest) -> HttpResponse:
    """« Importer »: the cells of a file become a draft; a bad file is refused with each cell and its reason.

    Opens nothing, so nobody is asked again who he is: the publication will.
    """
    form = ImportForm(request.POST or None, request.FILES or None)
    faults: tuple[Fault, ...] = ()
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["fichier"]
        try:
            edits = _read(given.name, given.read(spreadsheets.LARGEST + 1))
            saved = actions.import_draft(edits, by=request.user, name=given.name, via=via_request(request))
        except TableRefused as refusal:
            faults = refusal.faults
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            count = len(changes_of(saved.draft))
            messages.success(request, f"Fichier importé : {plural(count, 'modification')} dans le brouillon.")
            for line in others_said(saved.others):
                messages.warning(
                    request, f"Remplacé : {line['who']}, {line['what']}, écrit par {line['by']} ({line['words']})."
                )
            return redirect(request, "habilitations:matrix")
    status = 422 if form.is_bound else 200
    return render(request, "habilitations/import.html", {"form": form, "faults": faults}, status=status)


@require_safe
@for_administrators
def replay_decision(request: HttpRequest) -> HttpResponse:
    """« Rejouer une décision »: what a version gave to a profile on a rubric, and what the one in force gives."""
    published.current()
    form = ReplayForm(request.GET or None)
    answer = None
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        found = replay(said["version"], said["profil"], said["rubrique"])
        answer = {"replay": found, "profile": wording.profile_name(found.profile),
                  "rubrique": wording.column_name(differences.LEVEL, found.rubrique)}  # fmt: skip
    return render(request, "habilitations/replay.html", {"form": form, "answer": answer})


def _read(name: str, content: bytes) -> tuple[Edit, ...]:
    sheets = spreadsheets.read_file(name, content)
    if not sheets:
        raise TableRefused([Fault("", "A1", "Le fichier est vide.")])
    base, codes = Board.read().base, known_codes()
    edits: list[Edit] = []
    faults: list[Fault] = []
    for title, rows in sheets.items():
        try:
            edits += read_table(rows, base=base, professions=codes, name=title)
        except TableRefused as refusal:
            faults += refusal.faults
    if faults:
        raise TableRefused(faults)
    return tuple(edits)


def _published(number: int):
    if not MatrixVersion.objects.filter(number=number).exists():
        raise Http404
    published.current()
    return published.matrix(number)


def _number(text: str | None, numbers: list[int], otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) in numbers else otherwise


def _file(request: HttpRequest, content: bytes, name: str, content_type: str) -> HttpResponse:
    record_account(user=request.user, action="export", object_kind="matrice", via=via_request(request))
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
