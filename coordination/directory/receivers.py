"""What the directory does when somebody signs in."""

from coordination.common.errors import DomainError
from coordination.directory.actions import accounts
from coordination.directory.models import AttachmentOffer
from habilitations import traces


def answer_by_signing_in(sender, request, user, **kwargs) -> None:
    """The first sign-in of an account opened for a structure is the answer to its offer: the address is proved."""
    for offer in AttachmentOffer.objects.waiting().filter(user=user, opens_account=True):
        try:
            accounts.accept_offer(offer, by=user, via=traces.via_request(request))
        except DomainError:
            # Somebody else became this professional meanwhile: the offer waits, an administrator sees it.
            continue
