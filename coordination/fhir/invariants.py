"""The invariants of FHIR R4 on the types we hold, by the key HL7 gives them; what is checked here is well formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from coordination.fhir import literal, primitives
from coordination.fhir.outcomes import ERROR, Issue

Value = dict[str, Any]
Rule = Callable[[Value, str], Iterator[Issue]]


# The system of identifiers that are URIs themselves.
_URIS = "urn:ietf:rfc:3986"
_INSIDE = re.compile(r"[eE]xtension\[\d+\]\.extension\[\d+\]$")


def _broken(key: str, sentence: str, path: str) -> Issue:
    return Issue(ERROR, "invariant", f"{sentence} ({key})", path)


def _wrong(sentence: str, path: str) -> Issue:
    return Issue(ERROR, "value", sentence, path)


def of_type(type_name: str, value: Value, path: str) -> Iterator[Issue]:
    """Yield the invariants of this type that this value breaks."""
    language = value.get("language")
    # An Expression is written in a language of another kind.
    if isinstance(language, str) and type_name != "Expression" and not primitives.is_language(language):
        yield _wrong("Une langue est attendue : fr, en-GB.", f"{path}.language")
    for rule in _RULES.get(type_name, ()):
        yield from rule(value, path)


def of_resource(resource: Value, path: str) -> Iterator[Issue]:
    """Yield the invariants of a whole resource, which nothing contains: what it contains, and references to it."""
    contained = resource.get("contained", [])
    yield from _contained(contained, path)
    yield from _local_references(resource, contained, path)


# ---- What a resource contains -------------------------------------------------------------------------------------


def _contained(contained: list[Value], path: str) -> Iterator[Issue]:
    for place, one in enumerate(contained):
        where = f"{path}.contained[{place}]"
        meta = one.get("meta", {})
        if "contained" in one:
            yield _broken("dom-2", "Une ressource contenue n’en contient pas d’autre.", where)
        if "versionId" in meta or "lastUpdated" in meta:
            yield _broken("dom-4", "Une ressource contenue n’a ni version ni date de mise à jour.", f"{where}.meta")
        if "security" in meta:
            yield _broken("dom-5", "Une ressource contenue n’a pas d’étiquette de sécurité.", f"{where}.meta")


def _local_references(resource: Value, contained: list[Value], path: str) -> Iterator[Issue]:
    ids = {one.get("id") for one in contained}
    named = set()
    for said, where in _locals(resource, path):
        named.add(said[1:])
        if said != "#" and said[1:] not in ids and where.endswith(".reference"):
            yield _broken("ref-1", "Cette référence nomme une ressource qui n’est pas contenue.", where)
    for place, one in enumerate(contained):
        points_back = any(said == "#" for said, _ in _locals(one, ""))
        if one.get("id") not in named and not points_back:
            yield _broken("dom-3", "Rien ne nomme cette ressource contenue.", f"{path}.contained[{place}]")


def _locals(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text that names something inside the same resource, with its place; the entry of a Bundle is another."""
    if isinstance(value, str):
        if value.startswith("#"):
            yield value, path
    elif isinstance(value, dict):
        for name, one in value.items():
            if name != "resource":
                yield from _locals(one, f"{path}.{name}")
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _locals(one, f"{path}[{place}]")


# ---- Types --------------------------------------------------------------------------------------------------------


def _extension(value: Value, path: str) -> Iterator[Issue]:
    valued = any(name.removeprefix("_").startswith("value") for name in value)
    if valued == ("extension" in value):
        yield _broken("ext-1", "Une extension a une valeur ou des extensions, l’un des deux.", path)
    # Inside another extension the name is that one's own.
    if not _INSIDE.search(path) and not _absolute(value.get("url", "")):
        yield Issue(ERROR, "value", "L’adresse d’une extension est absolue.", f"{path}.url")


def _period(value: Value, path: str) -> Iterator[Issue]:
    if primitives.disorder(value.get("start"), value.get("end")):
        yield _broken("per-1", "Cette période finit avant de commencer.", path)


