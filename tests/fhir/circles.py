"""A whole circle as a software sends it: a person, an aidant, a structure, a professional there, and the circle."""

from __future__ import annotations

import uuid

from tests.fhir.samples import R260, sample

URN = "urn:uuid:{}".format


class Sent:
    """The entries of a creation Bundle (flux 1c), each with its own urn."""

    def __init__(self, number: str = ""):
        self.number = number or uuid.uuid4().hex[:10]
        self.urns = {name: URN(uuid.uuid4()) for name in ("team", "patient", "relative", "house", "doctor", "role")}

    def ref(self, name):
        return {"reference": self.urns[name]}

    def patient(self, **changed):
        identifier = [{"system": "https://hopital.example/ipp", "value": self.number}]
        family = "FICTIF" + "".join(chr(ord("A") + int(c, 16)) for c in self.number[:6])
        name = [{"use": "official", "family": family, "given": ["Ada"]}]
        return sample("Patient", identifier=identifier, name=name, **changed)

    def relative(self, **changed):
        identifier = [{"system": "urn:oid:1.2.3.4", "value": f"aidant-{self.number}"}]
        said = {"identifier": identifier, "patient": self.ref("patient")} | changed
        return sample("RelatedPerson", **said)

    def house(self, **changed):
        identifier = [{"system": "https://hopital.example/services", "value": self.number}]
        return sample("Organization", identifier=identifier, **changed)

    def doctor(self, **changed):
        identifier = [{"system": "https://hopital.example/agents", "value": self.number}]
        return sample("Practitioner", identifier=identifier, **changed)

    def role(self, **changed):
        return sample(
            "PractitionerRole", practitioner=self.ref("doctor"), organization=self.ref("house"), **changed
        )  # fmt: skip

    def team(self, **changed):
        members = [
            (self.ref("relative"), [{"coding": [{"system": R260, "code": "CAREGIVER"}]}]),
            (self.ref("role"), [{"coding": [{"system": R260, "code": "PROV"}]}]),
            (self.ref("house"), None),
        ]
        participants = [
            ({"role": role} if role else {}) | {"member": member, "period": {"start": "2026-01-12"}}
            for member, role in members
        ]
        return sample(
            "CareTeam",
            **{
                "identifier": [{"system": "https://hopital.example/cercles", "value": self.number}],
                "subject": self.ref("patient"),
                "participant": participants,
            }
            | changed,
        )

    def bundle(self, *, without=(), profile="cds-bundle-transaction-creation", **replaced):
        made = {
            "team": self.team, "patient": self.patient, "relative": self.relative, "house": self.house,
            "doctor": self.doctor, "role": self.role,
        }  # fmt: skip
        entries = []
        for name, build in made.items():
            if name in without:
                continue
            resource = replaced.get(name) or build()
            request = {"method": "POST", "url": resource["resourceType"]}
            entries.append({"fullUrl": self.urns[name], "resource": resource, "request": request})
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        if profile:
            canonical = f"https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/{profile}"
            bundle["meta"] = {"profile": [canonical]}
        return bundle


def whole(*names):
    """Return the Bundle that creates a person and her circle, all new: an aidant, role and structure for each name."""
    first = Sent()
    entries, participants = [], []
    for name in names:
        sent = first if not entries else Sent()
        sent.urns["patient"] = first.urns["patient"]
        person = sent.relative(name=[{"family": f"PROCHE-{name}", "given": ["Zoé"]}])
        without = ("team",) if sent is first else ("team", "patient")
        entries += sent.bundle(without=without, relative=person)["entry"]
        for what, role in (("relative", "CAREGIVER"), ("role", "PROV"), ("house", "")):
            said = {"role": [{"coding": [{"system": R260, "code": role}]}]} if role else {}
            participants.append(said | {"member": sent.ref(what), "period": {"start": "2026-01-12"}})
    team = first.team(participant=participants)
    entries.append({"fullUrl": URN(uuid.uuid4()), "resource": team, "request": {"method": "POST", "url": "CareTeam"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def ids(response):
    """Return {type: id} of the answer to a transaction that made one of each."""
    made = [one["fullUrl"].rsplit("/", 2)[-2:] for one in response["entry"]]
    return dict(made)
