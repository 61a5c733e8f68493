"""What an administrator types about the matrix: reasons, a file, a line of the profession table."""

from __future__ import annotations

from django import forms

from coordination.common import nomenclatures
from coordination.common.text import seen
from habilitations import catalog
from habilitations.differences import NOT_OF_A_PROFESSION
from habilitations.models import MatrixVersion

REQUIRED = "Ce champ est obligatoire."


def name_read(typed: str) -> str:
    """Return a name as one sees it. Raises ValidationError for one of which nothing is seen."""
    if not (name := seen(typed)):
        raise forms.ValidationError(REQUIRED)
    return name


class ReasonForm(forms.Form):
    """Why a publication is asked for, or refused."""

    reason = forms.CharField(
        label="Motif de la modification", max_length=300, widget=forms.Textarea, error_messages={"required": REQUIRED}
    )

    def __init__(self, *args, label: str = "", **kwargs):
        super().__init__(*args, **kwargs)
        if label:
            self.fields["reason"].label = label


class ImportForm(forms.Form):
    fichier = forms.FileField(
        label="Fichier CSV ou XLSX",
        help_text="1 Mo au plus.",
        error_messages={"required": "Choisissez un fichier.", "empty": "Ce fichier est vide."},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )


class RuleForm(forms.Form):
    """One line of the profession table: a profession, a function or none, the profile they lead to or none.

    `draft` and `revision`: the draft its author had read, see `views.board.posted_draft`.
    """

    draft = forms.CharField(required=False, widget=forms.HiddenInput)
    revision = forms.CharField(required=False, widget=forms.HiddenInput)
    profession = forms.ChoiceField(label="Profession", error_messages={"required": REQUIRED})
    fonction = forms.ChoiceField(label="Fonction", required=False)
    profil = forms.ChoiceField(label="Profil", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        roles = _codes("role", "fonction")
        self.fields["profession"].choices = [("", "Choisir"), *_codes("profession"), *roles]
        self.fields["fonction"].choices = [("", "Toutes"), *roles]
        self.fields["profil"].choices = [("", "Aucun : n’ouvre rien"), *profile_choices(of_a_profession=True)]


class ReplayForm(forms.Form):
    version = forms.TypedChoiceField(label="Version", coerce=int)
    profil = forms.ChoiceField(label="Profil")
    rubrique = forms.ChoiceField(label="Rubrique")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].choices = [(n, f"Version {n}") for n in version_numbers()]
        self.fields["profil"].choices = profile_choices(closed=True)
        self.fields["rubrique"].choices = list(catalog.last().labels.items())


def version_numbers() -> list[int]:
    """Return the numbers of the published versions, the last first."""
    return list(MatrixVersion.objects.order_by("-number").values_list("number", flat=True))


def profile_choices(*, of_a_profession: bool = False, closed: bool = False) -> list[tuple[str, str]]:
    """Return (profile, name), in the order of the matrix; only those a profession may lead to, closed too, on request.

    The caller has read the catalogue of the moment.
    """
    left_out = NOT_OF_A_PROFESSION if of_a_profession else frozenset()
    known = catalog.last().profiles.values()
    return [(p.code, p.label) for p in known if p.code not in left_out and (closed or not p.closed)]


def _codes(*kinds: str) -> list[tuple[str, str]]:
    """Return (code, "label (code)") of lists of codes, in alphabetical order; a code of several lists is said once."""
    found = {concept.code: concept.label for kind in kinds for concept in nomenclatures.concepts(kind)}
    return sorted(((code, f"{label} ({code})") for code, label in found.items()), key=lambda pair: pair[1].casefold())
