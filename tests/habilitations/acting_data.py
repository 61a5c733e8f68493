"""Stand-ins and secretaries for tests: rows as the actions leave them once answered."""

import datetime as dt

from django.utils import timezone

from habilitations.models import ActingFor, SecretaryConsent

DAY = dt.timedelta(days=1)


def today():
    return timezone.localdate()


def stand_in(principal, substitute, *, first=None, last=None, accepted=True, **more):
    return ActingFor.objects.create(
        kind="remplacement", principal=principal, substitute=substitute, called=substitute.email,
        first_day=first or today(), last_day=last or today() + 7 * DAY,
        accepted_at=timezone.now() if accepted else None, **more,
    )  # fmt: skip


def secretary(principal, substitute, *rubriques, first=None, last=None, **more):
    return ActingFor.objects.create(
        kind="secretariat", principal=principal, substitute=substitute, called=substitute.email,
        first_day=first or today(), last_day=last, rubriques=["identite", "cercle", *rubriques],
        accepted_at=timezone.now(), **more,
    )  # fmt: skip


def consent(acting, dossier, **more):
    return SecretaryConsent.objects.create(
        dossier=dossier, acting=acting, given_on=today(), collected="oral", recorded_by=acting.principal, **more
    )


def ended():
    return {"ended_at": timezone.now()}