def _contact_point(value: Value, path: str) -> Iterator[Issue]:
    if "value" in value and "system" not in value and "_system" not in value:
        yield _broken("cpt-2", "Un moyen de contact dit son système.", path)


def _attachment(value: Value, path: str) -> Iterator[Issue]:
    if "data" in value and "contentType" not in value:
        yield _broken("att-1", "Une pièce dit son type de contenu.", path)


def _absolute(said: str) -> bool:
    return literal.is_canonical(said) and not said.startswith("#")


def _system(value: Value, path: str) -> Iterator[Issue]:
    """R4 on Identifier, Coding and Quantity: a system is absolute; of what a relative one names, nobody is sure."""
    if "system" in value and not literal.is_system(value["system"]):
        yield _wrong("Un système est une adresse absolue : https://… ou urn:….", f"{path}.system")


def _identifier(value: Value, path: str) -> Iterator[Issue]:
    yield from _system(value, path)
    if value.get("system") == _URIS and "value" in value and not _absolute(value["value"]):
        yield _wrong("Un identifiant de ce système est une adresse absolue.", f"{path}.value")


def _quantity(value: Value, path: str) -> Iterator[Issue]:
    yield from _system(value, path)
    if "code" in value and "system" not in value:
        yield _broken("qty-3", "Un code d’unité dit son système.", path)


def _measure(key: str, what: str, *, positive: bool = False, whole: bool = False) -> Rule:
    """A Quantity of one kind: with its code, of UCUM where it says a system."""

    def rule(value: Value, path: str) -> Iterator[Issue]:
        number = value.get("value")
        if number is not None and "code" not in value:
            yield _broken(key, f"{what} dit le code de son unité.", path)
        if value.get("system", _UCUM) != _UCUM:
            yield _broken(key, f"{what} dit son unité en UCUM.", f"{path}.system")
        if number is not None and positive and number <= 0:
            yield _broken(key, f"{what} est un nombre positif.", f"{path}.value")
        if number is not None and whole and (not _is_whole(number) or value.get("code", "1") != "1"):
            yield _broken(key, f"{what} est un nombre entier, de code 1.", f"{path}.value")

    return rule


def _is_whole(number: Any) -> bool:
    # Not by a remainder, which Python refuses of what has more digits than it computes with.
    return Decimal(str(number)) == Decimal(str(number)).to_integral_value()


def _simple(*names: str) -> Rule:
    def rule(value: Value, path: str) -> Iterator[Issue]:
        for name in names:
            if "comparator" in value.get(name, {}):
                yield _broken("sqty-1", "Cette quantité est exacte, sans comparaison.", f"{path}.{name}.comparator")

    return rule


def _money(value: Value, path: str) -> Iterator[Issue]:
    if "currency" in value and not _CURRENCY.fullmatch(value["currency"]):
        yield Issue(ERROR, "code-invalid", "Une monnaie a trois lettres (ISO 4217) : EUR.", f"{path}.currency")


def _repeat(value: Value, path: str) -> Iterator[Issue]:
    for one, other, key in (
        ("duration", "durationUnit", "tim-1"), ("period", "periodUnit", "tim-2"),
        ("durationMax", "duration", "tim-6"), ("periodMax", "period", "tim-7"), ("countMax", "count", "tim-8"),
    ):  # fmt: skip
        if one in value and other not in value:
            yield _broken(key, f"{one} ne se dit pas sans {other}.", f"{path}.{one}")
    for name, key in (("duration", "tim-4"), ("period", "tim-5")):
        if value.get(name, 0) < 0:
            yield _broken(key, "Une durée n’est pas négative.", f"{path}.{name}")
    meals = [one for one in value.get("when", ()) if one in ("C", "CM", "CD", "CV")]
    if "offset" in value and ("when" not in value or meals):
        yield _broken("tim-9", "offset se dit avec when, hors des repas eux-mêmes.", f"{path}.offset")
    if "timeOfDay" in value and "when" in value:
        yield _broken("tim-10", "timeOfDay ou when, l’un des deux.", f"{path}.when")


def _expression(value: Value, path: str) -> Iterator[Issue]:
    if not {"expression", "reference"}.intersection(value):
        yield _broken("exp-1", "Une expression est écrite, ou nommée par reference.", path)


