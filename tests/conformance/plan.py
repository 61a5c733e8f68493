"""What each client of others is given: an address, who it is, and resources to send; `{Type}` is for an id it got."""

import json

from tests.fhir import callers
from tests.fhir.circles import Sent

SCOPES = tuple(
    f"system/{name}.cruds"
    for name in ("Patient", "CareTeam", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization")
)
# In the order in which one names another.
ORDER = ("Patient", "Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "CareTeam")
NAMES = {"team": "CareTeam", "patient": "Patient", "relative": "RelatedPerson", "house": "Organization",
         "doctor": "Practitioner", "role": "PractitionerRole"}  # fmt: skip


def resources(sent):
    """Return {type: resource} to create one by one, in the order to do it."""
    made = {name: getattr(sent, key)() for key, name in NAMES.items()}
    told = json.dumps(made)
    for key, name in NAMES.items():
        told = told.replace(sent.urns[key], f"{name}/{{{name}}}")
    made = json.loads(told)
    return {name: made[name] for name in ORDER}


def filled(resource, ids):
    """Return a resource with these ids ({type: id}) in their places."""
    told = json.dumps(resource)
    for name, id in ids.items():
        told = told.replace(f"{{{name}}}", id)
    return json.loads(told)


def make(url, http, user, national_id, structure):
    """Return the plan of one client: a software of its own, with its token, and people nobody has sent before."""
    client, secret = callers.connect(structure, scopes=SCOPES, name=f"Logiciel {Sent().number}")
    token = callers.token_of(http, client, secret)
    one, whole = Sent(), Sent()
    return {
        "base": f"{url}/fhir",
        "headers": callers.acting(token, national_id),
        "create": resources(one),
        "transaction": whole.bundle(),
        "identifier": f"https://hopital.example/ipp|{whole.number}",
    }
