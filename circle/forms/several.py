"""« Inviter plusieurs personnes » into a circle: the lines, then one answer for all of them, or for each."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from circle import roles
from circle.arrivals import NOBODY, PRESENT, Arrival
from circle.discretion import names_the_person
from circle.errors import MessageNamesPerson
from circle.forms.access import NO, YES
from circle.forms.invitations import LinesForm
from circle.forms.sharing import SharingFields
from coordination.common.ids import uuid7
from coordination.directory.search import profession_label

AS_ALL = ("", "Comme pour tous")


class PeopleForm(LinesForm):
    """Who comes: pasted lines, or a CSV file, and the words of the letter."""

    def __init__(self, *args, dossier, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._dossier = dossier
        self.fields["lines"].help_text = (
            "adresse ; nom ; prénom ; profession ou rôle ; structure (facultative). Séparateur : point-virgule, "
            "virgule ou tabulation. Une première ligne qui nomme les colonnes en change l’ordre."
        )

    def clean(self) -> dict:
        cleaned = super().clean()
        if names_the_person(cleaned.get("message", ""), self._dossier):
            self.add_error("message", str(MessageNamesPerson()))
        return cleaned


class ArrivalsForm(SharingFields):
    """The answers: who each line is, his role, and whether he is habilitated and invited or only added."""

    lines = forms.CharField(widget=forms.HiddenInput, strip=False, max_length=20_000)
    message = forms.CharField(widget=forms.HiddenInput, required=False, max_length=600)
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)
    role = forms.ChoiceField(label="Rôle", required=False)
    habilitation = forms.ChoiceField(label="Habilitation", widget=forms.RadioSelect)

    def __init__(self, *args, arrivals: Sequence[Arrival], unique: frozenset[str], may_grant: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.arrivals = [arrival for arrival in arrivals if arrival.is_open]
        self._unique = unique
        opens = "Habilitation : oui, et invitation" if may_grant else "Demander l’habilitation, et inviter"
        self.fields["habilitation"].choices = [(YES, opens), (NO, "Habilitation : non, ajoutées pour information")]
        self.fields["role"].choices = [("", "Celui de sa profession"), *self._common_roles()]
        for arrival in self.arrivals:
            self._ask(arrival)

    def _ask(self, arrival: Arrival) -> None:
        number, who = arrival.line.number, f"Ligne {arrival.line.number}"
        self.fields[f"qui-{number}"] = forms.ChoiceField(
            label=f"{who} : qui est-ce ?", choices=arrival.choices, initial=arrival.guess,
            error_messages={"required": "Choisissez qui c’est.", "invalid_choice": "Choisissez dans la liste."},
        )  # fmt: skip
        if arrival.member_id:
            return
        likely = self._likely_roles(arrival)
        read = arrival.line.role if arrival.line.role in dict(likely) else ""
        self.fields[f"role-{number}"] = forms.ChoiceField(
            label=f"{who} : rôle", required=False, choices=[AS_ALL, *likely], initial=read
        )
        self.fields[f"acces-{number}"] = forms.ChoiceField(
            label=f"{who} : habilitation", required=False,
            choices=[AS_ALL, (YES, "Habiliter et inviter"), (NO, "Ajouter sans habiliter")],
        )  # fmt: skip

    def _common_roles(self) -> list[tuple[str, str]]:
        """Return the roles that any professional may hold beside others; a unique one is handed over on its page."""
        held = (role for role in roles.all_roles().values() if roles.PROFESSIONALS <= role.kinds)
        kept = (r for r in held if not r.professions and r.code not in self._unique | roles.SHOWN_AS_PROFESSION)
        return [(role.code, role.label) for role in kept]

    def _likely_roles(self, arrival: Arrival) -> list[tuple[str, str]]:
        profession = arrival.line.profession
        read = roles.get(arrival.line.role)
        likely = [*filter(None, [read]), *(role for role in roles.likely(roles.MANUAL, profession) if role != read)]
        said = profession_label(profession)
        return [(r.code, roles.label(r.code, profession=said)) for r in likely if r.code not in self._unique]

    def clean(self) -> dict:
        cleaned = super().clean()
        asked = self.asks_sharing and not self.errors and self.opens
        cleaned["rests"] = self.read_sharing(cleaned) if asked else None
        return cleaned

    def who_of(self, arrival: Arrival) -> str:
        return self.cleaned_data[f"qui-{arrival.line.number}"]

    def wanted_of(self, arrival: Arrival) -> str:
        return self.cleaned_data.get(f"acces-{arrival.line.number}") or self.cleaned_data["habilitation"]

    def role_of(self, arrival: Arrival) -> str:
        return self.cleaned_data.get(f"role-{arrival.line.number}") or self.cleaned_data["role"]

    @property
    def to_do(self) -> list[Arrival]:
        """Return the lines of which something is to be done, in their order."""
        return [arrival for arrival in self.arrivals if self._is_to_do(arrival)]

    def _is_to_do(self, arrival: Arrival) -> bool:
        who = self.who_of(arrival)
        return who != NOBODY and not (who == PRESENT and self.wanted_of(arrival) == NO)

    @property
    def opens(self) -> bool:
        return any(self.wanted_of(arrival) == YES for arrival in self.to_do)
