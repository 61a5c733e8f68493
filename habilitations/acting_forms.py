"""What a professional types to be stood in for, or to have a secretary."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.dates import parse_date
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.common.identifiers import clean_identifier, parse_email, parse_rpps
from habilitations import catalog
from habilitations.models import VouchedProfession
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Rubrique

REQUIRED = "Ce champ est obligatoire."
CALLED_AS = "Son adresse e-mail (nom@domaine.fr) ou son numéro RPPS (11 chiffres)."


class DayField(forms.CharField):
    """A day typed in any French way; `cleaned_data` holds a date or None."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "format": "jj/mm/aaaa", "autocomplete": "off"})

    def __init__(self, **options) -> None:
        super().__init__(max_length=30, error_messages={"required": REQUIRED}, **options)

    def clean(self, value):
        text = super().clean(value).strip()
        return _read(parse_date, text) if text else None

    def prepare_value(self, value):
        return date_fr(value) if isinstance(value, dt.date) else value


class CalledField(forms.CharField):
    """An address or an RPPS number, well formed: whether an account answers to it is said to nobody."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})

    def __init__(self, **options) -> None:
        super().__init__(max_length=254, error_messages={"required": REQUIRED}, **options)

    def clean(self, value):
        text = super().clean(value).strip()
        if not text:
            return ""
        return _read(parse_rpps if clean_identifier(text).isdigit() else parse_email, text)


class AbsenceForm(forms.Form):
    first_day = DayField(label="Premier jour d’absence")
    last_day = DayField(label="Dernier jour d’absence")
    called = CalledField(
        label="Remplaçant",
        required=False,
        help_text=f"{CALLED_AS} Laissez vide sans remplaçant.",
    )

    def holder(self) -> User | None:
        """Return the open account that answers to what was typed, None when there is none."""
        return _holder(self.cleaned_data["called"])


class SecretaryForm(forms.Form):
    called = CalledField(
        label="Qui tient votre secrétariat",
        help_text=CALLED_AS,
    )
    first_day = DayField(label="À partir du")
    last_day = DayField(label="Jusqu’au", required=False)
    rubriques = forms.MultipleChoiceField(
        label="Ce que le secrétariat peut voir",
        choices=lambda: catalog.last().grouped([rubrique for rubrique in Rubrique if rubrique not in ALWAYS_READ]),
        widget=forms.CheckboxSelectMultiple,
        help_text="L’identité et le cercle de soins en font toujours partie.",
        error_messages={"required": "Choisissez ce que le secrétariat peut voir."},
    )

    def __init__(self, *args, initial=None, **kwargs) -> None:
        super().__init__(*args, initial={"first_day": timezone.localdate()} | (initial or {}), **kwargs)

    def holder(self) -> User | None:
        return _holder(self.cleaned_data["called"])


def _holder(called: str) -> User | None:
    if "@" in called:
        return User.objects.active().with_email(called).first()
    vouched = VouchedProfession.objects.current().filter(national_id=called, user__is_active=True) if called else None
    found = vouched.select_related("user").first() if vouched is not None else None
    return found.user if found else None


def _read(reader, text: str):
    try:
        return reader(text)
    except DomainError as error:
        raise forms.ValidationError(str(error)) from error
