"""The invitation: a tracked letter to somebody who is to come in, with or without a dossier.

Its link is a keyed signature of (invitation, generation), made when the mail leaves, stored nowhere (`circle.links`).
"""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.common.text import person_name
from coordination.directory.models import Attachment
from coordination.directory.search.results import profession_label
from coordination.dossiers.models import READ_ONLY
from coordination.outbox.models import Message, State
from habilitations.models import VouchedProfession

# The letters whose fate is the fate of an invitation (kinds of the outbox).
INVITATION, REMINDER = "circle.invitation", "circle.invitation_reminder"
LETTERS = (INVITATION, REMINDER)
ONE_DAY = timedelta(days=1)
OPEN = Q(accepted_at=None, refused_at=None, revoked_at=None)


class InvitationQuerySet(models.QuerySet):
    def open(self):
        """Neither answered nor revoked; may have expired."""
        return self.filter(OPEN)

    def valid(self):
        """Those whose link can be accepted now."""
        return self.open().filter(expires_at__gt=timezone.now())

    def expired(self):
        return self.open().filter(expires_at__lte=timezone.now())

    def accepted(self):
        return self.exclude(accepted_at=None).filter(declined_at=None)

    def refused(self):
        return self.exclude(refused_at=None)

    def to_confirm(self):
        """Accepted by an account of which somebody must still say that it is the person meant.

        Outside any dossier there is only a profession to vouch for: who has one waits for nobody. In one, a row bound
        to another account no longer waits for this one.
        """
        vouched = VouchedProfession.objects.current().filter(user=OuterRef("accepted_by"))
        free = Q(member__habilitation__user=None) | Q(member__habilitation__user=F("accepted_by"))
        waiting = (Q(member=None) & ~Exists(vouched)) | Q(member__habilitation__state="attente") & free
        return self.accepted().filter(waiting, confirmed_at=None)

    def followed_by(self, user, *, structure_id=None, dossiers=()):
        """Those a person sent, and those sent by colleagues of a structure, discreet members apart (rule 7).

        `structure_id`: the structure of who may invite for it, None for who may not. `dossiers`: those that the
        account may enter; what was sent into any other dossier is shown to its sender only.
        """
        mine = Q(invited_by=user)
        if structure_id is None:
            return self.filter(mine)
        theirs = Q(member=None) | Q(dossier__in=dossiers, member__discreet=False)
        return self.filter(mine | Q(theirs, structure=structure_id))

    def known_to(self, user, *, structure_id=None, dossiers=()):
        """Those a person may come to by their identifier: sent by herself, or without a dossier for the structure she
        invites for, or in a dossier that she may enter (there, the circle as she sees it decides).
        """
        known = Q(invited_by=user) | Q(dossier__in=dossiers)
        return self.filter(known if structure_id is None else known | Q(dossier=None, structure=structure_id))

    def with_delivery(self):
        """With what became of the last letter: `delivery_state`, `delivery_error`, `delivery_uncertain`."""
        last = Message.objects.filter(object_id=OuterRef("pk"), kind__in=LETTERS).order_by("-created_at", "-id")
        return self.annotate(
            delivery_state=Subquery(last.values("state")[:1]),
            delivery_error=Subquery(last.values("last_error")[:1]),
            delivery_uncertain=Subquery(last.values("is_uncertain")[:1]),
        )

    def undelivered(self):
        """Valid ones whose last letter the servers refused. Needs `with_delivery()`."""
        return self.valid().filter(delivery_state=State.ECHEC)

    def undelivered_untold(self):
        """Those of which the inviter has not been told."""
        return self.with_delivery().undelivered().filter(undelivered_told_at=None)

    def to_remind(self, sent_before):
        """Valid ones sent before a moment, and reminded of by nobody since; none where no answer would be taken."""
        waiting = self.valid().filter(sent_at__lte=sent_before, reminded_at=None)
        return waiting.exclude(dossier__status__in=READ_ONLY)

    def with_names(self):
        """With who is named, and what is vouched for of the account that accepted: it decides, not what was typed.

        `account_profession`, `account_fonction` (None: nobody vouched), `account_rpps` of its entry of the directory.
        """
        vouched = VouchedProfession.objects.current().filter(user=OuterRef("accepted_by"))
        listed = Attachment.objects.filter(user=OuterRef("accepted_by"))
        return self.annotate(
            account_profession=Subquery(vouched.values("profession")[:1]),
            account_fonction=Subquery(vouched.values("fonction")[:1]),
            account_rpps=Subquery(listed.values("professional__rpps")[:1]),
        ).select_related(
            "invited_by",
            "structure",
            "accepted_by",
            "member__professional",
            "member__activity",
            "member__habilitation",
        )