def _filter(key: str) -> Rule:
    def rule(value: Value, path: str) -> Iterator[Issue]:
        if ("path" in value) == ("searchParam" in value):
            yield _broken(key, "path ou searchParam, l’un des deux.", path)

    return rule


def _trigger(value: Value, path: str) -> Iterator[Issue]:
    timed = any(name.removeprefix("_").startswith("timing") for name in value)
    if "data" in value and timed:
        yield _broken("trd-1", "timing ou data, l’un des deux.", path)
    if "condition" in value and "data" not in value:
        yield _broken("trd-2", "condition se dit avec data.", f"{path}.condition")
    kind = value.get("type", "")
    if (
        (kind == "named-event" and "name" not in value)
        or (kind == "periodic" and not timed)
        or (kind.startswith("data-") and "data" not in value)
    ):
        yield _broken("trd-3", "Un événement dit son nom, son rythme ou ses données, selon son type.", path)


def _range(value: Value, path: str) -> Iterator[Issue]:
    low, high = (value.get(name, {}).get("value") for name in ("low", "high"))
    if low is not None and high is not None and Decimal(str(low)) > Decimal(str(high)):
        yield _broken("rng-2", "Le bas dépasse le haut.", path)


def _ratio(value: Value, path: str) -> Iterator[Issue]:
    both, one = "numerator" in value, "denominator" in value
    if both != one or not (both or "extension" in value):
        yield _broken("rat-1", "Un rapport a ses deux termes.", path)


def _contact(value: Value, path: str) -> Iterator[Issue]:
    if not {"name", "telecom", "address", "organization"}.intersection(value):
        yield _broken("pat-1", "Un contact a un nom, un moyen de contact, une adresse ou une organisation.", path)


def _organization(value: Value, path: str) -> Iterator[Issue]:
    if not {"identifier", "name", "_name"}.intersection(value):
        yield _broken("org-1", "Une organisation a un identifiant ou un nom.", path)
    for name, key, what in (("address", "org-2", "une adresse"), ("telecom", "org-3", "un moyen de contact")):
        for place, one in enumerate(value.get(name, [])):
            if one.get("use") == "home":
                yield _broken(key, f"Une organisation n’a pas {what} à domicile.", f"{path}.{name}[{place}].use")


def _participant(value: Value, path: str) -> Iterator[Issue]:
    member = literal.type_of(value.get("member", {}).get("reference"))
    if "onBehalfOf" in value and member not in ("", "Practitioner"):
        yield _broken("ctm-1", "Seul un Practitioner agit pour une organisation.", f"{path}.onBehalfOf")


def _parameter(value: Value, path: str) -> Iterator[Issue]:
    valued = any(name.removeprefix("_").startswith("value") for name in value)
    if [valued, "resource" in value, "part" in value].count(True) != 1:
        yield _broken("inv-1", "Un paramètre a une valeur, une ressource ou des parties.", path)


# ---- Bundles ------------------------------------------------------------------------------------------------------

_ASKS = frozenset({"batch", "transaction", "history"})
_ANSWERS = frozenset({"batch-response", "transaction-response", "history"})


def _bundle(value: Value, path: str) -> Iterator[Issue]:
    kind, entries = value.get("type", ""), value.get("entry", [])
    if "total" in value and kind not in ("searchset", "history"):
        yield _broken("bdl-1", "Seule une recherche ou une histoire dit un total.", f"{path}.total")
    for place, entry in enumerate(entries):
        yield from _entry_of(kind, entry, f"{path}.entry[{place}]")
    if kind != "history":
        yield from _distinct(entries, path)
    if kind == "document":
        yield from _document(value, path)
    if kind == "message" and not _first_is(entries, "MessageHeader"):
        yield _broken("bdl-12", "Un message commence par un MessageHeader.", f"{path}.entry[0]")


