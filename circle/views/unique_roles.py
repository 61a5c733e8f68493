"""« Rôles uniques »: which roles one member at a time may hold in each dossier. For administrators.

Where two members hold one, it cannot become unique: the dossiers are counted and given by their references, which
open nothing to an administrator (rule 10).
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from circle import actions, roles
from circle.errors import RoleHeldTwice
from circle.models import RoleSetting
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from habilitations.traces import via_request
from habilitations.views.board import for_administrators

# References shown of the dossiers where the rule would be broken; beyond, they are counted.
SHOWN = 20
GROUPS = (
    ("Professionnels", roles.PROFESSIONALS),
    ("Aidants et proches", frozenset({roles.PERSON})),
    ("Structures", frozenset({roles.STRUCTURE})),
)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def unique_roles(request: HttpRequest) -> HttpResponse:
    """The roles with what each is, and a button that says the contrary."""
    if request.method != "POST":
        return _page(request)
    try:
        unique = "unique" in request.POST
        role = request.POST.get("unique" if unique else "several", "")
        setting = actions.set_unique_role(role, unique, by=request.user, via=via_request(request))
    except DomainError as refusal:
        return _page(request, refusal)
    said = "tenu par un seul membre à la fois" if setting.unique else "tenu par autant de membres que nécessaire"
    messages.success(request, f"{roles.label(setting.role)} : {said}, dans chaque dossier.")
    return redirect(request, "roles:unique")


def _page(request: HttpRequest, refusal: DomainError | None = None) -> HttpResponse:
    changed = {setting.role: setting for setting in RoleSetting.objects.select_related("changed_by")}
    settings = {code: setting.unique for code, setting in changed.items()}
    groups = [
        {"title": title, "rows": [_row(role, settings, changed) for role in _of(kinds)]} for title, kinds in GROUPS
    ]
    held = refusal.dossier_ids if isinstance(refusal, RoleHeldTwice) else ()
    context = {
        "groups": groups, "count": sum(row["unique"] for group in groups for row in group["rows"]),
        "refusal": str(refusal) if refusal else "", "held": held[:SHOWN], "others": max(0, len(held) - SHOWN),
    }  # fmt: skip
    return render(request, "circle/unique_roles.html", context, status=422 if refusal else 200)


def _of(kinds: frozenset[str]) -> list[roles.Role]:
    """Return the roles of a group; one that several kinds of members may hold stands in the first."""
    before = [known for _, known in GROUPS[: [known for _, known in GROUPS].index(kinds)]]
    return [
        role for role in roles.all_roles().values() if role.kinds & kinds and not any(role.kinds & k for k in before)
    ]


def _row(role: roles.Role, settings: dict[str, bool], changed: dict[str, RoleSetting]) -> dict:
    setting = changed.get(role.code)
    return {
        "code": role.code, "label": role.label, "unique": roles.is_unique(role.code, settings),
        "by": setting.changed_by.get_full_name() if setting and setting.changed_by else "",
        "at": setting.changed_at if setting else None,
    }  # fmt: skip
