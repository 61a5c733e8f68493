"""Search parameters of the directory, as subqueries of keys that indexes answer (directory/indexes.py).

Conditions are put together by UNION of keys, each an index scan: an OR between tables would read two million rows.
Two exceptions: `:contains` reads the names, and a role or function that is not a profession reads the activities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value

from coordination.common.phones import phone_or_none
from coordination.common.text import fold
from coordination.directory.fhir import codes
from coordination.directory.indexes import WORDS
from coordination.directory.models import Activity, Professional, SavoirFaire, Source, Structure
from coordination.fhir.search.sent import keys_of_token

NOBODY = Q(pk__in=[])
# Without an address, and without a means of contact.
NOWHERE = Q(address="", postal_code="", town="")
UNREACHED = Q(phone="", email="", mss_address="")
# As `text.fold` writes letters, for the columns that have no folded one.
_PLAIN = "translate(lower(%(expressions)s), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ-’', 'aaaaaaceeeeiiiinooooouuuuyy  ')"


def among(*keys: QuerySet[Any]) -> Q:
    """Return the condition of being one of these rows, each a query of one column of keys."""
    first, *rest = keys
    return Q(pk__in=first.union(*rest) if rest else first)


def structures_numbered(system: str | None, code: str, *, owner: str = "") -> Q:
    """Structures that have an identifier: a national number, or one that this caller alone sent."""
    if not code:
        return among(_sent("Organization", system, code, owner)) if system else NOBODY
    found = [Structure.objects.filter(said).values("pk") for said in _numbers(system, code)]
    return among(*found, _sent("Organization", system, code, owner))


def _numbers(system: str | None, code: str) -> Iterable[Q]:
    if system in (None, codes.FINESS):
        yield Q(finess=code)
    if system in (None, codes.SIRENE):
        yield Q(siret=code)
        yield Q(siren=code)
    if system in (None, codes.RPPS_RANG):
        # A practice is kept under its technical identifier.
        yield Q(source_key=code, technical_id=code)
    kind, number = code[:1], code[1:]
    if system in (None, codes.STRUCTURES) and number:
        rang = {"source_key": number, "technical_id": number}
        by_kind = {"1": {"finess": number}, "3": {"siret": number}, "4": rang}
        if kind in by_kind:
            yield Q(**by_kind[kind])


def structures_named(text: str, how: str) -> Q:
    """By name or short name: the beginning of any of their words, the exact writing, or any part of them."""
    wanted = fold(text)
    if not wanted:
        return NOBODY
    rows = Structure.objects.all()
    if how == "contains":
        return Q(search_name__contains=wanted)
    words = " & ".join(f"{word}:*" for word in wanted.split())
    # The index of words answers; the text then stands as it was typed.
    held = rows.filter(_holds(words))
    if how == "exact":
        return among(held.filter(Q(name=text) | Q(short_name=text)).values("pk"))
    begins = held.annotate(spaced=Func(Value(" "), F("search_name"), function="CONCAT"))
    return among(begins.filter(spaced__contains=f" {wanted}").values("pk"))


def _holds(words: str) -> Func:
    """Return the condition that the index of words answers, whatever the query it stands in."""
    asked = Func(Value(words), template="to_tsquery('simple', %(expressions)s)")
    return Func(WORDS, asked, template="%(expressions)s", arg_joiner=" @@ ", output_field=BooleanField())


def professionals_numbered(system: str | None, code: str, *, owner: str = "") -> Q:
    """Professionals that have a national identifier, or one that this caller alone sent."""
    if not code:
        return among(_sent("Practitioner", system, code, owner)) if system else NOBODY
    by_system = {codes.RPPS: f"8{code}", codes.ADELI: f"0{code}", codes.PEOPLE: code}
    wanted = list(by_system.values()) if system is None else [by_system[system]] if system in by_system else []
    known = Professional.objects.filter(national_id__in=wanted).exclude(national_id="")
    return among(known.values("pk"), _sent("Practitioner", system, code, owner))


def roles_numbered(system: str | None, code: str, *, owner: str = "") -> Q:
    """Situations d'exercice that have an identifier: the national files at hand give them none."""
    return among(_sent("PractitionerRole", system, code, owner)) if system or code else NOBODY


def family(text: str, how: str) -> Q:
    """Professionals by family name."""
    return _people([_name("family", text, how)])


def given(text: str, how: str) -> Q:
    """Professionals by given name."""
    return _people([_name("given", text, how)])


def name(text: str, how: str) -> Q:
    """By family or given name, or by both in either order, cut at any blank."""
    asked = [_name("family", text, how), _name("given", text, how)]
    if how == "starts":
        words = fold(text).split()
        for cut in range(1, min(len(words), 5)):
            before, after = " ".join(words[:cut]), " ".join(words[cut:])
            asked.append(Q(search_family=before, search_given__startswith=after))
            asked.append(Q(search_given=before, search_family__startswith=after))
    return _people(asked)


