"""What is typed of a room of a structure; which room an event may have."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django import forms

from agenda.models import Room
from coordination.directory.models import Structure
from coordination.dossiers.forms import TidyForm


class RoomForm(TidyForm):
    """« Salle ». `places`: the structures it may be of; asked only when there are several, and of a new one."""

    structure = forms.ModelChoiceField(
        label="Structure", queryset=Structure.objects.none(), empty_label=None,
        error_messages={"invalid_choice": "Choisissez une structure de la liste."},
    )  # fmt: skip
    name = forms.CharField(
        label="Nom de la salle", max_length=120, error_messages={"required": "Indiquez le nom de la salle."}
    )
    address = forms.CharField(label="Adresse", max_length=300, required=False, help_text="Si elle est ailleurs.")
    # Of the room that is changed, as it was read.
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, places=None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._only = None
        if places is None or len(places) == 1:
            self._only = places[0] if places else None
            del self.fields["structure"]
        else:
            self.fields["structure"].queryset = places

    @property
    def place(self) -> Structure | None:
        return self.cleaned_data.get("structure") or self._only


class RoomField(forms.ChoiceField):
    """« Salle » of an event; `cleaned_data` holds a Room or None."""

    def __init__(self, **options) -> None:
        said = {"required": False, "label": "Salle", "help_text": "Une réunion à la fois."}
        super().__init__(**said | options)
        self.rooms: dict[UUID, Room] = {}

    def offer(self, rooms: Iterable[Room]) -> None:
        self.rooms = {room.pk: room for room in rooms}
        self.choices = [("", "Aucune"), *((str(room.pk), room.name) for room in self.rooms.values())]
        self.error_messages["invalid_choice"] = "Cette salle n’est plus proposée : choisissez-en une autre."

    def clean(self, value):
        said = super().clean(value)
        return self.rooms[UUID(said)] if said else None

    def prepare_value(self, value):
        return str(value.pk) if isinstance(value, Room) else value
