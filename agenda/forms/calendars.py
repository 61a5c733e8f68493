"""What a professional says of the calendars around his agenda: what his programs read, and what is read of them."""

from __future__ import annotations

from django import forms

from agenda.actions.own_calendars import Said
from agenda.fetching import normal
from agenda.ics.errors import AddressRefused
from agenda.models import Feed, OwnCalendar
from coordination.dossiers.forms import TidyForm


class FeedForm(forms.Form):
    """What the address shows. Off until it is opened; the least is proposed."""

    level = forms.ChoiceField(
        label="Ce que votre calendrier montre",
        choices=Feed.Level.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez ce que votre calendrier montre.",
            "invalid_choice": "Choisissez ce que votre calendrier montre.",
        },
    )
    # What it showed when the page was read; "" when there was no address.
    seen = forms.ChoiceField(choices=Feed.Level.choices, required=False, widget=forms.HiddenInput)


class OwnCalendarForm(TidyForm):
    """Where a calendar is and how it is read. `row`: the one that is changed; its address and password, secrets both,
    are never shown.
    """

    name = forms.CharField(label="Nom", max_length=60, help_text="Pour vous seul, par exemple « Agenda du cabinet ».")
    kind = forms.ChoiceField(label="Sorte", choices=OwnCalendar.Kind.choices, initial=OwnCalendar.Kind.ICS)
    address = forms.CharField(
        label="Adresse",
        max_length=2000,
        help_text="Celle que votre calendrier donne pour s’y abonner (https ou webcal), ou l’adresse CalDAV.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    login = forms.CharField(
        label="Identifiant",
        required=False,
        max_length=200,
        help_text="Pour un calendrier CalDAV.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Mot de passe",
        required=False,
        max_length=500,
        strip=False,
        help_text="Pour un calendrier CalDAV : un mot de passe d’application, si votre fournisseur en donne.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    # Of the calendar that is changed, as it was read.
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, row: OwnCalendar | None = None, initial=None, **kwargs) -> None:
        self.row = row
        super().__init__(*args, initial=(_said_by(row) if row else {}) | (initial or {}), **kwargs)
        if row:
            self.fields["address"].required = False
            self.fields[
                "address"
            ].help_text = f"Vide : l’adresse actuelle, sur {row.host}, est gardée. Elle n’est jamais montrée."
        if row and row.password_sealed:
            self.fields["password"].help_text = "Vide : le mot de passe actuel est gardé. Il n’est jamais montré."

    def clean_address(self) -> str:
        typed = self.cleaned_data["address"]
        try:
            return normal(typed) if typed or not self.row else ""
        except AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean(self) -> dict:
        typed = self.cleaned_data.get("password")
        cleaned = super().clean()
        # As it was typed: a password may have blanks.
        if typed is not None:
            cleaned["password"] = typed
        if cleaned.get("kind") == OwnCalendar.Kind.CALDAV:
            if not cleaned.get("login"):
                self.add_error("login", "Donnez l’identifiant du calendrier CalDAV.")
            if not typed and not (self.row and self.row.password_sealed):
                self.add_error("password", "Donnez le mot de passe du calendrier CalDAV.")
        return cleaned

    def said(self) -> Said:
        """Return what the actions are given."""
        return Said(**{name: self.cleaned_data[name] for name in ("name", "kind", "address", "login", "password")})


def _said_by(row: OwnCalendar) -> dict:
    return {"name": row.name, "kind": row.kind, "login": row.login, "version": row.generation}
