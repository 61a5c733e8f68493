"""How many things wait in « À faire », kept for each account so that the top bar says it at no cost of its own.

Counted when the page is read and, for those at work, by a task (`actions.counting`); docs/decisions.
"""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import OuterRef
from django.db.models.functions import Now
from django.utils import timezone

# What the query of the session brings (`accounts.sessions.carry`).
CARRIED = "todo_count"
# Beyond, nothing is said rather than a number of the day before.
SAID_FOR = dt.timedelta(hours=8)


class TodoCount(models.Model):
    """How many things waited for this person, when somebody last counted."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveIntegerField("en attente")
    counted_at = models.DateTimeField("compté le", default=timezone.now)

    class Meta:
        verbose_name = "nombre de choses à faire"


def carried():
    """Return the expression that the query of the session answers: the count, nothing when it is too old."""
    return TodoCount.objects.filter(pk=OuterRef("user_id"), counted_at__gt=Now() - SAID_FOR).values("count")


def said_to(user) -> int:
    """Return how many things wait for the person of a request, 0 when nobody knows. No SQL statement."""
    return getattr(user, CARRIED, None) or 0
