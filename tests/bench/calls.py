"""A software that calls the API, the circles it reads and those it sends. All names are invented."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from coordination.accounts.models import User
from coordination.dossiers.models import Dossier
from habilitations import actions, secrets
from habilitations.clients import ACTING_HEADER, NATIONAL_ID_SYSTEM
from habilitations.models import VouchedProfession
from tests.accounts.factories import UserFactory
from tests.bench import servers
from tests.bench.copies import copied, copy_rows
from tests.circle import factories as make
from tests.fhir.circles import whole

SCOPES = ("system/*.cruds",)
JSON = "application/fhir+json"
IPP = "https://hopital.example/ipp"
FEW = 12
Headers = tuple[tuple[str, str], ...]


# --- Who calls ------------------------------------------------------------------------------------


def connect(reader: User, name: str) -> Headers:
    """Connect a software to a structure where the reader practises; return the headers of a call for him.

    The structure is the « structure référente » of the dossiers he has now, and of their copies.
    """
    house = make.StructureFactory(name=name, town="Albi")
    Dossier.objects.filter(created_by=reader).update(referent_structure=house)
    number = reader.attachment.professional.national_id
    # He was vouched for by hand: a call names him by the number of the national file.
    VouchedProfession.objects.current().filter(user=reader).update(
        national_id=number, structure=house, structure_name=house.name
    )
    client, _ = actions.register_client(
        house, name=f"Logiciel {name}"[:80], contact="support@mesure.example", scopes=SCOPES,
        by=UserFactory(administrator=True),
    )  # fmt: skip
    token = secrets.make(secrets.CLIENT_TOKEN)
    actions.issue_client_token(client, token=token, scopes=SCOPES)
    # At national size, a run is longer than the hour of a token.
    client.tokens.update(expires_at=timezone.now() + timedelta(days=1))
    return (
        ("Authorization", f"Bearer {token}"),
        (ACTING_HEADER, f"{NATIONAL_ID_SYSTEM}|{number}"),
        ("Accept", JSON),
    )


@dataclass(frozen=True)
class Api:
    """The API over HTTP, a connection for each call, as the load of the pages does."""

    address: str
    headers: Headers

    def ask(self, method: str, path: str, body: str | bytes | None = None, media: str = JSON) -> tuple[float, bytes]:
        """Return (seconds, answer). Raises RuntimeError when it is not a success."""
        parts = urlsplit(self.address)
        sent = dict([servers.THROUGH_TLS, *self.headers]) | ({"Content-Type": media} if body else {})
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        started = time.perf_counter()
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        said = answer.read()
        seconds = time.perf_counter() - started
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path.split('?')[0]} answered {answer.status}: {said[:300]!r}")
        return seconds, said


# --- The circles it reads -------------------------------------------------------------------------


def circle_of_twelve(reader: User) -> Any:
    """Open a dossier of twelve members of every kind, by the product's own actions."""
    entry = make.open_circle(reader)
    for name in ("UN", "DEUX", "TROIS"):
        make.add(entry, make.listed(structure=make.StructureFactory()))
        make.relative(entry, family_name=f"PROCHE-{name}")
        make.add_house(entry)
    make.add(entry, make.listed())
    make.by_hand(entry)
    return entry


def identify(dossiers: list) -> None:
    """Give the persons of these dossiers the number of a hospital, as a software sent it: the id of the dossier."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fhir_kept (id, resource_type, resource_id, owner, content, at)"
            " SELECT gen_random_uuid(), 'Patient', d.id, '', jsonb_build_object("
            "     'identifier', jsonb_build_array(jsonb_build_object('system', %s::text, 'value', d.id::text))"
            " ), now() FROM dossiers_dossier d WHERE d.id = ANY(%s)",
            [IPP, dossiers],
        )


def add_copies(patterns: list, numbers: range, holders: list) -> None:
    """Copy circles, with all that opens and tells them; the copies of the one who made them are open to a holder."""
    from circle.models import Change, Member, Period, RoleHolding
    from coordination.fhir.models import Kept
    from habilitations.models import Consent, Habilitation, Refusal

    its = {"id": copied("id"), "dossier_id": copied("dossier_id")}
    granted = its | {"habilitation_id": copied("habilitation_id")}
    member = its | {"member_id": copied("member_id")}
    users = "ARRAY[" + ", ".join(f"'{pk}'" for pk in holders) + "]::uuid[]"
    holder = f"CASE WHEN t.user_id = t.state_by_id THEN ({users})[1 + n %% {len(holders)}] ELSE t.user_id END"
    # A refusal and its habilitation agree at the end of the transaction.
    with transaction.atomic():
        copy_rows(Dossier, patterns, numbers, {
            "id": copied("id"), "creation_key": "gen_random_uuid()", "sort_name": "t.sort_name || ' ' || n",
        })  # fmt: skip
        _copy(patterns, numbers, (Habilitation, its | {"user_id": holder}), (Consent, granted), (Refusal, granted))
    # A version for each row copied would be written, and compared, many times over.
    with connection.cursor() as cursor, _without_versions(cursor):
        _copy(
            patterns, numbers,
            (Member, granted | {"creation_key": "gen_random_uuid()"}),
            (Period, member), (RoleHolding, member), (Change, member | {"other_id": "NULL"}),
        )  # fmt: skip
        keys = Kept.objects.filter(resource_type="Patient", resource_id__in=patterns).values_list("pk", flat=True)
        copy_rows(Kept, list(keys), numbers, {
            "id": copied("id"), "resource_id": copied("resource_id"),
            "content": f"replace(t.content::text, t.resource_id::text, {copied('resource_id')}::text)::jsonb",
        })  # fmt: skip
        cursor.execute(
            "SELECT count(*) FROM (SELECT circle_keep_version(d.id) FROM dossiers_dossier d"
            " WHERE NOT EXISTS (SELECT 1 FROM circle_circle c WHERE c.dossier_id = d.id)) kept"
        )


def _copy(patterns: list, numbers: range, *tables: tuple[type[Model], Mapping[str, str]]) -> None:
    for model, changed in tables:
        keys = model._default_manager.filter(dossier__in=patterns).values_list("pk", flat=True)
        copy_rows(model, list(keys), numbers, changed)


class _without_versions:  # noqa: N801 - reads as a statement
    TABLES = ("circle_period", "circle_roleholding", "circle_member")

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def __enter__(self) -> None:
        self._all("DISABLE")

    def __exit__(self, *args: object) -> None:
        self._all("ENABLE")

    def _all(self, how: str) -> None:
        for table in self.TABLES:
            self.cursor.execute(f'ALTER TABLE "{table}" {how} TRIGGER USER')


# --- The circles it sends -------------------------------------------------------------------------


def creation() -> bytes:
    """Return the Bundle that creates a person and her circle of twelve, all of them new to the server."""
    bundle = whole("UN", "DEUX", "TROIS", "QUATRE")
    assert len(bundle["entry"][-1]["resource"]["participant"]) == FEW
    return json.dumps(bundle).encode()
