"""The rows that attacks need, written for good: each attack has a dossier or an account of its own."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.utils import timezone

from agenda.models import Appointment, Schedule
from circle.models import Member, Period
from coordination.accounts.models import User
from coordination.dossiers.models import Dossier
from coordination.partners.models import Partner
from habilitations.models import EmergencyAccess, Habilitation, MatrixVersion
from tests.circle import factories as circle
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DossierFactory, StructureFactory, UserFactory, habilitation

TODAY = timezone.localdate
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class World:
    """Somebody who writes, the matrix, and new things on demand."""

    def __init__(self) -> None:
        publish_default_matrix()
        self.author: User = circle.coordinator()
        self.administrator: User = UserFactory(administrator=True)
        self.now = timezone.now()

    @property
    def version(self) -> MatrixVersion:
        return MatrixVersion.objects.latest("number")

    def entry(self):
        """A dossier with its circle, as its creator enters it."""
        return circle.open_circle(self.author)

    def dossier(self, **fields) -> Dossier:
        return DossierFactory(created_by=self.author, **fields)

    def user(self) -> User:
        return UserFactory()

    def structure(self):
        return StructureFactory()

    def habilitation(self, dossier: Dossier | None = None, **fields) -> Habilitation:
        return Habilitation.objects.create(**{"dossier": dossier or self.dossier(), "state": "non"} | fields)

    def refused(self) -> Habilitation:
        """A member whom the person refuses, with the refusal that stands."""
        with transaction.atomic():
            return habilitation(self.dossier(), "refus")

    def relative(self, dossier: Dossier | None = None) -> Member:
        member = self.draft_relative(self.habilitation(dossier))
        member.save()
        return member

    def draft_relative(self, row: Habilitation, **fields) -> Member:
        """A relative who is not written yet."""
        said = {"kind": "aidant", "family_name": "MODÈLE", "mobile": "+33639982055", "created_by": self.author}
        return Member(**{"dossier_id": row.dossier_id, "habilitation": row} | said | fields)

    def stay(self, member: Member, **fields) -> Period:
        said = {"dossier_id": member.dossier_id, "member": member, "starts_on": TODAY(), "started_by": self.author}
        return Period(**said | fields)

    def emergency(self, dossier: Dossier, user: User, **fields) -> EmergencyAccess:
        said = {"reason": "vitale", "detail": "Trouvée seule.", "opened_at": self.now, "ends_at": self.now + HOUR}
        return EmergencyAccess(**{"dossier": dossier, "user": user} | said | fields)

    def schedule(self) -> Schedule:
        user = self.user()
        return Schedule.objects.create(key=user.pk, user=user)

    def appointment(self, dossier: Dossier | None = None, **fields) -> Appointment:
        """An appointment of tomorrow that is not written yet."""
        said = {
            "kind": "rendez_vous", "status": "booked", "zone": "Europe/Paris", "created_by": self.author,
            "starts_at": self.now + DAY, "ends_at": self.now + DAY + HOUR,
        }  # fmt: skip
        return Appointment(**{"dossier": dossier or self.dossier()} | said | fields)

    def partner(self) -> Partner:
        return Partner.objects.create(
            name=f"Partenaire {uuid.uuid4()}", base_url="https://partenaire.example/fhir", client_id="ici",
            token_url="https://partenaire.example/token", secret_sealed="scellé", created_by=self.administrator,
        )  # fmt: skip