def _name(column: str, text: str, how: str) -> Q:
    wanted = fold(text)
    if not wanted:
        return NOBODY
    if how == "contains":
        return Q(**{f"search_{column}__contains": wanted})
    if how == "exact":
        # The index on what is folded, then the name as it is written.
        return Q(**{f"search_{column}": wanted, f"{_EXACT}{column}_name": text})
    return Q(**{f"search_{column}__startswith": wanted})


# Where the written name of an activity is: on its professional.
_EXACT = "professional__"


def _people(asked: list[Q]) -> Q:
    known = [said for said in asked if said != NOBODY]
    if not known:
        return NOBODY
    # Nobody works nowhere but those whom a partner named without saying where.
    keys = [Activity.objects.filter(said).values("professional_id") for said in known]
    alone = [Professional.objects.filter(_own(said), source=Source.PARTNER).values("pk") for said in known]
    return among(*keys, *alone)


def _own(said: Q) -> Q:
    pairs = (child for child in said.children if isinstance(child, tuple))
    return Q(*((key.removeprefix(_EXACT), value) for key, value in pairs))


def doing(system: str | None, code: str) -> Q:
    """Situations d'exercice of a code: profession, function, kind of activity or way of practising (CDS-61)."""
    found = NOBODY
    for column in dict.fromkeys(codes.columns_of(system).values()):
        found |= Q(**{column: code}) if code else ~Q(**{column: ""})
    return found


def specialised(system: str | None, code: str) -> Q:
    """Situations d'exercice of who has an ordinal speciality, or another savoir-faire (agenda.md §3.4)."""
    if system not in (None, *codes.SAVOIR_FAIRE_SYSTEMS) or not code:
        return NOBODY
    held = SavoirFaire.objects.filter(professional=OuterRef("professional"), code=code, ceased_at=None)
    return Q(speciality=code) | Q(Exists(held))


def reached(system: str | None, code: str) -> Q:
    """By a telephone, an e-mail or an MSSanté address of a situation d'exercice or of a professional."""
    wanted = phone_or_none(code) if system in (None, "phone") else None
    found = Q(phone=wanted) if wanted else NOBODY
    if "@" in code and system in (None, "email"):
        found |= Q(email__iexact=code) | Q(mss_address__iexact=code)
    return found


def at_address(text: str, how: str) -> Q:
    """By the beginning of a word of an address, of a town or of a postal code; any part of them, or exactly."""
    columns = ("address", "postal_code", "town")
    found = NOBODY
    if how == "exact":
        for column in columns:
            found |= Q(**{column: text})
        return found if text else NOBODY
    wanted = fold(text)
    if not wanted:
        return NOBODY
    for column in columns:
        plain = Func(Value(" "), Func(F(column), template=_PLAIN, output_field=TextField()), function="CONCAT",
                     output_field=TextField())  # fmt: skip
        # A Q takes any boolean expression.
        found |= Q(_contains(plain, wanted if how == "contains" else f" {wanted}"))
    return found


def _contains(plain: Any, wanted: str) -> Any:
    lookup: Any = TextField().get_lookup("contains")
    return lookup(plain, wanted)


def works_as(text: str, how: str) -> Q:
    """Situations d'exercice of who has this name (agenda.md §9 e: R4 has no such parameter)."""
    wanted = fold(text)
    if not wanted:
        return NOBODY
    if how == "exact":
        return Q(professional__family_name=text) | Q(professional__given_name=text)
    lookup = "contains" if how == "contains" else "startswith"
    return Q(**{f"search_family__{lookup}": wanted}) | Q(**{f"search_given__{lookup}": wanted})


def active(*columns: str) -> Callable[[str | None, str], Q]:
    """Return the builder of `active` for rows that are over once one of these columns is filled."""
    open_ = Q(**{f"{column}__isnull": True for column in columns})

    def build(system: str | None, code: str) -> Q:
        return {"true": open_, "false": ~open_}.get(code, NOBODY)

    return build


def under(ids: Any) -> Q:
    """Structures of these ones: under a legal entity by its number, or as a partner said."""
    rows = Structure.objects.all()
    numbers = rows.filter(pk__in=ids, kind=Structure.Kind.EJ).exclude(finess="").values("finess")
    places = rows.filter(finess_ej__in=numbers).exclude(finess_ej="").exclude(kind=Structure.Kind.EJ)
    return among(places.values("pk"), rows.filter(part_of__in=ids).values("pk"))


def _sent(resource_type: str, system: str | None, code: str, owner: str) -> QuerySet[Any]:
    """What this caller sent with an identifier."""
    return keys_of_token(resource_type, "identifier", system, code, owner=owner)
