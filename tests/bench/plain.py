"""The circle page written as one would at first: the plain ORM, Django’s templates (PERF-1's second yardstick).

The same session, rights, line of journal, rows, signs of access and links; same settings, middleware and web server.
Twelve statements, and half as much HTML: the menus of a row, its reasons and its icons are left out, which is to the
advantage of this one. None of the product's statements, kept circles or drawn rows. For tests/bench/pages.py alone,
which serves this application beside the product's.
"""

from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.template import Context, Engine
from django.urls import get_resolver, path
from django.utils import timezone

from coordination.wsgi import application

__all__ = ["application"]
LEVELS = range(16)


@login_required
def circle(request, dossier_id):
    # The models are there once the application is.
    from circle.models import Member
    from coordination.dossiers.models import Dossier
    from habilitations.models import ActionRight, Consent, Habilitation, MatrixRow, MatrixVersion, Trace

    today = timezone.localdate()
    dossier = Dossier.objects.select_related("referent_structure").filter(pk=dossier_id).first()
    own = Habilitation.objects.filter(dossier_id=dossier_id, user=request.user, state="oui").first()
    if dossier is None or own is None:
        raise Http404
    current = Q(ended_at=None) & Q(starts_on__lte=today)
    if not Consent.objects.filter(current, dossier=dossier, habilitation=own).exists():
        raise Http404
    version = MatrixVersion.objects.order_by("-number").first()
    cells = {row.rubrique: row.niveau for row in MatrixRow.objects.filter(version=version, profile=PROFILE)}
    rights = set(ActionRight.objects.filter(version=version, profile=PROFILE).values_list("action", flat=True))
    if not cells.get("cercle"):
        raise Http404
    members = (
        Member.objects.filter(dossier=dossier, periods__ends_on=None)
        .select_related("professional", "activity", "structure", "habilitation__user", "created_by")
        .prefetch_related("periods", "roles", "habilitation__consents")
        .order_by("kind", "family_name", "professional__family_name")
    )
    Trace.objects.create(
        at=timezone.now(), dossier_id=dossier.pk, actor_id=request.user.pk, actor_name=request.user.get_full_name(),
        profile=PROFILE, habilitation_id=own.pk, matrix_version=version.number, action="lecture", rubrique="cercle",
        outcome="ok", request_id=request.id, address=request.META.get("REMOTE_ADDR", ""),
    )  # fmt: skip
    shown = [row_of(member, cells, today) for member in members]
    groups = [
        (title, [row for row in shown if row["shape"] == shape])
        for title, shape in (("Professionnels", "person"), ("Structures", "structure"), ("Proches", "relative"))
    ]
    said = {"dossier": dossier, "groups": groups, "rights": rights, "cells": cells, "user": request.user}
    return HttpResponse(TEMPLATE.render(Context(said)))


def row_of(member, cells, today):
    from circle.roles import label

    who = member.professional or member
    name = member.structure.name if member.structure else f"{who.family_name} {who.given_name}"
    roles = [role for role in member.roles.all() if role.ends_on is None and role.starts_on <= today]
    since = [period.starts_on for period in member.periods.all() if period.ends_on is None]
    held = [consent for consent in member.habilitation.consents.all() if consent.ended_at is None]
    opens = member.habilitation.state == "oui" and bool(held)
    return {
        "pk": member.pk,
        "name": name,
        "initials": "".join(word[0] for word in name.split()[:2]),
        "shape": "structure" if member.structure else "relative" if member.relation else "person",
        "profession": getattr(member.activity, "profession", member.profession),
        "town": getattr(member.activity, "town", member.town),
        "role": ", ".join(label(role.role) for role in roles),
        "is_unique": any(role.exclusive for role in roles),
        "phone": getattr(who, "phone", "") or member.mobile,
        "since": since[0] if since else None,
        "state": member.habilitation.get_state_display(),
        "is_open": opens,
        "levels": [cells.get(code, 0) if opens else 0 for code, _ in zip(cells, LEVELS, strict=False)],
    }


PROFILE = "coordinateur_sante"
TEMPLATE = Engine(dirs=[str(Path(__file__).parent)]).get_template("plain_circle.html")
get_resolver().url_patterns.append(path("dossiers/<uuid:dossier_id>/cercle-simple/", circle))
