"""Publishing a version of the matrix."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from habilitations import published
from habilitations.access import may_administer
from habilitations.catalog import SHIPPED, Catalog
from habilitations.differences import LOCKED
from habilitations.errors import MatrixNotSound, NotAllowed
from habilitations.matrix import UNKNOWN_PROFILE
from habilitations.models import ActionRight, MatrixRow, MatrixVersion, ProfileRule
from habilitations.rubriques import Action, Niveau, Scope
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def publish_matrix(
    levels: Mapping[str, Mapping[str, Niveau]],
    action_rights: Mapping[str, Mapping[str, Scope]],
    profile_rules: Mapping[tuple[str, str], str],
    *,
    by,
    reason: str,
    author=None,
    changed: int | None = None,
    via: Via = NOWHERE,
) -> MatrixVersion:
    """Publish a new version, in force for every decision from the end of the transaction.

    levels {profile: {rubrique: Niveau}}, action_rights {profile: {action: Scope}}, profile_rules
    {(profession, fonction or ""): profile}. `by` is an administrator, or None for the command line; `author` whose
    act the trace says it is, when it is not `by`; `changed` the number of cells.
    Raises NotAllowed, MatrixNotSound (a word that is not one of ours, a profile without levels, or a
    right given to the unknown profile or to the technical administrator: rules 1 and 10).
    """
    if by is not None and not may_administer(by):
        raise NotAllowed
    last = MatrixVersion.objects.select_for_update(of=("self",)).order_by("-number").first()
    # Read behind the lock: a profile is not closed while a version that leads to it is being published.
    _check(levels, action_rights, profile_rules, published.catalog())
    version = MatrixVersion.objects.create(number=last.number + 1 if last else 1, published_by=by, reason=reason)
    MatrixRow.objects.bulk_create(
        MatrixRow(version=version, profile=profile, rubrique=rubrique, niveau=niveau)
        for profile, row in levels.items()
        for rubrique, niveau in row.items()
    )
    ActionRight.objects.bulk_create(
        ActionRight(version=version, profile=profile, action=action, scope=scope)
        for profile, row in action_rights.items()
        for action, scope in row.items()
    )
    ProfileRule.objects.bulk_create(
        ProfileRule(version=version, profession=profession, fonction=fonction, profile=profile)
        for (profession, fonction), profile in profile_rules.items()
    )
    record_account(
        user=by or author, action="publication", object_kind="matrice", object_id=version.pk, count=changed, via=via
    )
    return version


def _check(levels, action_rights, profile_rules, catalog: Catalog) -> None:
    cells = {word for row in levels.values() for word in row}
    acts = {word for row in action_rights.values() for word in row}
    unknown = (cells - set(catalog.entries)) | (acts - set(Action.values))
    # A profile made in the browser may be led to before anything is opened to it.
    made = {code for code, profile in catalog.profiles.items() if not profile.closed and code not in SHIPPED.profiles}
    strangers = (set(action_rights) | set(profile_rules.values())) - set(levels) - {UNKNOWN_PROFILE} - made
    closed = {code for code, profile in catalog.profiles.items() if profile.closed}
    opened = any(any(levels.get(row, {}).values()) or action_rights.get(row) for row in LOCKED)
    if not levels or unknown or strangers or opened or closed & set(profile_rules.values()):
        raise MatrixNotSound
