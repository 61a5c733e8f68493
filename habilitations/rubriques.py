"""The sixteen rubrics that have code of their own, and the three levels, in the order of the matrix.

Administrators rename them, withdraw some and add others: `habilitations/catalog.py`. Which ones a dossier has is asked
there, or of a matrix (`matrix.rubrics`), never of this list.

Pure: nothing of Django but the choices classes, so that the rules can be tested in milliseconds.
Source: default matrix of the product (habilitations/data/matrix-1.csv).
"""

from dataclasses import dataclass
from enum import property as enum_property

from django.db.models import IntegerChoices, TextChoices

# {code: name} as last read of the catalogue; empty where nothing was read.
labels: dict[str, str] = {}


class Niveau(IntegerChoices):
    AUCUN = 0, "Pas d’accès"
    LECTURE = 1, "Peut lire"
    ECRITURE = 2, "Peut lire et écrire"


class Rubrique(TextChoices):
    IDENTITE = "identite", "Identité et droits"
    CERCLE = "cercle", "Cercle de soins"
    LIAISON = "liaison", "Cahier de liaison"
    LIAISON_SOINS = "liaison_soins", "Notes de soins"
    AGENDA = "agenda", "Agenda"
    REUNIONS = "reunions", "Réunions"
    TACHES = "taches", "Tâches et alertes"
    MEDICAL = "medical", "Volet médical"
    PSYCHOLOGIQUE = "psychologique", "Volet psychologique"
    SOCIAL = "social", "Volet social"
    EVALUATIONS = "evaluations", "Évaluations"
    DOCUMENTS_MEDICAUX = "documents_medicaux", "Documents médicaux"
    DOCUMENTS_SOCIAUX = "documents_sociaux", "Documents sociaux"
    PLAN = "plan", "Plan personnalisé"
    LIGNE_DE_VIE = "ligne_de_vie", "Ligne de vie"
    JOURNAL = "journal", "Journal des accès"

    @enum_property
    def label(self) -> str:
        """The name administrators gave it."""
        return labels.get(self._value_, self._label_)


class Rubric(str):
    """A rubric made in the browser: it stands wherever a `Rubrique` does, and has no screen of its own."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)

    @property
    def label(self) -> str:
        return labels.get(self, str(self))


def shipped_label(rubrique: Rubrique) -> str:
    """Return the name a rubric is shipped with."""
    return rubrique._label_


# Heads of the grid, shortened; the full name goes to assistive technology.
SHORT = {
    Rubrique.IDENTITE: "Identité", Rubrique.CERCLE: "Cercle", Rubrique.LIAISON: "Liaison",
    Rubrique.LIAISON_SOINS: "Notes de soins", Rubrique.TACHES: "Tâches", Rubrique.MEDICAL: "Médical",
    Rubrique.PSYCHOLOGIQUE: "Psycho.", Rubrique.SOCIAL: "Social", Rubrique.EVALUATIONS: "Évaluat.",
    Rubrique.DOCUMENTS_MEDICAUX: "Doc. méd.", Rubrique.DOCUMENTS_SOCIAUX: "Doc. soc.", Rubrique.PLAN: "Plan",
    Rubrique.LIGNE_DE_VIE: "Ligne de vie", Rubrique.JOURNAL: "Journal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rubric navigation: a rubric and its icon."""

    rubrique: Rubrique
    icon: str


# The navigation as shipped: it groups rubrics by what a person looks for, not by the matrix.
NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "La personne",
        (
            Entry(Rubrique.IDENTITE, "person-vcard"),
            Entry(Rubrique.CERCLE, "people"),
            Entry(Rubrique.LIGNE_DE_VIE, "activity"),
        ),
    ),
    (
        "Échanges",
        (
            Entry(Rubrique.LIAISON, "chat-left-text"),
            Entry(Rubrique.LIAISON_SOINS, "journal-text"),
            Entry(Rubrique.AGENDA, "calendar3"),
            Entry(Rubrique.REUNIONS, "calendar-check"),
            Entry(Rubrique.TACHES, "check2-square"),
        ),
    ),
    (
        "Accompagnement",
        (
            Entry(Rubrique.MEDICAL, "heart-pulse"),
            Entry(Rubrique.PSYCHOLOGIQUE, "chat-left-text"),
            Entry(Rubrique.SOCIAL, "house-heart"),
            Entry(Rubrique.EVALUATIONS, "clipboard2-pulse"),
            Entry(Rubrique.PLAN, "signpost"),
        ),
    ),
    (
        "Pièces et traces",
        (
            Entry(Rubrique.DOCUMENTS_MEDICAUX, "folder"),
            Entry(Rubrique.DOCUMENTS_SOCIAUX, "folder"),
            Entry(Rubrique.JOURNAL, "clock-history"),
        ),
    ),
)


class Action(TextChoices):
    """What one may do, beside what one may read: the action rights, decided by profile too."""

    CREATE_DOSSIER = "creer_dossier", "Créer un dossier"
    ADD_MEMBER = "ajouter_membre", "Ajouter un membre sans accès"
    GRANT = "habiliter", "Habiliter, réduire, suspendre, retirer"
    INVITE = "inviter", "Inviter par e-mail"
    RECORD_REFUSAL = "noter_refus", "Noter un consentement ou un refus"
    VALIDATE_PLAN = "valider_plan", "Valider le plan"
    CLOSE_DOSSIER = "clore_dossier", "Clore ou rouvrir le dossier"
    PRINT = "imprimer", "Imprimer ce que l’on peut lire"
    EXPORT_DOSSIER = "exporter_dossier", "Exporter le dossier"
    READ_JOURNAL = "lire_journal", "Lire le journal des accès"


class Scope(TextChoices):
    """How far an action right goes."""

    ALL = "tous", "Tous les membres"
    OWN_STRUCTURE = "sa_structure", "Membres de sa structure"
