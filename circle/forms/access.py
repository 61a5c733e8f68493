"""Role, habilitation, refusal: the one question of each, and the hand-over of a role that only one person holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django import forms
from django.utils import timezone

from circle import roles
from circle.forms.fields import FrenchDateField
from circle.forms.invitations import InvitationFields
from circle.forms.sharing import SharingFields
from coordination.common.ids import uuid7
from coordination.dossiers.forms import TidyForm
from habilitations.models import Refusal

OTHER = "autre"
YES, NO, REFUSAL, REQUEST = "oui", "non", "refus", "demande"
SOMEBODY_ELSE = {"label": "Pourquoi s’agit-il de quelqu’un d’autre ?", "max_length": 300, "required": False}


class HandoverForm(TidyForm):
    """A unique role changes hands: from when, and what its holder becomes. The holder stays in the circle."""

    starts_on = FrenchDateField(label="À partir du")
    new_role = forms.ChoiceField(label="Son nouveau rôle")

    def __init__(self, *args, roles: Iterable[tuple[str, str]] = (), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_role"].choices = [("", "Choisir"), *roles]

    @property
    def is_answered(self) -> bool:
        """Whether something was typed; without JavaScript the panel may not have been on the page yet."""
        return self.is_bound and any(self.data.get(self.add_prefix(name)) for name in self.fields)

    def handover(self) -> dict:
        return {"starts_on": self.cleaned_data["starts_on"], "new_role": self.cleaned_data["new_role"]}


@dataclass(frozen=True)
class Holder:
    """Who holds a unique role: shown before one takes it over."""

    member_id: object
    name: str
    # The role in the gender of who holds it: "Aidante principale".
    role: str
    since: object
    # What the holder may become, (code, label) pairs, and the first guess.
    roles: Sequence[tuple[str, str]] = ()
    likely: str = ""


@dataclass(frozen=True)
class Planned:
    """A hand-over to come: who takes a unique role, and on which day."""

    name: str
    on: object

    @property
    def said(self) -> str:
        return f"passera à {self.name} le {self.on:%d/%m/%Y}"


@dataclass
class RolePicker:
    """What the role question offers one member: likely roles first, the rest in a list, and who holds the unique ones.

    `likely` and `others` are (code, label) pairs; `unique` the codes one member holds at a time; `planned` who takes
    one of them later.
    """

    likely: list[tuple[str, str]]
    others: list[tuple[str, str]]
    unique: frozenset[str] = frozenset()
    holders: dict[str, Holder] = field(default_factory=dict)
    planned: dict[str, Planned] = field(default_factory=dict)
    required: bool = True

    @property
    def codes(self) -> set[str]:
        return {code for code, _ in (*self.likely, *self.others)}

    def label(self, code: str) -> str:
        return dict((*self.likely, *self.others)).get(code, "")

    @property
    def choices(self) -> list[tuple[str, str]]:
        """All roles for a drop-down list, the holder of a unique one named, and who takes it later."""
        return [(code, self.full_label(code)) for code, _ in (*self.likely, *self.others)]

    def full_label(self, code: str) -> str:
        said = self.held(code)
        return f"{self.label(code)} ({said})" if said else self.label(code)

    def held(self, code: str, *, since: bool = False) -> str:
        """Return "tenu par X depuis le…, passera à Y le…", as far as the role is held or promised; "" otherwise."""
        holder, planned = self.holders.get(code), self.planned.get(code)
        now = f"tenu par {holder.name}" if holder else ""
        if holder and since:
            now += f" depuis le {holder.since:%d/%m/%Y}"
        return ", ".join(filter(None, (now, planned.said if planned else "")))

    def bring_forward(self, code: str) -> None:
        """Put a role of the list among the likely ones, so that its hand-over can be shown."""
        if code in dict(self.others):
            self.likely.append((code, dict(self.others)[code]))
            self.others = [pair for pair in self.others if pair[0] != code]


class RoleFields(TidyForm):
    """The role, chosen among radios or in the list under « Autre rôle », with its hand-over when it is held."""

    role = forms.CharField(label="Rôle", max_length=20)
    role_autre = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, picker: RolePicker, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.picker = picker
        self.fields["role"].required = picker.required
        chosen = self._chosen(self.data) if self.is_bound else ""
        if chosen in picker.holders:
            picker.bring_forward(chosen)
        self.handovers = {
            code: HandoverForm(
                self.data if code == chosen and self.is_bound else None,
                prefix=f"passation-{code}",
                roles=holder.roles,
                initial=self._handover_initial(code, holder),
            )
            for code, holder in picker.holders.items()
            # A forged role that does not suit this member opens no hand-over.
            if code in picker.codes
        }
        # The other fields of a form that only reads the role stay out of the page.
        shown = chosen if self.is_bound else self._chosen(self.initial)
        self.other_value = shown if shown in dict(picker.others) else ""

    def _handover_initial(self, code: str, holder: Holder) -> dict:
        """Return what a draft holds of this hand-over, else today and the likeliest role."""
        first = {"starts_on": timezone.localdate(), "new_role": holder.likely}
        return {name: self.initial.get(f"passation-{code}-{name}", value) for name, value in first.items()}

    def _chosen(self, data) -> str:
        role = data.get(self.add_prefix("role"), "").strip()
        role = data.get(self.add_prefix("role_autre"), "").strip() if role == OTHER else role
        # Both say « his profession »; without JavaScript the list was drawn before the profession was known.
        if role in roles.SHOWN_AS_PROFESSION and role not in self.picker.codes:
            return next(iter(roles.SHOWN_AS_PROFESSION & self.picker.codes), role)
        return role

    def hidden_fields(self):
        """The list under « Autre rôle » is drawn with the radios, not among the hidden inputs."""
        return [bound for bound in super().hidden_fields() if bound.name != "role_autre"]

    @property
    def other_choices(self) -> list[tuple[str, str]]:
        return [(code, self.picker.full_label(code)) for code, _ in self.picker.others]

    @property
    def shown_role(self) -> str:
        """The radio to check: the code itself once it is among the likely ones, else « Autre rôle »."""
        code = self._chosen(self.data) if self.is_bound else (self.initial.get("role") or "")
        return OTHER if code in dict(self.picker.others) else code

    def clean(self) -> dict:
        cleaned = super().clean()
        code = self._chosen(self.data)
        cleaned["handover"] = None
        if not code:
            if self.picker.required and "role" not in self.errors:
                self.add_error("role", "Choisissez un rôle dans la liste.")
            cleaned["role"] = ""
            return cleaned
        if code not in self.picker.codes:
            self.add_error("role", "Ce rôle ne convient pas à cette personne.")
            return cleaned
        cleaned["role"] = code
        if code in self.handovers:
            self._read_handover(code, cleaned)
        return cleaned

    def _read_handover(self, code: str, cleaned: dict) -> None:
        handover = self.handovers[code]
        if handover.is_valid():
            cleaned["handover"] = handover.handover() | {"from_member": self.picker.holders[code].member_id}
        elif not handover.is_answered:
            name = self.picker.holders[code].name
            self.add_error("role", f"{name} tient ce rôle : indiquez la date de la passation et son nouveau rôle.")

    def is_valid(self) -> bool:
        """What is wrong in the hand-over is said there, once, and is wrong all the same."""
        return super().is_valid() and all(form.is_valid() for form in self.handovers.values() if form.is_bound)

    def refuse(self, error) -> None:
        """Put a refusal of the rules beside the field it speaks of, those of the hand-over included."""
        names = {"handover_starts_on": "starts_on", "handover_role": "new_role", "handover": "starts_on"}
        code = self.cleaned_data.get("role", "")
        if error.field in names and code in self.handovers:
            self.handovers[code].add_error(names[error.field], str(error))
            return
        super().refuse(error)

    @property
    def all_forms(self) -> list:
        """The form and the hand-over it opened, once something is answered there: what an error summary lists."""
        return [self, *(handover for handover in self.handovers.values() if handover.is_answered)]


class RefusalFields(TidyForm):
    """When the person refused and how it was collected; asked only when the answer is a refusal."""

    refused_on = FrenchDateField(label="Date du refus", required=False)
    collected = forms.ChoiceField(label="Recueil du refus", required=False)
    comment = forms.CharField(label="Commentaire", max_length=500, required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["collected"].choices = [("", "Choisir"), *Refusal.Collected.choices]
        # Nearly always noted on the day it is said; read only where the answer is a refusal.
        self.initial.setdefault("refused_on", timezone.localdate())

    def read_refusal(self, cleaned: dict) -> dict | None:
        """Return the refusal, or None after having said what is missing."""
        wanted = {"refused_on": "Indiquez la date du refus.", "collected": "Indiquez comment il a été recueilli."}
        for name, sentence in wanted.items():
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, sentence)
        day = cleaned.get("refused_on")
        if day and day > timezone.localdate():
            self.add_error("refused_on", "La date du refus ne peut pas être à venir.")
        return {
            "refused_on": day,
            "collected": cleaned.get("collected", ""),
            "comment": cleaned.get("comment", ""),
        }


class SameOneFields(RefusalFields):
    """A refusal for every entry of the same human being.

    `twins`: (id, words) of the habilitated members who may be the hand-entered one that is refused.
    """

    duplicate_reason = forms.CharField(**SOMEBODY_ELSE)
    aussi = forms.MultipleChoiceField(
        label="Noter aussi le refus pour", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, twins: Iterable[tuple[str, str]] = (), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["aussi"].choices = self.twins = list(twins)

    @property
    def also(self) -> list[UUID]:
        return [UUID(said) for said in self.cleaned_data["aussi"]]


class RefusalForm(SameOneFields):
    """« Noter un refus » on its own page, where nothing else may be answered."""

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["refusal"] = self.read_refusal(cleaned)
        return cleaned


class AnswerFields(RefusalFields, SharingFields):
    """« Habilitation sur le dossier »: one question, no answer given in advance; « oui » says what it rests on."""

    habilitation = forms.CharField(label="Habilitation", max_length=8)

    def __init__(self, *args, answers: Sequence[str] = (YES, NO, REFUSAL), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.answers = answers
        self.fields["habilitation"].error_messages["required"] = (
            "Choisissez une réponse : rien n’est coché à l’avance."
        )

    def clean_habilitation(self) -> str:
        answer = self.cleaned_data["habilitation"]
        if answer not in self.answers:
            raise forms.ValidationError("Cette réponse n’est pas possible pour ce membre.")
        return answer

    def clean(self) -> dict:
        cleaned = super().clean()
        answer = cleaned.get("habilitation")
        cleaned["refusal"] = self.read_refusal(cleaned) if answer == REFUSAL else None
        cleaned["rests"] = self.read_sharing(cleaned) if answer == YES and self.asks_sharing else None
        return cleaned

    @property
    def wanted(self) -> str:
        """What the actions are asked: « oui » from who may not grant leaves « habilitation demandée »."""
        answer = self.cleaned_data["habilitation"]
        return YES if answer == REQUEST else answer

    @property
    def opens(self) -> bool:
        """Whether the answer given lets somebody into the dossier, now or as soon as he has an account."""
        return self.cleaned_data["habilitation"] == YES

    @property
    def is_request(self) -> bool:
        return self.cleaned_data["habilitation"] == REQUEST


class AddForm(InvitationFields, RoleFields, AnswerFields):
    """« Rôle et accès »: one act, one screen.

    `can_invite`: nobody has an account yet, and the one who adds may write to them.
    """

    field_order = (
        "role",
        "habilitation",
        "rests_on",
        "rests_since",
        "rests_how",
        "rests_told",
        "refused_on",
        "collected",
        "comment",
        "invitation_email",
        "invitation_message",
        "description",
        "starts_on",
        "discreet",
    )
    description = forms.CharField(
        label="Description", help_text="Visible dans le cercle.", max_length=500, required=False
    )
    discreet = forms.BooleanField(label="Membre discret", required=False)
    starts_on = FrenchDateField(label="Dans le cercle depuis le")
    creation_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid7)
    duplicate_reason = forms.CharField(**SOMEBODY_ELSE)

    def __init__(self, *args, can_invite: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not can_invite:
            del self.fields["invitation_email"], self.fields["invitation_message"]

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("invitation_email") and cleaned.get("habilitation") in (NO, REFUSAL):
            self.add_error("invitation_email", "Sans habilitation, personne n’est invité : videz ce champ.")
        return cleaned


class HabilitationForm(SameOneFields, AnswerFields):
    """The same question asked again of a member; a standing refusal is withdrawn on its own page first."""

    # The answer that the page showed (`circle.actions.read_as`).
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class WithdrawalForm(TidyForm):
    withdrawn_on = FrenchDateField(label="Date du retrait")
    collected = forms.ChoiceField(label="Recueil du retrait")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["collected"].choices = [("", "Choisir"), *Refusal.Collected.choices]

    def clean_withdrawn_on(self):
        day = self.cleaned_data["withdrawn_on"]
        if day and day > timezone.localdate():
            raise forms.ValidationError("La date du retrait ne peut pas être à venir.")
        return day

    def withdrawal(self) -> dict:
        return {"withdrawn_on": self.cleaned_data["withdrawn_on"], "collected": self.cleaned_data["collected"]}


class RoleForm(RoleFields):
    """« Changer de rôle » of a member already there."""

    starts_on = FrenchDateField(label="À partir du")
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict:
        cleaned = super().clean()
        day, handover = cleaned.get("starts_on"), cleaned.get("handover")
        if not day or not handover or day in (self.initial.get("starts_on"), handover["starts_on"]):
            return cleaned
        # One day is asked twice: the one that was typed is meant.
        if handover["starts_on"] != self.handovers[cleaned["role"]].initial["starts_on"]:
            self.add_error("starts_on", "Cette date n’est pas celle de la passation : indiquez la même.")
        else:
            handover["starts_on"] = day
        return cleaned