def _entry_of(kind: str, entry: Value, path: str) -> Iterator[Issue]:
    if "search" in entry and kind != "searchset":
        yield _broken("bdl-2", "Seule une recherche a search.", f"{path}.search")
    if ("request" in entry) != (kind in _ASKS):
        yield _broken("bdl-3", "Chaque entrée d’une transaction a request, et elles seules.", f"{path}.request")
    if ("response" in entry) != (kind in _ANSWERS):
        yield _broken("bdl-4", "Chaque entrée d’une réponse a response, et elles seules.", f"{path}.response")
    if not {"resource", "request", "response"}.intersection(entry):
        yield _broken("bdl-5", "Une entrée a une ressource, request ou response.", path)
    if "/_history/" in entry.get("fullUrl", ""):
        yield _broken("bdl-8", "fullUrl ne nomme pas une version.", f"{path}.fullUrl")


def _distinct(entries: list[Value], path: str) -> Iterator[Issue]:
    seen = set()
    for place, entry in enumerate(entries):
        if "fullUrl" not in entry:
            continue
        named = (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
        if named in seen:
            yield _broken("bdl-7", "Deux entrées ont le même fullUrl.", f"{path}.entry[{place}].fullUrl")
        seen.add(named)


def _document(value: Value, path: str) -> Iterator[Issue]:
    identifier = value.get("identifier", {})
    if "system" not in identifier or "value" not in identifier:
        yield _broken("bdl-9", "Un document a un identifiant, avec son système.", f"{path}.identifier")
    if "timestamp" not in value:
        yield _broken("bdl-10", "Un document dit son instant.", f"{path}.timestamp")
    if not _first_is(value.get("entry", []), "Composition"):
        yield _broken("bdl-11", "Un document commence par une Composition.", f"{path}.entry[0]")


def _first_is(entries: list[Value], name: str) -> bool:
    return bool(entries) and entries[0].get("resource", {}).get("resourceType") == name


def _appointment(value: Value, path: str) -> Iterator[Issue]:
    status = value.get("status")
    if ("start" in value) != ("end" in value):
        yield _broken("app-2", "Un rendez-vous a un début et une fin, ou aucun des deux.", path)
    elif "start" not in value and status not in ("proposed", "cancelled", "waitlist"):
        yield _broken("app-3", "Seule une demande, ou ce qui est annulé, n’a ni début ni fin.", path)
    if "cancelationReason" in value and status not in ("cancelled", "noshow"):
        what = "Seul ce qui est annulé, ou celui qui n’est pas venu, a un motif d’annulation."
        yield _broken("app-4", what, f"{path}.cancelationReason")


def _attending(value: Value, path: str) -> Iterator[Issue]:
    if "type" not in value and "actor" not in value:
        yield _broken("app-1", "Un participant dit qui il est, ou ce qu’il est.", path)


_UCUM = "http://unitsofmeasure.org"
_CURRENCY = re.compile(r"[A-Z]{3}")
_RULES: dict[str, tuple[Rule, ...]] = {
    "Age": (_quantity, _measure("age-1", "Un âge", positive=True)),
    "Appointment": (_appointment,),
    "Appointment.participant": (_attending,),
    "Attachment": (_attachment,),
    "Bundle": (_bundle,),
    "CareTeam.participant": (_participant,),
    "Coding": (_system,),
    "ContactPoint": (_contact_point,),
    "Count": (_quantity, _measure("cnt-3", "Un nombre de choses", whole=True)),
    "DataRequirement.codeFilter": (_filter("drq-1"),),
    "DataRequirement.dateFilter": (_filter("drq-2"),),
    "Distance": (_quantity, _measure("dis-1", "Une distance")),
    "Duration": (_quantity, _measure("drt-1", "Une durée")),
    "Expression": (_expression,),
    "Extension": (_extension,),
    "Identifier": (_identifier,),
    "Money": (_money,),
    "Organization": (_organization,),
    "Parameters.parameter": (_parameter,),
    "Patient.contact": (_contact,),
    "Period": (_period,),
    "Quantity": (_quantity,),
    "Range": (_simple("low", "high"), _range),
    "Ratio": (_ratio,),
    "SampledData": (_simple("origin"),),
    "Timing.repeat": (_repeat,),
    "TriggerDefinition": (_trigger,),
}
