"""A circle exchanged with a partner that really answers, ours or another."""

from __future__ import annotations

import uuid

from circle import actions
from circle.circles import keep_version
from coordination.partners import client, relaying
from coordination.partners.client import Asked
from coordination.partners.models import State
from habilitations.actions import vouch_profession
from tests.circle import factories as make
from tests.partners.factories import RelayFactory
from tests.partners.other_house import NATIONAL_ID


def open_circle(structure=None):
    """Return the entry of a coordinator in a circle: a doctor, a relative, one typed by hand, a discreet member."""
    user = make.account(
        make.NURSE, make.COORDINATOR, structure, vouched=False, family_name="EXEMPLE-LARRIEU", given_name="Maëlle",
        national_id=NATIONAL_ID,
    )  # fmt: skip
    vouch_profession(
        user, profession=make.NURSE, fonction=make.COORDINATOR, structure=structure, national_id=NATIONAL_ID,
        how="annuaire", by=None, professional=user.attachment.professional,
    )  # fmt: skip
    made = make.open_circle(user)
    make.add(made, make.listed(make.DOCTOR, family_name="TESTARD", national_id=number()), role="PCP")
    make.relative(made, family_name=f"MODÈLE{uuid.uuid4().hex[:6]}")
    make.by_hand(made, family_name=f"SPÉCIMEN{uuid.uuid4().hex[:6]}")
    hidden = make.add(made, make.listed(make.DOCTOR, family_name="CACHÉ", national_id=number()))
    actions.set_discreet(made, hidden, True)
    return made


def number():
    return f"8997{uuid.uuid4().int % 10**8:08}"


def exchanged(partner, entry, kind, *, state=State.FAIT):
    """Ask it and do it, as a worker would once the transaction is kept; return the relay, in this state."""
    keep_version(entry.dossier.pk)
    relay = RelayFactory(partner=partner, kind=kind, object_id=entry.dossier.pk, asked_by=entry.user)
    relaying.relay(relay.pk)
    relay.refresh_from_db()
    if relay.state != state:
        raise AssertionError(f"{relay.get_state_display()}: {relay.last_error}")
    return relay


def there(partner, entry):
    """Return ({type: resources}, the circle) that the partner shows of this person."""
    form = (
        ("patient.identifier", str(entry.dossier.pk)), ("_include", "CareTeam:subject"),
        ("_include", "CareTeam:participant"), ("_include:iterate", "PractitionerRole:practitioner"),
    )  # fmt: skip
    bundle = client.call(partner, Asked(path="CareTeam/_search", form=form, acting=NATIONAL_ID))
    found = {}
    for one in bundle.get("entry", []):
        found.setdefault(one["resource"]["resourceType"], []).append(one["resource"])
    return found


def families(found):
    people = found.get("Practitioner", []) + found.get("RelatedPerson", [])
    return {one["name"][0]["family"].upper() for one in people}
