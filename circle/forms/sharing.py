"""« Sur quoi repose le partage », in the form that habilitates and on the page of one member; oppositions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django import forms
from django.utils import timezone

from circle.forms.fields import FrenchDateField
from coordination.dossiers.forms import TidyForm
from habilitations import catalog
from habilitations.closures import closable
from habilitations.models import Collected, Consent
from habilitations.rubriques import Rubric, Rubrique

Ground = Consent.Ground
# Granted, and nothing opens before the person has been asked.
LATER = "a_recueillir"
TEAM = (
    (Ground.RECOGNISED, "La personne s’adresse à ce professionnel"),
    (Ground.STRUCTURE, "Même structure"),
    (Ground.ORGANISED, "Équipe organisée (DAC, réseau, CPTS…)"),
)
EXPRESS = (Ground.EXPRESS, "Accord exprès de la personne")
HOW = [("", "Choisir"), *Collected.choices]


def grounds(*, may_be_team: bool = True) -> list:
    """Return what the list offers; a relative is never of the équipe de soins."""
    team = [("Équipe de soins", [(value.value, label) for value, label in TEAM])] if may_be_team else []
    return [("", "Choisir"), *team, ("Hors de l’équipe de soins", [(EXPRESS[0].value, EXPRESS[1])])]


class SharingFields(TidyForm):
    """One list, a day, and for an express consent how it was collected: nothing is chosen in advance.

    `asks_sharing`: false where the sharing rests on something already, or for who may not note it.
    """

    rests_on = forms.ChoiceField(label="Sur quoi repose le partage", required=False)
    rests_since = FrenchDateField(label="Depuis le, ou accord donné le", required=False)
    rests_how = forms.ChoiceField(label="Recueil de l’accord exprès", required=False, choices=HOW)
    rests_told = forms.BooleanField(label="La personne est informée de ce partage", required=False)

    def __init__(self, *args, asks_sharing: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.asks_sharing = asks_sharing
        if not asks_sharing:
            for name in ("rests_on", "rests_since", "rests_how", "rests_told"):
                del self.fields[name]
            return
        self.fields["rests_on"].choices = [
            *grounds(),
            ("Pas encore", [(LATER, "À recueillir : rien ne s’ouvre d’ici là")]),
        ]
        self.initial.setdefault("rests_since", timezone.localdate())

    def read_sharing(self, cleaned: dict) -> dict | None:
        """Return what `record_consent` takes, None when it is to be collected; says what is missing."""
        chosen = cleaned.get("rests_on")
        if not chosen and "rests_on" not in self.errors:
            self.add_error("rests_on", "Dites sur quoi repose le partage, ou que l’accord est à recueillir.")
        if not chosen or chosen == LATER:
            return None
        day, how = cleaned.get("rests_since"), cleaned.get("rests_how", "")
        _require_past(self, "rests_since", day)
        if chosen == Ground.EXPRESS and not how:
            self.add_error("rests_how", "Indiquez comment l’accord a été recueilli.")
        told = cleaned.get("rests_told")
        return {"ground": chosen, "starts_on": day, "informed_on": day if told else None, "collected": how}


class ConsentForm(TidyForm):
    """« Accord et équipe de soins » of one member: what it rests on from now, in full.

    `rubrics`: those in use in the dossier, those made in the browser too.
    """

    NAMES = TidyForm.NAMES | {"until": "last_day"}
    ground = forms.ChoiceField(label="Sur quoi repose le partage")
    starts_on = FrenchDateField(label="Depuis le, ou accord donné le")
    informed_on = FrenchDateField(label="Personne informée le", required=False)
    collected = forms.ChoiceField(label="Recueil de l’accord exprès", required=False, choices=HOW)
    proof = forms.CharField(label="Preuve", max_length=200, required=False)
    rubriques = forms.MultipleChoiceField(
        label="Limiter l’accord à ces rubriques",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    last_day = FrenchDateField(label="Dernier jour de l’accord", required=False)
    # The fact that the page showed (`habilitations.actions.consents.read_as`).
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, rubrics: Iterable[Rubrique | Rubric], may_be_team: bool = True, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = grounds(may_be_team=may_be_team)
        self.fields["rubriques"].choices = _choices(rubrics)

    def clean(self) -> dict:
        cleaned = super().clean()
        express = cleaned.get("ground") == Ground.EXPRESS
        if express and not cleaned.get("collected"):
            self.add_error("collected", "Indiquez comment l’accord a été recueilli.")
        for name in ("starts_on", "informed_on"):
            _require_past(self, name, cleaned.get(name), missing=False)
        if not express and (cleaned.get("rubriques") or cleaned.get("last_day")):
            self.add_error("ground", "Seul un accord exprès se limite à des rubriques ou à une durée.")
        return cleaned

    def rests(self) -> dict:
        """Return what `record_consent` takes."""
        names = ("seen", "ground", "starts_on", "informed_on", "collected", "proof", "rubriques", "last_day")
        return {name: self.cleaned_data[name] for name in names}


class EndForm(TidyForm):
    """The person withdraws her consent, or the member leaves the équipe de soins."""

    end = forms.ChoiceField(label="Ce qui se passe")
    ended_on = FrenchDateField(label="Le")
    collected = forms.ChoiceField(label="Recueil du retrait", required=False, choices=HOW)
    # The fact that the page showed: that one ends, not another noted since.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, express: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        ends = [Consent.End.WITHDRAWN] if express else [Consent.End.OVER, Consent.End.WITHDRAWN]
        words = {Consent.End.WITHDRAWN: "La personne retire son accord" if express else "La personne s’y oppose",
                 Consent.End.OVER: Consent.End.OVER.label}  # fmt: skip
        self.fields["end"].choices = [("", "Choisir"), *((end.value, words[end]) for end in ends)]

    def clean(self) -> dict:
        cleaned = super().clean()
        _require_past(self, "ended_on", cleaned.get("ended_on"), missing=False)
        if cleaned.get("end") == Consent.End.WITHDRAWN and not cleaned.get("collected"):
            self.add_error("collected", "Indiquez comment la personne l’a dit.")
        return cleaned


class OppositionForm(TidyForm):
    """An opposition: to one rubric, for one member or for everybody, or to the whole dossier.

    `rubrics`: those in use; `members`: (id, name) of who may be opposed; `inside`: (account, name) of who may stay
    inside a closed dossier.
    """

    EVERYBODY, WHOLE = "tous", "dossier"
    NAMES = TidyForm.NAMES | {"habilitation": "whom"}
    rubrique = forms.ChoiceField(label="Ce que la personne ne veut pas partager")
    whom = forms.ChoiceField(label="Avec qui")
    spared = forms.MultipleChoiceField(
        label="Pour tout le dossier, gardent l’accès", required=False, widget=forms.CheckboxSelectMultiple
    )
    refused_on = FrenchDateField(label="Date de l’opposition")
    collected = forms.ChoiceField(label="Recueil de l’opposition", choices=HOW)
    comment = forms.CharField(label="Commentaire", max_length=500, required=False)

    def __init__(
        self, *args, rubrics: Iterable[Rubrique | Rubric], members: Iterable[tuple[str, str]],
        inside: Sequence[tuple[str, str]] = (), **kwargs,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["rubrique"].choices = [
            ("", "Choisir"), *_choices(rubrics), ("Tout", [(self.WHOLE, "Tout le dossier")]),
        ]  # fmt: skip
        self.fields["whom"].choices = [
            ("", "Choisir"), (self.EVERYBODY, "Tout le cercle de soins"), ("Un membre", list(members)),
        ]  # fmt: skip
        self.fields["spared"].choices = list(inside)

    def clean(self) -> dict:
        cleaned = super().clean()
        _require_past(self, "refused_on", cleaned.get("refused_on"), missing=False)
        whole = cleaned.get("rubrique") == self.WHOLE
        if whole and cleaned.get("whom") not in ("", None, self.EVERYBODY):
            self.add_error("whom", "Pour un membre et tout le dossier, notez un refus sur sa fiche.")
        return cleaned

    @property
    def member_id(self) -> UUID | None:
        whom = self.cleaned_data["whom"]
        return None if whom == self.EVERYBODY else UUID(whom)

    def opposition(self) -> dict:
        """Return what `record_opposition` takes, but for the member."""
        said = self.cleaned_data
        whole = said["rubrique"] == self.WHOLE
        return {
            "rubrique": "" if whole else said["rubrique"],
            "spared": [UUID(user_id) for user_id in said["spared"]] if whole else [],
            "refused_on": said["refused_on"],
            "collected": said["collected"],
            "comment": said["comment"],
        }


class OppositionWithdrawalForm(TidyForm):
    NAMES = TidyForm.NAMES | {"refused_on": "withdrawn_on"}
    withdrawn_on = FrenchDateField(label="Date du retrait")
    collected = forms.ChoiceField(label="Recueil du retrait", choices=HOW)

    def clean(self) -> dict:
        cleaned = super().clean()
        _require_past(self, "withdrawn_on", cleaned.get("withdrawn_on"), missing=False)
        return cleaned


def _choices(rubrics: Iterable[Rubrique | Rubric]) -> list[tuple[str, list[tuple[str, str]]]]:
    return catalog.last().grouped(closable(rubrics))


def _require_past(form: TidyForm, name: str, day: dt.date | None, *, missing: bool = True) -> None:
    if day is None:
        if missing and name not in form.errors:
            form.add_error(name, "Indiquez la date.")
    elif day > timezone.localdate():
        form.add_error(name, "Cette date ne peut pas être à venir.")
