"""« Réduire pour ce dossier »: what one member may do at most, rubric by rubric, whatever the matrix says (rule 2)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7
from habilitations.rubriques import Niveau, Rubrique

# Inside a dossier one knows whose it is and with whom: closing these is suspending the habilitation.
ALWAYS_READ = (Rubrique.IDENTITE, Rubrique.CERCLE)


class CeilingQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(lifted_at=None)


class Ceiling(models.Model):
    """A dated fact: set by somebody, lifted by somebody. It only lowers; it stands on the member, not on a state."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="ceilings")
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="ceilings")
    # A code of the catalogue, as a trigger asks (migration 0013): rubrics are added in the browser.
    rubrique = models.CharField(max_length=20)
    niveau = models.PositiveSmallIntegerField("au plus", choices=Niveau)
    set_at = models.DateTimeField(auto_now_add=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = CeilingQuerySet.as_manager()

    class Meta:
        verbose_name = "réduction pour un dossier"
        verbose_name_plural = "réductions pour un dossier"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation", "rubrique"],
                condition=Q(lifted_at=None),
                name="one_standing_ceiling_per_rubric",
                violation_error_message="Cette rubrique est déjà réduite pour ce membre.",
            ),
            models.CheckConstraint(
                condition=Q(niveau__in=[Niveau.AUCUN, Niveau.LECTURE]),
                name="ceiling_lowers",
                violation_error_message="Une réduction ne donne jamais le droit d’écrire.",
            ),
            models.CheckConstraint(
                condition=~Q(rubrique__in=ALWAYS_READ) | Q(niveau__gte=Niveau.LECTURE),
                name="ceiling_leaves_who_and_with_whom",
                violation_error_message=(
                    "L’identité et le cercle de soins restent lisibles de qui a accès : "
                    "pour tout fermer, suspendez l’habilitation."
                ),
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="ceiling_lifted_by_somebody",
                violation_error_message="Une réduction levée dit par qui.",
            ),
        ]
