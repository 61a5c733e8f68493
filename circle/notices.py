"""What « À faire » and « Mon compte » say of invitations: those accepted, of whom somebody must say who it is."""

from django.urls import reverse

from circle.invitation import Invitation
from coordination.accounts.notices import Notice
from coordination.common.french import plural


def to_confirm(user) -> list[Notice]:
    """Return one notice for all the invitations of this user that wait for somebody's word. One SQL statement."""
    waiting = Invitation.objects.filter(invited_by=user).to_confirm().count()
    if not waiting:
        return []
    return [
        Notice(
            title="Vos invitations sont acceptées." if waiting > 1 else "Une de vos invitations est acceptée.",
            sentence=f"{plural(waiting, 'personne')} à confirmer avant que l’accès s’ouvre.",
            link_label="Voir et confirmer",
            link_url=f"{reverse('invitations:list')}?etat=a-confirmer",
        )
    ]
