"""What « À faire » and « Mon compte » say of invitations: those accepted, of whom somebody must say who it is."""

from django.db.models import Count, F, Value
from django.db.models.functions import JSONObject
from django.urls import reverse

from circle.invitation import Invitation
from coordination.accounts.notices import Notice, Provider
from coordination.common.french import plural


def _waits(user):
    """One row for all the invitations of this user that wait for somebody's word."""
    waiting = Invitation.objects.filter(invited_by=user).to_confirm().order_by().values("invited_by")
    return waiting.annotate(count=Count("pk")).annotate(said=JSONObject(count=F("count"), order=Value("")))


def _told(said):
    many = said["count"] > 1
    return Notice(
        title="Vos invitations sont acceptées." if many else "Une de vos invitations est acceptée.",
        sentence=f"{plural(said['count'], 'personne')} à confirmer avant que l’accès s’ouvre.",
        link_label="Voir et confirmer",
        link_url=f"{reverse('invitations:list')}?etat=a-confirmer",
    )


TO_CONFIRM = Provider(_waits, _told)
