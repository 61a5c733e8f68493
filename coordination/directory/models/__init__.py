"""The address book: structures, professionals and where they practise.

Rows come from the national files (RPPS, FINESS, MSSanté), from regional complements, or are
created here for the coordination. They are reference data: never deleted, only marked ceased,
so that circles keep pointing at them.
"""

from coordination.directory.models.loads import ImportRefusal, ImportRun, Vocabulary
from coordination.directory.models.offers import AttachmentOffer
from coordination.directory.models.people import Activity, Attachment, Mailbox, Professional, SavoirFaire
from coordination.directory.models.received import Equipment, InternalService, Place
from coordination.directory.models.structures import Source, Structure

__all__ = [
    "Activity",
    "Attachment",
    "AttachmentOffer",
    "ImportRefusal",
    "ImportRun",
    "Equipment",
    "InternalService",
    "Mailbox",
    "Place",
    "Professional",
    "SavoirFaire",
    "Source",
    "Structure",
    "Vocabulary",
]
