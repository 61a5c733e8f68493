from coordination.common.errors import DomainError


class DossierUnknown(DomainError):
    """Unknown or not open to this account: the same answer from outside."""

    code = "dossier_unknown"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class InsAlreadyUsed(DomainError):
    code = "ins_already_used"
    status = 409
    issue = "duplicate"
    message = "Un dossier existe déjà avec ce matricule INS."
    field = "ins_matricule"


class LooksLikeAnother(DomainError):
    code = "looks_like_another"
    status = 409
    issue = "duplicate"
    message = (
        "Cette personne a peut-être déjà un dossier : même nom, même date de naissance (ou date incomplète). "
        "Indiquez pourquoi il s’agit d’une autre personne."
    )
    field = "duplicate_reason"


class StatusNotByHand(DomainError):
    code = "status_not_by_hand"
    message = "Ce statut d’identité vient du téléservice INSi : il ne se choisit pas à la main."
    field = "identity_status"


class IdentityNotSound(DomainError):
    code = "identity_not_sound"
    message = "Une identité douteuse ou fictive reste provisoire : elle n’est ni validée, ni présentée à INSi."
    field = "identity_status"


class DossierIsReadOnly(DomainError):
    code = "dossier_is_read_only"
    message = "Ce dossier est {state} : il se lit, il ne se modifie plus."


class ClosingReasonMissing(DomainError):
    code = "closing_reason_missing"
    message = "Indiquez le motif de clôture."
    field = "closing_reason"


class ChangedMeanwhile(DomainError):
    """Someone else saved first: the second person sees both texts (REL-11).

    `who` is the other person's name, `current` what is now stored: {field: value}, and `version` that of it, read
    under the same lock: who sends it back has been shown these very texts.
    """

    code = "changed_meanwhile"
    status = 412
    issue = "conflict"
    message = "{who} a modifié cette fiche pendant votre saisie."

    def __init__(self, *, who: str = "", current: dict | None = None, version: int | None = None) -> None:
        self.who = who
        self.current = current or {}
        self.version = version
        super().__init__(who=who or "Quelqu’un")


class ReopeningReasonMissing(DomainError):
    code = "reopening_reason_missing"
    message = "Indiquez pourquoi ce dossier est rouvert."
    field = "note"


class CareGoesOn(DomainError):
    code = "care_goes_on"
    message = "La fin de la prise en charge accompagne une clôture : choisissez « Clôturé », ou décochez-la."
    field = "care_over"


class StatusUnchanged(DomainError):
    """Nothing would be written: neither the note nor the reason that were typed."""

    code = "status_unchanged"
    message = "Ce dossier est déjà {state} : choisissez un autre statut."
    field = "status"
