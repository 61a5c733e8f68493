"""« Réduire pour ce dossier »: the most a member may do, rubric by rubric, and his last day."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from circle.forms.fields import FrenchDateField
from coordination.dossiers.forms import TidyForm
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Niveau, Rubrique

AS_THE_MATRIX = ""


class LimitsForm(TidyForm):
    """One list per rubric the member's profession opens; what it does not open cannot be lowered.

    `cells`: {rubric in use: level of the matrix}; `standing`: {rubric: ceiling}, kept for rubrics that are not shown.
    """

    until = FrenchDateField(label="Dernier jour d’accès", required=False)
    # What was read of them (`habilitations.actions.limits.read_as`): none of another is lifted unseen.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args, cells: Mapping[Rubrique, Niveau], standing: Mapping[Rubrique, Niveau], initial=None, **kwargs
    ) -> None:
        said = {str(rubrique): str(int(niveau)) for rubrique, niveau in standing.items()}
        super().__init__(*args, initial=said | (initial or {}), **kwargs)
        self._standing, self.cells = standing, cells
        offered = {rubrique: _choices(rubrique, cells[rubrique], standing.get(rubrique)) for rubrique in cells}
        # Where nothing can be lowered there is nothing to choose.
        self.rubrics = [
            rubrique for rubrique in cells
            if rubrique in standing or (cells[rubrique] >= Niveau.LECTURE and len(offered[rubrique]) > 1)
        ]  # fmt: skip
        for rubrique in self.rubrics:
            self.fields[rubrique.value] = forms.ChoiceField(
                label=rubrique.label, required=False, choices=offered[rubrique]
            )

    @property
    def lists(self) -> list:
        return [self[rubrique.value] for rubrique in self.rubrics]

    def ceilings(self) -> dict[Rubrique, Niveau]:
        """Return the ceilings asked for; of a list that cannot be read, the one that stands."""
        asked = {}
        for rubrique in self.cells:
            said = self.cleaned_data.get(rubrique.value) if rubrique in self.rubrics else None
            if said is None and rubrique in self._standing:
                asked[rubrique] = self._standing[rubrique]
            elif said:
                asked[rubrique] = Niveau(int(said))
        return asked


def _choices(rubrique: Rubrique, cell: Niveau, standing: Niveau | None) -> list[tuple[str, str]]:
    """Return what the list of a rubric offers: what lowers its cell, and what stands, whatever the cell has become.

    Left out, what stands would be lifted by whoever saves another line of the page.
    """
    lower = [
        niveau for niveau in (Niveau.LECTURE, Niveau.AUCUN)
        if niveau < cell or cell == Niveau.AUCUN or niveau == standing
    ]  # fmt: skip
    if rubrique in ALWAYS_READ:
        lower = [niveau for niveau in lower if niveau >= Niveau.LECTURE]
    return [(AS_THE_MATRIX, f"Selon sa profession : {cell.label.lower()}"), *((str(int(n)), n.label) for n in lower)]


class AnswerForm(TidyForm):
    """The sentence that goes back to who asked; needed to refuse."""

    answer = forms.CharField(label="Votre réponse", max_length=300, required=False, widget=forms.Textarea)
