"""Who may. The rows of power: matrix versions, vouched professions, habilitations, refusals, traces.

This room sits below the circle and the dossiers (house.md, "Why habilitations is below the circle"):
foreign keys to rooms above are written as strings, and nothing here imports them.
Callers import every model from here.
"""

from habilitations.models.acting import ActingFor, SecretaryConsent
from habilitations.models.catalog import CatalogChange, CatalogProfile, CatalogRubric
from habilitations.models.ceilings import Ceiling
from habilitations.models.clients import ClientToken, PersonalToken, SoftwareClient
from habilitations.models.consents import Collected, Consent, Opposition
from habilitations.models.drafts import MatrixDraft, MatrixDraftChange, MatrixDraftStep
from habilitations.models.emergency import EmergencyAccess, EmergencyBan, EmergencyReview
from habilitations.models.matrix import ActionRight, MatrixRow, MatrixVersion, ProfileRule
from habilitations.models.members import Habilitation, Refusal, StateChange
from habilitations.models.officers import DataProtectionOfficer
from habilitations.models.professions import VouchedProfession
from habilitations.models.questions import AccessQuestion
from habilitations.models.requests import AccessRequest
from habilitations.models.reviews import AccessKept, AccessReview, AccountKept, SleepingAccess
from habilitations.models.roots import JournalCheck, JournalRoot
from habilitations.models.structures import Delegate, LegalStructure, StructureAdministrator
from habilitations.models.traces import AccountTrace, Outcome, Trace, TraceHead

__all__ = [
    "AccessKept",
    "AccessQuestion",
    "AccessRequest",
    "AccessReview",
    "AccountKept",
    "AccountTrace",
    "ActingFor",
    "ActionRight",
    "CatalogChange",
    "CatalogProfile",
    "CatalogRubric",
    "Ceiling",
    "ClientToken",
    "Collected",
    "Consent",
    "DataProtectionOfficer",
    "Delegate",
    "EmergencyAccess",
    "EmergencyBan",
    "EmergencyReview",
    "Habilitation",
    "JournalCheck",
    "JournalRoot",
    "LegalStructure",
    "MatrixDraft",
    "MatrixDraftChange",
    "MatrixDraftStep",
    "MatrixRow",
    "MatrixVersion",
    "Opposition",
    "Outcome",
    "PersonalToken",
    "ProfileRule",
    "Refusal",
    "SecretaryConsent",
    "SleepingAccess",
    "SoftwareClient",
    "StateChange",
    "StructureAdministrator",
    "Trace",
    "TraceHead",
    "VouchedProfession",
]
