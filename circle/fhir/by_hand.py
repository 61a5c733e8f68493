"""RelatedPerson, and the Practitioner and PractitionerRole of professionals entered by hand: members of one circle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from circle import actions, roles
from circle.fhir import seeking, sheets
from circle.fhir.entries import CERCLE, enter, enter_to_write, entered, shown_members
from circle.models import Change, Member, RoleHolding
from coordination.common.errors import DomainError
from coordination.common.prepared import Prepared, each_of
from coordination.common.statements import ids_in_one
from coordination.dossiers import door
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.fhir import french, keeping
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import Says, same_content, stamped, with_sent
from coordination.fhir.outcomes import ERROR, Invalid, Issue, StillNamed, Unknown, VersionConflict
from coordination.fhir.registry import CREATE, DELETE, READ, SEARCH, UPDATE, Param, Provider, Resource


class MemberProvider(Provider):
    """Members of one kind, readable by who sees them in the circle (rule 7): nobody in the reduced circle."""

    interactions = frozenset({READ, SEARCH, UPDATE})
    kind: ClassVar[str]
    profiles: ClassVar[tuple[str, ...]]
    says: ClassVar[Says]
    # {field of the sheet: element it is read from}, for refusals.
    elements: ClassVar[Mapping[str, str]]

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return shown_members(caller).filter(kind=self.kind)

    def has(self, caller: Caller, id: UUID) -> bool:
        return Member.objects.filter(pk=id, kind=self.kind).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        # A professional entered by hand is brought as who he is and as where he works: the same rows, read once.
        known = caller.memo.setdefault(("by hand", self.kind), {}) if included else {}
        if new := [id for id in ids if id not in known]:
            known.update(_rows(new, self.kind))
        members = [found for id in ids if (found := known.get(id))]
        entries = entered(caller, {member.dossier_id for member in members})
        seen = {id: (e.access.sees_whole_circle, e.access.sees_discreet_members) for id, e in entries.items()}
        shown = [one for one in members if _is_shown(one, *seen.get(one.dossier_id, (False, False)))]
        sent = keeping.kept(self.type, [one.pk for one in shown], memo=caller.memo)
        built = self.build(shown, {id: line.content for id, line in sent.items()})
        return {one.pk: self._finished(one, built[one.pk], sent.get(one.pk)) for one in shown}

    def _finished(self, member: Any, built: Resource, kept: Any) -> Resource:
        content = kept.content if kept else {}
        meta = built.pop("meta", {})
        whole = with_sent(built, content, self.says, sheets.OURS)
        said = content | ({"meta": content.get("meta", {}) | meta} if meta else {})
        return stamped(
            whole, said, profiles=self.profiles, at=[member.created_at, member.changed_at, kept.at if kept else None]
        )

    def read(self, caller: Caller, id: UUID) -> Resource:
        enter(caller, self._member(id).dossier_id)
        return super().read(caller, id)

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        member = self._member(id)
        entry = enter_to_write(caller, member.dossier_id)
        current = self.load(caller, [id]).get(id)
        if current is None:
            raise Unknown
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        self.check(member, resource)
        if same_content(current, resource):
            return
        fields, role = self.fields(resource), self.role(resource, current)
        try:
            actions.update_received(entry, member, version=member.version, fields=fields, role=role)
        except ChangedMeanwhile:
            raise VersionConflict from None
        except DomainError as refusal:
            raise self._refusal(refusal) from None
        keeping.keep(self.type, id, sheets.without_our_label(resource, member))

    def _member(self, id: UUID) -> Member:
        found = Member.objects.filter(pk=id, kind=self.kind).first()
        if found is None:
            raise Unknown
        return found

    def _refusal(self, refusal: DomainError) -> Exception:
        """Point to the element that the rule is about; what somebody may not do is said as it is."""
        element = self.elements.get(refusal.field or "")
        if refusal.status != Invalid.status or element is None:
            return refusal
        return Invalid(Issue(ERROR, refusal.issue, refusal.message, f"{self.type}.{element}"))

    # What each type says.

    def build(self, members: Sequence[Member], sent: Mapping[UUID, Resource]) -> dict[UUID, Resource]:
        raise NotImplementedError

    def check(self, member: Member, resource: Resource) -> None:
        """Refuse what would make it somebody else's."""

    def fields(self, resource: Resource) -> dict[str, Any]:
        raise NotImplementedError

    def role(self, resource: Resource, current: Resource) -> str | None:
        """Return the role that is asked, None when it is the one that was read."""
        return None


def _members_of(kind: str, *, ids: str, day: dt.date) -> QuerySet[Any]:
    his = Change.objects.filter(member=OuterRef("pk")).order_by().values("member")
    # One at a time (`member_holds_one_role_at_a_time`).
    held = RoleHolding.objects.on_day(day).filter(member=OuterRef("pk"))
    return (
        Member.objects.filter(pk__in=each_of(ids), kind=kind)
        .order_by("pk")
        .annotate(
            changed_at=Subquery(his.annotate(last=Max("at")).values("last")),
            role_held=Coalesce(Subquery(held.values("role")[:1]), Value("")),
        )
    )


_members = Prepared(_members_of, one_plan=True)


def _rows(ids: Sequence[UUID], kind: str) -> dict[UUID, Member]:
    """Return the members of this kind among some ids. One SQL statement.

    Each has the role he holds (`role_held`, "" for none) and when his sheet last changed (`changed_at`).
    """
    found = _members.instances(kind, ids=ids_in_one(ids), day=timezone.localdate())
    return {member.pk: member for member in found}


