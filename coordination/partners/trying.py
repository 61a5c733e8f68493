"""« Essayer la connexion »: a partner is asked what it is, and what is wrong is said so that it can be mended.

By the same way as exchanges (`client`, `wire`): same addresses allowed, same TLS. No secret, and nothing that the
partner says in words, is in a sentence.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error
from django.db.models.functions import Now
from django.utils import timezone

from coordination.common import away
from coordination.fhir.formats import Resource
from coordination.partners import client, wire
from coordination.partners.errors import CallFailed
from coordination.partners.models import Partner

logger = logging.getLogger(__name__)
# Somebody waits for the result: less than what an exchange may take.
SECONDS: Final = 10.0
# Two calls, and what is around.
LONGEST: Final = dt.timedelta(seconds=40)
VERSION: Final = "4.0"
_NUMBER = re.compile(r"\d{1,2}\.\d{1,2}(\.\d{1,2})?(-[a-z0-9]{1,12})?")
UNREADABLE: Final = "Le serveur répond, mais sa réponse est illisible : vérifiez l’adresse, ou appelez ce partenaire."
# What a server that is something else answers.
_NOT_THERE: Final = frozenset({200, 404, 405, 406, 410, 415})
# {what `wire` says of a silence: what to look at}
_SILENCES: Final = {
    "no such host": "ce nom de serveur n’existe pas, vérifiez l’adresse",
    "SSLError": "son certificat TLS n’est pas valable pour ce nom",
    "NewConnectionError": "rien n’écoute à cette adresse, vérifiez le nom et le port",
    "ConnectTimeoutError": "rien ne répond à cette adresse",
    "quarantaine": "rien ne part d’une installation restaurée avant la levée de la quarantaine",
    "too slow": "il met plus de dix secondes à répondre",
}


def attempt(partner: Partner) -> str:
    """Return what a partner says it is, in words. Raises CallFailed, whose sentence says what to mend.

    Two calls at most, of ten seconds each; the last success or failure of the partner is noted as an exchange does.
    No transaction is to be open meanwhile.
    """
    rows = Partner.objects.filter(pk=partner.pk)
    try:
        said = _asked(partner)
    except CallFailed as failure:
        rows.update(last_error=failure.sentence[:300], last_error_at=timezone.now())
        raise
    rows.update(last_ok_at=timezone.now())
    return said


def do(partner_id: UUID) -> bool:
    """Do the trial that a partner waits for, and keep what it said; return whether one was done by this call.

    Two workers told of one at once ask twice what changes nothing. Never raises for a partner.
    """
    partner = Partner.objects.filter(pk=partner_id, trial_asked_at__isnull=False).first()
    if partner is None:
        return False
    asked = Partner.objects.filter(pk=partner_id, trial_asked_at=partner.trial_asked_at)
    # Rung again, should this worker be killed, and not while it waits for an answer.
    asked.update(ring_after=Now() + LONGEST)
    try:
        said = f"La connexion fonctionne. {attempt(partner)}"
    except CallFailed as failure:
        said = failure.sentence
    except SoftTimeLimitExceeded:
        said = "Le partenaire met trop longtemps à répondre."
    except Error:
        raise
    except Exception as error:  # a partner answers what it wants: the trial ends whatever that is
        away.note(error)
        logger.error("partners.trial_broken", extra={"partner_id": str(partner_id)}, exc_info=error)
        said = UNREADABLE
    # Asked again meanwhile, with other addresses perhaps: that trial is still to be done.
    return bool(asked.update(trial_asked_at=None, ring_after=None, trial_said=said[:300]))


def _asked(partner: Partner) -> str:
    with _about("L’adresse des jetons"):
        token = client.new_token(partner, within=SECONDS)
    with _about("Le serveur FHIR"):
        statement = client.metadata(partner, token, within=SECONDS)
    return _checked(statement)


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Say of which of the two addresses a failure speaks, and what to look at."""
    try:
        yield
    except CallFailed as failure:
        sentence = _in_words(what, failure)
        raise CallFailed(sentence, retry=failure.retry, status=failure.status) from None


def _checked(statement: Resource) -> str:
    if statement.get("resourceType") != "CapabilityStatement":
        raise CallFailed("Le serveur répond, mais ce n’est pas un serveur FHIR : vérifiez l’adresse.", retry=False)
    version = str(statement.get("fhirVersion", ""))
    shown = version if _NUMBER.fullmatch(version) else "inconnue"
    if not version.startswith(VERSION):
        raise CallFailed(f"Le serveur parle une autre version de FHIR ({shown}) : la 4.0 est attendue.", retry=False)
    kept = [one.get("type") for rest in _objects(statement, "rest") for one in _objects(rest, "resource")]
    circles = "les cercles de soins y sont" if "CareTeam" in kept else "il n’annonce pas de cercle de soins"
    return f"FHIR {shown}, {circles}."


def _objects(holder: Resource, name: str) -> list[Resource]:
    """The objects of a list; CallFailed for anything else, since nothing has checked what a partner sends."""
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CallFailed(UNREADABLE, retry=False)
    return found


def _in_words(what: str, failure: CallFailed) -> str:
    cause = failure.__cause__
    if isinstance(cause, wire.Unreachable):
        why = _SILENCES.get(str(cause))
        return f"{what} ne répond pas : {why}." if why else failure.sentence
    if failure.status in _NOT_THERE:
        return f"{what} ne répond pas comme attendu ({failure.status}) : vérifiez l’adresse."
    return failure.sentence
