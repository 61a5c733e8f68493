"""The dossiers that an account enters for another, for lists: the rule of `habilitations.acting`, in querysets."""

from __future__ import annotations

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, Least

from habilitations.models import ActingFor, Consent, Habilitation, Opposition, SecretaryConsent

STAND_IN = ActingFor.Kind.STAND_IN


def opened_to_others(user) -> QuerySet[Habilitation]:
    """Return the rows of others by which the account may enter today; refusals of its own are left to who asks."""
    under_way = ActingFor.objects.under_way().filter(substitute=user)
    consented = SecretaryConsent.objects.standing().filter(
        acting__in=under_way, acting__principal=OuterRef("user"), dossier=OuterRef("dossier")
    )
    refused = Habilitation.objects.filter(
        dossier=OuterRef("dossier"), user=OuterRef("user"), state=Habilitation.State.REFUS
    )
    as_stand_in = Q(user__in=under_way.filter(kind=STAND_IN).values("principal"))
    may = ActingFor.objects.current().filter(substitute=user)
    rows = Habilitation.objects.granting().filter(user__in=may.values("principal"))
    # What closes the other's own way in closes that of who acts for him.
    withdrawn = Consent.objects.withdrawn().filter(dossier=OuterRef("dossier"), habilitation__user=OuterRef("user"))
    whole = Opposition.objects.standing().filter(dossier=OuterRef("dossier"), rubrique="")
    closed = Exists(refused) | Exists(withdrawn) | Exists(whole.exclude(spared__contains=[OuterRef("user")]))
    return rows.filter(as_stand_in | Exists(consented)).exclude(closed)


def said_of_others(user, *, himself) -> Subquery:
    """Return "kind|last day|id|name" of whom the account acts for in the dossier OuterRef("pk"), else null.

    `id` is that of the acting. For dossiers it may enter. Of several, the one that `acting.preference` prefers.
    `himself`: the subquery of the dossiers it enters by itself, where it acts for nobody.
    """
    acts = ActingFor.objects.under_way().filter(substitute=user, principal=OuterRef("user"))
    consented = SecretaryConsent.objects.standing().filter(
        acting=OuterRef("pk"), dossier=OuterRef(OuterRef("dossier"))
    )
    # PostgreSQL's LEAST passes over nulls.
    acts = acts.filter(Q(kind=STAND_IN) | Exists(consented)).annotate(
        until=Least("last_day", OuterRef("access_until"), OuterRef("rests_until"))
    )
    best = acts.order_by("kind", F("until").desc(nulls_first=True))
    said = Concat(
        "kind", Value("|"), Coalesce(Cast("until", CharField()), Value("")), Value("|"), Cast("pk", CharField()),
        Value("|"), "principal__family_name", Value(" "), "principal__given_name", output_field=CharField(),
    )  # fmt: skip
    rows = opened_to_others(user).filter(dossier=OuterRef("pk")).exclude(dossier_id__in=himself)
    rests = Consent.objects.standing().filter(dossier=OuterRef("dossier"), habilitation=OuterRef("pk"))
    rows = rows.annotate(rests_until=Subquery(rests.values("last_day")[:1])).annotate(
        kind=Subquery(best.values("kind")[:1]),
        until=Subquery(best.values("until")[:1]),
        said=Subquery(best.annotate(said=said).values("said")[:1]),
    )
    return Subquery(rows.order_by("kind", F("until").desc(nulls_first=True), "pk").values("said")[:1])
