"""Programs that call, for the tests: a software of a structure, the professional who acts, a person's own token."""

import base64
import datetime as dt
from urllib.parse import urlencode

from django.utils import timezone

from habilitations import actions
from habilitations.clients import NATIONAL_ID_SYSTEM
from tests.accounts.factories import UserFactory
from tests.circle import factories as make

EVERY_SCOPE = ("system/Patient.crus", "system/CareTeam.crus", "system/Practitioner.rs")
TOKEN_PAGE, FORM = "/fhir/oauth/token", "application/x-www-form-urlencoded"


def connect(structure=None, scopes=EVERY_SCOPE, name="Logiciel Exemple"):
    """Connect a software; return it and its secret."""
    return actions.register_client(
        structure or make.StructureFactory(), name=name, contact="support@logiciel.example", scopes=scopes,
        by=UserFactory(administrator=True),
    )  # fmt: skip


def basic(client, secret):
    said = base64.b64encode(f"{client.pk}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


def ask_token(http, client, secret, **more):
    """Ask for an access token as a software does."""
    form = {"grant_type": "client_credentials", **more}
    return http.post(TOKEN_PAGE, urlencode(form), content_type=FORM, headers=basic(client, secret))


def token_of(http, client, secret, **more):
    return ask_token(http, client, secret, **more).json()["access_token"]


def professional(structure=None, profession=make.NURSE, **person):
    """Return an account of the directory, and the national identification that names him."""
    user = make.account(profession, structure=structure, vouched=False, **person)
    someone = user.attachment.professional
    actions.vouch_profession(
        user, profession=profession, structure=structure, national_id=someone.national_id, how="annuaire", by=None,
        professional=someone,
    )  # fmt: skip
    return user, someone.national_id


def acting(token, national_id):
    """Return the headers of a call."""
    return {"Authorization": f"Bearer {token}", "Acting-Professional": f"{NATIONAL_ID_SYSTEM}|{national_id}"}


def personal(user, scopes=("user/CareTeam.crus",), days=30, name="Mon tableur"):
    """Return a personal token and its secret."""
    last = timezone.localdate() + dt.timedelta(days=days)
    return actions.make_personal_token(user, name=name, scopes=scopes, expires_on=last)