def _is_shown(member: Member, whole_circle: bool, discreet_too: bool) -> bool:
    """Say whether a reader is told of a member: by what he sees of the circle."""
    return whole_circle and (discreet_too or not member.discreet)


_TELECOM = {"phone": "telecom", "mobile": "telecom", "email": "telecom"}
_NAME = {"family_name": "name[0].family", "given_name": "name[0].given[0]", "civility": "name[0].prefix[0]"}


class RelatedPersons(MemberProvider):
    key = "circle.relative"
    type = "RelatedPerson"
    profile = sheets.RELATED
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, DELETE})
    by_sets = True
    documentation = "Proches et aidants d’un dossier ; un CareTeam dit depuis quand ils sont dans le cercle."
    kind = roles.PERSON
    profiles = (sheets.RELATED,)
    says = sheets.RELATED_SAYS
    elements = {**_TELECOM, **_NAME, "relation": "relationship", "role": "relationship"}
    params: Mapping[str, Param] = seeking.RELATED

    def build(self, members: Sequence[Any], sent: Mapping[UUID, Resource]) -> dict[UUID, Resource]:
        return {
            one.pk: sheets.related_person(one, one.role_held or sheets.role_of(sent.get(one.pk, {})) or "")
            for one in members
        }

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        return self._received(caller, [(resource, key)])[0]

    def create_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[UUID]:
        """Create those of one person together, with one trace for each."""
        people = {french.reference_id(resource.get("patient"), "Patient") for resource, _ in sent}
        return self._received(caller, sent) if len(people) == 1 else super().create_many(caller, sent)

    def _received(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[UUID]:
        dossier_id = french.reference_id(sent[0][0].get("patient"), "Patient")
        try:
            entry = enter_to_write(caller, dossier_id) if dossier_id else None
        except Unknown:
            entry = None
        if entry is None:
            raise Invalid(Issue(ERROR, "not-found", "Ce patient n’existe pas.", "RelatedPerson.patient"))
        reason = caller.memo.get("duplicate_reason", "")
        for _ in sent[1:]:
            entry.trace(door.WRITE, rubrique=CERCLE)
        said = [(key, sheets.related_fields(resource)) for resource, key in sent]
        try:
            members = actions.receive_persons(entry, said, duplicate_reason=reason)
        except DomainError as refusal:
            raise self._refusal(refusal) from None
        ids = [member.pk for member in members]
        keeping.keep_many(self.type, zip(ids, (resource for resource, _ in sent), strict=True))
        return ids

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        """Refuse: the history of a circle names its members; one leaves by `participant.period.end` (GAP-9)."""
        enter_to_write(caller, self._member(id).dossier_id)
        if not self.load(caller, [id]):
            raise Unknown
        raise StillNamed("Un proche ne se supprime pas : l’histoire du cercle le cite. Il en part par le CareTeam.")

    def check(self, member: Member, resource: Resource) -> None:
        if french.reference_id(resource.get("patient"), "Patient") != member.dossier_id:
            raise Invalid("Un proche ne change pas de dossier.", expression="RelatedPerson.patient")

    def fields(self, resource: Resource) -> dict[str, Any]:
        return sheets.related_fields(resource)

    def role(self, resource: Resource, current: Resource) -> str | None:
        # Several of our roles are one of the guide's: the same one asks for nothing.
        same = sheets.relationship_said(resource)[0] == sheets.relationship_said(current)[0]
        return None if same else sheets.role_of(resource)


class ManualPractitioners(MemberProvider):
    key = "circle.manual_professional"
    type = "Practitioner"
    profile = f"{french.ANNUAIRE}/StructureDefinition/as-practitioner"
    documentation = "Professionnels saisis à la main dans un cercle."
    kind = roles.MANUAL
    profiles = (profile,)
    says = sheets.PRACTITIONER_SAYS
    elements = {**_NAME, "profession": "qualification"}
    params: Mapping[str, Param] = seeking.PRACTITIONER

    def build(self, members: Sequence[Member], sent: Mapping[UUID, Resource]) -> dict[UUID, Resource]:
        return {one.pk: sheets.practitioner(one) for one in members}

    def fields(self, resource: Resource) -> dict[str, Any]:
        return sheets.practitioner_fields(resource)


class ManualRoles(MemberProvider):
    key = "circle.manual_role"
    type = "PractitionerRole"
    profile = f"{french.ANNUAIRE}/StructureDefinition/as-practitionerrole"
    documentation = "Où exercent les professionnels saisis à la main dans un cercle."
    kind = roles.MANUAL
    profiles = (profile,)
    says = sheets.ROLE_SAYS
    elements = {**_TELECOM, "structure_name": "organization.display"}
    params: Mapping[str, Param] = seeking.ROLE

    def build(self, members: Sequence[Member], sent: Mapping[UUID, Resource]) -> dict[UUID, Resource]:
        return {one.pk: sheets.practitioner_role(one) for one in members}

    def check(self, member: Member, resource: Resource) -> None:
        if french.reference_id(resource.get("practitioner"), "Practitioner") != member.pk:
            raise Invalid(
                "Une situation d’exercice reste celle du même professionnel.",
                expression="PractitionerRole.practitioner",
            )

    def fields(self, resource: Resource) -> dict[str, Any]:
        return sheets.role_fields(resource)
