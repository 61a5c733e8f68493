"""A circle asked by a number of its person: one statement written once, that finds what the conditions find."""

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from circle import actions
from coordination.accounts.models import User
from coordination.dossiers.models import Dossier
from coordination.fhir import keeping
from coordination.fhir.callers import Caller
from coordination.fhir.search import asking
from coordination.fhir.search.conditions import narrowed
from habilitations import actions as habilitations
from habilitations.models import Consent
from tests.bench.calls import IPP
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, careteams, close_transaction
from tests.habilitations.acting_data import stand_in

INS, OID = "241038100901267", "1.2.250.1.213.1.4.10"
pytestmark = pytest.mark.req("PERF-11", "CDS-6")


@pytest.fixture
def numbered(entry):
    """The same dossier, known by the number of a hospital and by its INS, among others of the same reader."""
    for one in (entry.dossier, make.open_circle(entry.user).dossier):
        keeping.keep("Patient", one.pk, {"identifier": [{"system": IPP, "value": f"N{one.pk}"}]})
    Dossier.objects.filter(pk=entry.dossier.pk).update(ins_matricule=INS, ins_oid=OID, identity_status="QUAL")
    close_transaction()
    return entry


def asked(*pairs):
    return asking.read("CareTeam", pairs, strict=True).criteria


def both(user, *pairs, **how):
    """Return what is looked up, and what the conditions find."""
    calls = [Caller(user=user, owner="client:x", scopes=how.get("scopes", caller(user).scopes)) for _ in range(2)]
    rows = narrowed(careteams(), calls[0], asked(*pairs)).order_by("pk").values_list("pk", flat=True)
    return careteams().looked_up(calls[1], asked(*pairs), most=50), list(rows)


def finds(entry, user, *, by_himself=False):
    """Return how many circles a reader finds by either number: the same, looked up or not."""
    if by_himself:
        # As the session of a call says of who acts for nobody.
        user = User.objects.get(pk=user.pk)
        user.acts_for_others = user.runs_emergency = False
    found = set()
    for value in (f"{IPP}|N{entry.dossier.pk}", f"urn:oid:{OID}|{INS}"):
        for name in ("patient.identifier", "subject:Patient.identifier", "patient:identifier"):
            looked_up, rows = both(user, (name, value))
            assert looked_up == rows
            found.add(len(rows))
    (count,) = found
    return count


def test_the_same_is_found_by_each_reader(numbered):
    social, helper, outsider = make.account(make.SOCIAL), make.account("350"), make.account(make.DOCTOR)
    for one in (social, helper):
        make.add(numbered, one.attachment.professional, role="AGNT", wanted="oui")
    make.add(numbered, discreet=True)
    delegate = make.account(make.SOCIAL)
    make.add_house(numbered, make.legal_structure(delegate), wanted="oui")
    unknown = make.account(make.NURSE, vouched=False)
    readers = (numbered.user, social, helper, delegate, outsider, unknown)
    for by_himself in (False, True):
        said = [finds(numbered, user, by_himself=by_himself) for user in readers]
        assert said == [1, 1, 1, 1, 0, 0]


def test_what_is_closed_is_not_looked_up(numbered):
    nurse = make.account(make.NURSE)
    make.add(numbered, nurse.attachment.professional, wanted="oui")
    assert finds(numbered, nurse) == 1
    Consent.objects.filter(habilitation__user=nurse).update(last_day="2020-01-01", starts_on="2019-01-01")
    assert finds(numbered, nurse, by_himself=True) == finds(numbered, nurse) == 0
    Consent.objects.filter(habilitation__user=nurse).update(last_day=None)
    assert finds(numbered, nurse) == 1
    # A suspended account, whose call was under way.
    nurse.is_active = False
    assert finds(numbered, nurse) == 0


def test_what_the_person_closes_is_not_looked_up(numbered):
    """A refusal wins over what a structure opens; an opposition to the whole spares who notes it."""
    refused, nurse = make.account(make.SOCIAL), make.account(make.NURSE)
    today = timezone.localdate()
    make.add_house(numbered, make.legal_structure(refused), wanted="oui")
    make.add(numbered, nurse.attachment.professional, wanted="oui")
    assert (finds(numbered, refused), finds(numbered, nurse)) == (1, 1)
    said = {"refused_on": today, "collected": "oral", "comment": ""}
    make.add(numbered, refused.attachment.professional, role="AGNT", wanted="refus", refusal=said)
    assert finds(numbered, refused, by_himself=True) == finds(numbered, refused) == 0
    actions.record_opposition(numbered, rubrique="", refused_on=today, collected="oral")
    assert (finds(numbered, nurse), finds(numbered, numbered.user)) == (0, 1)


def test_an_emergency_and_a_stand_in_find_no_more_than_before(numbered, settings):
    settings.BRIS_DE_GLACE = True
    doctor, nurse, substitute = make.account(make.DOCTOR), make.account(make.NURSE), make.account(make.DOCTOR)
    habilitations.open_emergency(
        numbered.dossier.pk, by=doctor, reason="vitale", detail="Seule, sans proche joignable."
    )
    make.add(numbered, nurse.attachment.professional, wanted="oui")
    stand_in(nurse, substitute)
    assert (finds(numbered, doctor), finds(numbered, substitute)) == (0, 1)


def test_only_one_number_of_one_register_is_looked_up(numbered):
    """All the rest is the engine's to write; who may not search persons finds nothing by them."""
    user, number = numbered.user, f"{IPP}|N{numbered.dossier.pk}"
    for pairs in (
        [("patient.identifier", f"{number},{number}")], [("patient.identifier", f"N{numbered.dossier.pk}")],
        [("patient.identifier", f"{IPP}|")], [("patient.identifier", f"|N{numbered.dossier.pk}")],
        [("patient.identifier:not", number)], [("patient.family", "EXEMPLE")], [("identifier", number)],
        [("patient.identifier", number), ("status", "active")], [],
        [("patient.identifier", f"{configured.FHIR_IDENTIFIER_SYSTEM_PATIENT}|{numbered.dossier.pk}")],
    ):  # fmt: skip
        assert both(user, *pairs)[0] is None, pairs
    assert both(user, ("patient.identifier", number), scopes=frozenset({"system/CareTeam.rs"})) == (None, [])
    assert both(user, ("patient.identifier", f"{IPP}|inconnu")) == ([], [])


def test_persons_of_one_number_come_in_order_and_no_more_than_asked(numbered):
    others = [make.open_circle(numbered.user).dossier.pk for _ in range(3)]
    for pk in others:
        keeping.keep("Patient", pk, {"identifier": [{"system": IPP, "value": 'MÊME \\ "nombre"'}]})
    close_transaction()
    looked_up, rows = both(numbered.user, ("patient.identifier", f'{IPP}|MÊME \\\\ "nombre"'))
    assert looked_up == rows and len(rows) == 3
    criteria = asked(("patient.identifier", f'{IPP}|MÊME \\\\ "nombre"'))
    assert careteams().looked_up(caller(numbered.user), criteria, most=2) == rows[:2]


def test_it_is_one_statement_and_the_rights_of_the_profession(numbered):
    criteria = asked(("patient.identifier", f"{IPP}|N{numbered.dossier.pk}"))
    assert careteams().looked_up(caller(numbered.user), criteria, most=50)
    with CaptureQueriesContext(connection) as captured:
        careteams().looked_up(caller(numbered.user), criteria, most=50)
    # With those he acts for, which nothing has said of this account.
    assert len(captured) == 3