class Invitation(models.Model):
    """One person invited, whatever the number of letters: `generation` voids the links of those before."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Both or neither: a colleague may be invited to use the application without any dossier.
    dossier = models.ForeignKey(
        "dossiers.Dossier", null=True, blank=True, on_delete=models.PROTECT, related_name="invitations"
    )
    member = models.ForeignKey(
        "circle.Member", null=True, blank=True, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField("adresse e-mail")
    family_name = models.CharField("nom", max_length=120)
    given_name = models.CharField("prénom", max_length=120, blank=True)
    # What the inviter says of the trade: what is confirmed in the end is this one.
    profession = models.CharField(max_length=4, blank=True)
    fonction = models.CharField(max_length=8, blank=True)
    message = models.CharField("message", max_length=600, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invitations")
    # For whom the inviter acted then; the name is copied, as in the journal.
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    structure_name = models.CharField(max_length=200, blank=True)
    generation = models.PositiveSmallIntegerField("envoi", default=1)
    creation_key = models.UUIDField(default=uuid7, editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField("envoyée le", default=timezone.now)
    expires_at = models.DateTimeField("valable jusqu’au")
    reminded_at = models.DateTimeField("relancée le", null=True, blank=True)
    opened_at = models.DateTimeField("ouverte le", null=True, blank=True)
    # The inviter was told that the servers refuse the address.
    undelivered_told_at = models.DateTimeField(null=True, blank=True)
    # The holder of a link that no longer serves asked for another one.
    asked_at = models.DateTimeField("nouveau lien demandé le", null=True, blank=True)
    accepted_at = models.DateTimeField("acceptée le", null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # What the person wrote of themselves, for who confirms to compare.
    declared_name = models.CharField(max_length=250, blank=True)
    declared_rpps = models.CharField(max_length=11, blank=True)
    declared_profession = models.CharField(max_length=4, blank=True)
    confirmed_at = models.DateTimeField("confirmée le", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Whoever may confirm said that the account which accepted is not the person meant.
    declined_at = models.DateTimeField("écartée le", null=True, blank=True)
    declined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    refused_at = models.DateTimeField("refusée le", null=True, blank=True)
    refusal_reason = models.CharField("motif du refus", max_length=300, blank=True)
    revoked_at = models.DateTimeField("annulée le", null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "invitation"
        ordering = ["-sent_at", "-id"]
        indexes = [
            models.Index(fields=["structure", "-sent_at"], name="invitation_by_structure"),
            models.Index(fields=["sent_at"], condition=OPEN & Q(reminded_at=None), name="invitation_to_remind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "member"],
                condition=OPEN & Q(member__isnull=False),
                name="one_open_invitation_per_member",
                violation_error_message="Une invitation attend déjà la réponse de cette personne.",
            ),
            models.UniqueConstraint(
                "invited_by",
                Lower("email"),
                condition=OPEN & Q(member=None),
                name="one_open_invitation_per_colleague",
                violation_error_message="Vous avez déjà invité cette adresse : sa réponse est attendue.",
            ),
            models.UniqueConstraint(
                fields=["invited_by", "creation_key"],
                name="invitation_made_once",
                violation_error_message="Cette invitation vient d’être envoyée.",
            ),
            models.CheckConstraint(
                condition=Q(dossier=None, member=None) | Q(dossier__isnull=False, member__isnull=False),
                name="invitation_to_a_dossier_has_its_member",
                violation_error_message="Une invitation dans un dossier concerne un membre de son cercle.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(refused_at=None, revoked_at=None)
                    | Q(accepted_at=None, revoked_at=None)
                    | Q(accepted_at=None, refused_at=None)
                ),
                name="invitation_is_closed_once",
                violation_error_message="Une invitation est acceptée, refusée ou annulée, une seule fois.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accepted_invitation_has_an_account",
                violation_error_message="Une invitation acceptée l’est par un compte.",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(accepted_at__isnull=False),
                name="confirmed_invitation_was_accepted",
                violation_error_message="Seule une invitation acceptée se confirme.",
            ),
            models.CheckConstraint(
                condition=Q(declined_at=None, declined_by=None)
                | Q(
                    declined_at__isnull=False, declined_by__isnull=False, accepted_at__isnull=False, confirmed_at=None
                ),
                name="declined_invitation_was_accepted",
                violation_error_message="Seule une invitation acceptée et pas confirmée s’écarte, par quelqu’un.",
            ),
            models.CheckConstraint(
                condition=Q(refusal_reason="") | Q(refused_at__isnull=False),
                name="invitation_reason_is_of_a_refusal",
                violation_error_message="Un motif de refus accompagne un refus.",
            ),
            models.CheckConstraint(
                condition=Q(revoked_by=None) | Q(revoked_at__isnull=False),
                name="invitation_revoked_at_a_date",
                violation_error_message="Une annulation porte sa date.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("sent_at")) & Q(generation__gte=1),
                name="invitation_expires_after_it_was_sent",
                violation_error_message="Une invitation expire après son envoi.",
            ),
        ]

    def __str__(self):
        return str(self.id)

    @property
    def trade(self) -> str:
        """The profession invited, in words: of her sheet's gender for a member of a circle."""
        feminine = self.member_id is not None and self.member.is_feminine
        return profession_label(self.profession, fonction=self.fonction, feminine=feminine)

    @property
    def display_name(self):
        return person_name(self.family_name, self.given_name)

    @property
    def is_to_confirm(self):
        """Accepted, and nobody has said, nor shown otherwise, that it is the person meant. Needs `with_names()`."""
        if self.accepted_at is None or self.confirmed_at is not None or self.declined_at is not None:
            return False
        if self.member is None:
            return self.account_profession is None
        row = self.member.habilitation
        return row.state == "attente" and row.user_id in (None, self.accepted_by_id)

    @property
    def counting_profession(self):
        """(profession, fonction) that decides once confirmed: the one vouched for, else the one invited.

        Needs `with_names()`.
        """
        if self.account_profession is None:
            return self.profession, self.fonction
        return self.account_profession, self.account_fonction

    @property
    def is_of_another_profession(self):
        """Whether the account that accepted is vouched for something else than what was invited."""
        return self.counting_profession != (self.profession, self.fonction)

    @property
    def asks_profession(self):
        """Whether who confirms chooses the profession: none was invited nor vouched for. Needs `with_names()`."""
        return self.account_profession is None and not self.profession

    @property
    def remindable_at(self):
        """When « Relancer » may write again: a day after the last letter."""
        return max(filter(None, (self.sent_at, self.reminded_at))) + ONE_DAY

    @property
    def is_open(self):
        return self.accepted_at is None and self.refused_at is None and self.revoked_at is None

    @property
    def may_be_asked_again(self):
        """Whether its holder may ask for another one: nobody has answered, were it called off meanwhile."""
        return self.accepted_at is None and self.refused_at is None

    @property
    def is_valid(self):
        return self.is_open and self.expires_at > timezone.now()
