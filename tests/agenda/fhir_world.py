"""Software of a structure that declares agendas, and the resources it sends: invented, valid for the guide."""

import datetime as dt
from itertools import count
from zoneinfo import ZoneInfo

from django.utils import timezone

from agenda.fhir.availability import AVAILABILITY, TYPES, TZ_CODE
from agenda.fhir.building import DURATION
from agenda.rule_formats import RRULE_SYSTEM
from coordination.fhir import profiles, validation
from tests.circle import factories as make
from tests.fhir.api import Api, read
from tests.fhir.callers import acting, connect, professional, token_of

SCOPES = (
    "system/Schedule.cruds", "system/Slot.rs", "system/Location.cruds", "system/HealthcareService.cruds",
    "system/Device.cruds", "system/Practitioner.cruds", "system/PractitionerRole.cruds", "system/Patient.cruds",
    "system/RelatedPerson.cruds", "system/Organization.cruds",
)  # fmt: skip
_NUMBERS = count(1)
PARIS = ZoneInfo("Europe/Paris")
SERVICES = "http://example.org/ValueSet/ServiceType"
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"


def software(http, structure, scopes=SCOPES, **person):
    """Return the API as a software of this structure calls it, for one of its nurses; and her account."""
    user, national = professional(structure, **person)
    client, secret = connect(structure, scopes=scopes, name=f"Logiciel {next(_NUMBERS)}")
    api = Api(http, acting(token_of(http, client, secret), national))
    api.client = client
    return api, user


def day(days=7):
    """Return a day to come, never the day of a change of clocks nor its neighbour."""
    return timezone.localdate() + dt.timedelta(days=days)


def at(hour, minute=0, *, days=7, zone=PARIS):
    return dt.datetime.combine(day(days), dt.time(hour, minute), zone)


def rrule(freq="WEEKLY", **parts):
    """Return the rrule of an availability; lists are given as lists."""
    kinds = {
        "until": "valueDateTime", "count": "valueInteger", "interval": "valueInteger", "byDay": "valueString",
        "byMonthDay": "valueInteger", "byMonth": "valuePositiveInt", "byHour": "valuePositiveInt",
        "byWeekNo": "valueInteger", "byYearDay": "valueString", "wkst": "valueCode",
    }  # fmt: skip
    said = [{"url": "freq", "valueCoding": {"system": RRULE_SYSTEM, "code": freq}}]
    for name, value in parts.items():
        for one in value if isinstance(value, list) else [value]:
            said.append({"url": name, kinds[name]: one})
    return {"url": "rrule", "extension": said}


def range_(start, end, *, kind="free", identifier="plage-1", rule=None, tz="", **more):
    """Return an availability between two moments."""
    said = [
        {"url": "identifier", "valueIdentifier": {"system": "urn:oid:1.2.3.4", "value": identifier}},
        {"url": "type", "valueCoding": {"system": TYPES, "code": kind}},
        {"url": "start", "valueDateTime": start if isinstance(start, str) else start.isoformat()},
        {"url": "end", "valueDateTime": end if isinstance(end, str) else end.isoformat()},
    ]
    if tz:
        said[2]["_valueDateTime"] = {"extension": [{"url": TZ_CODE, "valueCode": tz}]}
    said += [{"url": name, **value} for name, value in more.items()]
    return {"url": AVAILABILITY, "extension": [*said, rule] if rule else said}


def lasting(minutes=30, code="1", display="suivi", system=SERVICES):
    said = {"system": system, "code": code, "display": display}
    unit = {"value": minutes, "unit": "minute", "system": "http://unitsofmeasure.org", "code": "min"}
    return {
        "url": DURATION,
        "extension": [
            {"url": "serviceType", "valueCodeableConcept": {"coding": [said]}},
            {"url": "duration", "valueDuration": unit},
        ],
    }  # fmt: skip


def schedule(*actors, extensions=(), **more):
    """Return a Schedule of these references."""
    made = {"resourceType": "Schedule", "actor": [{"reference": one} for one in actors]}
    if extensions:
        made["extension"] = list(extensions)
    return made | more


def of(user):
    """Return the references of a professional who has an account: where he practises, and himself."""
    someone = user.attachment.professional
    return f"PractitionerRole/{someone.activities.get().pk}", f"Practitioner/{someone.pk}"


def morning(user, *more, minutes=30, **fields):
    """Return the agenda of a professional, open one morning from nine to eleven."""
    return schedule(*of(user), extensions=[range_(at(9), at(11)), lasting(minutes), *more], **fields)


def created(answer):
    assert answer.status_code == 201, answer.content
    return sound(read(answer))


def sound(resource):
    """Return a resource that base FHIR and its profiles accept."""
    wrong = [one for one in (*validation.check(resource), *profiles.check(resource)) if one.is_error]
    assert not wrong, wrong
    return resource


def search(api, path, status=200):
    """Return the Bundle of a search: sound, and each of its resources too."""
    answer = api.get(path)
    assert answer.status_code == status, answer.content
    bundle = read(answer)
    if status == 200:
        assert bundle["type"] == "searchset"
        for entry in bundle.get("entry", []):
            sound(entry["resource"])
    return bundle


def structure():
    return make.StructureFactory()
