"""The dossiers that an account enters for another, for lists: the rule of `habilitations.acting`, in querysets."""

from __future__ import annotations

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from habilitations.models import ActingFor, Habilitation, SecretaryConsent

STAND_IN = ActingFor.Kind.STAND_IN


def opened_to_others(user) -> QuerySet[Habilitation]:
    """Return the rows of others by which the account may enter today; refusals of its own are left to who asks."""
    acts = ActingFor.objects.current().filter(substitute=user)
    consented = SecretaryConsent.objects.standing().filter(
        acting__in=acts, acting__principal=OuterRef("user"), dossier=OuterRef("dossier")
    )
    refused = Habilitation.objects.filter(
        dossier=OuterRef("dossier"), user=OuterRef("user"), state=Habilitation.State.REFUS
    )
    as_stand_in = Q(user__in=acts.filter(kind=STAND_IN).values("principal"))
    rows = Habilitation.objects.granting().filter(user__in=acts.values("principal"))
    return rows.filter(as_stand_in | Exists(consented)).exclude(Exists(refused))


def said_of_others(user, *, himself) -> Subquery:
    """Return "kind|last day|name" of whom the account acts for in the dossier OuterRef("pk"); null where it does not.

    `himself`: the subquery of the dossiers it enters by itself, where it acts for nobody.
    """
    acts = ActingFor.objects.current().filter(substitute=user, principal=OuterRef("user"))
    consented = SecretaryConsent.objects.standing().filter(
        acting=OuterRef("pk"), dossier=OuterRef(OuterRef("dossier"))
    )
    said = Concat(
        "kind", Value("|"), Coalesce(Cast("last_day", CharField()), Value("")), Value("|"),
        "principal__family_name", Value(" "), "principal__given_name", output_field=CharField(),
    )  # fmt: skip
    best = (
        acts.filter(Q(kind=STAND_IN) | Exists(consented))
        .order_by("kind", F("last_day").desc(nulls_first=True))
        .annotate(said=said)
        .values("said")[:1]
    )
    rows = opened_to_others(user).filter(dossier=OuterRef("pk")).exclude(dossier_id__in=himself)
    return Subquery(rows.annotate(said=Subquery(best)).order_by("said", "pk").values("said")[:1])
