import datetime as dt

from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from habilitations.errors import NotAllowed


class MemberUnknown(DomainError):
    """No such member in this dossier, or not shown to this reader: the same answer."""

    code = "member_unknown"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class NotPresent(DomainError):
    code = "not_present"
    message = "{name} n’est plus dans le cercle de soins."


class AlreadyMember(DomainError):
    """`member_id` is None when the reader may not see that member (rule 7): the sentence then names nobody."""

    code = "already_member"
    status = 409
    issue = "duplicate"
    message = "{name} est déjà dans le cercle de soins."

    def __init__(self, *, name="", member_id=None):
        self.member_id = member_id
        if name:
            super().__init__(name=name)
        else:
            super().__init__("Cet ajout n’est pas possible ici : rapprochez-vous du coordinateur du dossier.")


class RoleUnknown(DomainError):
    code = "role_unknown"
    message = "Ce rôle n’existe pas."
    field = "role"


class RoleNotPossible(DomainError):
    """The kind or the profession of the member does not fit: the sentence says which."""

    code = "role_not_possible"
    message = "Ce membre ne peut pas tenir ce rôle."
    field = "role"


class RoleAlreadyHeld(DomainError):
    """`holder` and `since` are empty, `holder_id` None, when the reader may not see the holder (rule 7)."""

    code = "role_already_held"
    message = "{holder} tient déjà le rôle « {role} » depuis le {since}. Prévoyez la passation."
    field = "role"

    def __init__(self, *, role, holder="", since="", holder_id=None):
        self.role, self.holder, self.since, self.holder_id = role, holder, since, holder_id
        if holder:
            super().__init__(role=role, holder=holder, since=since)
        else:
            super().__init__(f"Le rôle « {role} » est déjà tenu. Rapprochez-vous du coordinateur du dossier.")


class RoleHeldThen(RoleAlreadyHeld):
    """Vacant today, it was held on the day asked."""

    code = "role_held_then"
    field = "starts_on"

    def __init__(self, *, until, **said):
        super().__init__(**said)
        if self.holder:
            held = f"{self.holder} a tenu le rôle « {self.role} » jusqu’au {until}."
            self.message = f"{held} Choisissez ce jour ou un jour suivant."


class RolePlanned(RoleAlreadyHeld):
    """Somebody is to take the role, or another one, and it stands in the way."""

    code = "role_planned"

    def __init__(self, **said):
        super().__init__(**said)
        if self.holder:
            self.message = (
                f"{self.holder} prendra le rôle « {self.role} » le {self.since}. "
                "Déplacez ou annulez d’abord ce changement prévu."
            )


class NothingPlanned(DomainError):
    code = "nothing_planned"
    message = "Ce changement de rôle n’est plus prévu à cette date."


class StayNotPlanned(DomainError):
    code = "stay_not_planned"
    message = "Ce départ ou cette arrivée n’est plus prévu : il a eu lieu, ou quelqu’un l’a annulé."


class LastDayMoved(DomainError):
    """`until`: the last day as it is now, none when the access has no end."""

    code = "last_day_moved"
    message = "La fin d’accès a changé entre-temps, {now} : rien n’est prolongé."

    def __init__(self, *, until: dt.date | None) -> None:
        super().__init__(now=f"elle est le {date_fr(until)}" if until else "il n’y en a plus")


class RoleHeldTwice(DomainError):
    """`dossier_ids`: where it is, without a name."""

    code = "role_held_twice"
    message = "Le rôle « {role} » est tenu par plusieurs membres à la fois dans {count} : il ne peut pas être unique."
    field = "unique"

    def __init__(self, *, role, dossier_ids):
        self.dossier_ids = tuple(dossier_ids)
        count = len(self.dossier_ids)
        super().__init__(role=role, count=f"{count} dossier{'s' if count > 1 else ''}")


class DateNotPossible(DomainError):
    code = "date_not_possible"
    message = "Cette date n’est pas possible."
    field = "starts_on"


class HandoverInThePast(DomainError):
    """What its holder held until today is not written again."""

    code = "handover_in_the_past"
    message = "Une passation ne se date pas dans le passé : choisissez aujourd’hui ou un jour suivant."
    field = "handover_starts_on"


class ContactMissing(DomainError):
    code = "contact_missing"
    message = "Indiquez au moins un moyen de contact : téléphone, mobile ou email."
    field = "phone"


class NameMissing(DomainError):
    code = "name_missing"
    message = "Indiquez le nom."
    field = "family_name"


class CodeUnknown(DomainError):
    code = "code_unknown"
    message = "Choisissez une valeur de la liste."


class FieldUnknown(DomainError):
    code = "field_unknown"
    message = "Ce champ ne se modifie pas ici."


class LooksLikeMember(DomainError):
    """A member of the circle looks like the one being typed; `found` are their rows."""

    code = "looks_like_member"
    status = 409
    issue = "duplicate"
    message = "Une personne du même nom est déjà dans le cercle. Indiquez pourquoi il s’agit d’une autre personne."
    field = "duplicate_reason"

    def __init__(self, found):
        self.found = found
        super().__init__()


class LooksLikeDirectory(DomainError):
    """The directory knows someone who looks like the one being typed; `found` are its search results."""

    code = "looks_like_directory"
    status = 409
    issue = "duplicate"
    message = "L’annuaire connaît une personne de ce nom. Choisissez-la, ou indiquez pourquoi c’est une autre."
    field = "duplicate_reason"

    def __init__(self, found):
        self.found = found
        super().__init__()


class NamesakeRefused(DomainError):
    """The person refused someone of this name, entered by hand; not said of whom the reader may not see (rule 7)."""

    code = "namesake_refused"
    message = (
        "Habilitation impossible. Le patient a refusé le partage avec une personne du même nom, saisie à la main : "
        "reliez-la à l’annuaire, ou indiquez pourquoi il s’agit d’une autre personne."
    )
    field = "duplicate_reason"

    def __init__(self, *, shown):
        if shown:
            super().__init__()
        else:
            super().__init__("Cette habilitation n’est pas possible ici : rapprochez-vous du coordinateur du dossier.")
            self.field = "habilitation"


class SameOneHabilitated(DomainError):
    """A refusal noted on a hand-entered member would leave the same person an access; `found` are their rows."""

    code = "same_one_habilitated"
    message = (
        "Accès ouvert ou demandé pour {name}. Notez aussi ce refus, ou indiquez pourquoi c’est quelqu’un d’autre."
    )
    field = "aussi"

    def __init__(self, found):
        self.found = found
        super().__init__(name=", ".join(row.name for row in found))


class RemovalTooOld(DomainError):
    code = "removal_too_old"
    message = "Ce retrait date de plus de 30 jours : ajoutez à nouveau ce membre."


class NothingToUndo(DomainError):
    code = "nothing_to_undo"
    message = "Il n’y a pas de retrait à annuler pour ce membre."


class NotDouble(DomainError):
    code = "not_double"
    message = "Cette structure n’est plus deux fois dans le cercle de soins."


class NotManual(DomainError):
    code = "not_manual"
    message = "Seul un professionnel saisi à la main se relie à l’annuaire."


class CreatorNotInDirectory(DomainError):
    code = "creator_not_in_directory"
    message = "Votre compte n’est rattaché à aucun professionnel de l’annuaire : demandez-le à votre administrateur."


class RemovalReasonMissing(DomainError):
    code = "removal_reason_missing"
    message = "Indiquez le motif du retrait."
    field = "reason"


class InvitationNotPossible(DomainError):
    code = "invitation_not_possible"
    message = (
        "Ce membre ne s’invite pas : seul un professionnel habilité, ou qui attend de l’être, reçoit une invitation."
    )
    field = "invitation_email"


class AlreadyInvited(DomainError):
    code = "already_invited"
    message = "Une invitation attend déjà la réponse de cette personne."
    field = "invitation_email"


class AddressIsGranted(NotAllowed):
    code = "address_is_granted"
    message = "Ce membre est habilité à cette adresse : seule une personne qui peut l’habiliter en change."
    field = "invitation_email"


class InvitationClosed(DomainError):
    code = "invitation_closed"
    message = "Cette invitation ne sert plus : elle a reçu une réponse, a été annulée ou a expiré."


class RefusalNotProved(DomainError):
    code = "refusal_not_proved"
    message = "Pour refuser, ouvrez le lien reçu par e-mail, ou connectez-vous avec le compte de cette adresse."


class OwnInvitation(DomainError):
    code = "own_invitation"
    message = "On n’accepte ni ne confirme sa propre invitation."


class RemindedToday(DomainError):
    code = "reminded_today"
    message = "Le dernier e-mail est parti il y a moins d’un jour : relancez demain."


class NothingToConfirm(DomainError):
    code = "nothing_to_confirm"
    message = "Cette invitation n’attend aucune confirmation."


class NumberHasAccount(DomainError):
    """A second account of one person: what is vouched for of the first would be lost to her."""

    code = "number_has_account"
    message = "Un compte existe déjà pour ce numéro RPPS : connectez-vous avec lui, puis acceptez."
    field = "rpps"


class OtherProfession(DomainError):
    """The account that accepted is vouched for another profession than the one invited."""

    code = "other_profession"
    message = (
        "Ce compte n’a pas la profession de l’invitation : dites s’il entre avec les droits de la sienne, "
        "{profession}."
    )
    field = "rights"


class MessageNamesPerson(DomainError):
    code = "message_names_person"
    message = (
        "Ce message dit qui est la personne accompagnée : un e-mail ne porte ni son nom, ni sa naissance, ni son INS."
    )
    field = "invitation_message"


class ProfessionToChoose(DomainError):
    """None was invited: who confirms chooses the one that he vouches for."""

    code = "profession_to_choose"
    message = "Choisissez la profession que vous confirmez : elle décide de ce que cette personne verra."
    field = "profession"


class CircleExists(DomainError):
    """A person has one circle (CDS-36)."""

    code = "circle_exists"
    status = 409
    issue = "duplicate"
    message = "Cette personne a déjà un cercle de soins : lisez-le, puis modifiez-le."


class ParticipantRefused(DomainError):
    """What a software asks of one participant; `rank` and `element` say where in what it sent."""

    code = "participant_refused"
    message = "Ce participant ne peut pas être enregistré tel quel : ses dates ou ses rôles se contredisent."

    def __init__(self, message=None, *, rank, element, issue="business-rule"):
        self.rank, self.element, self.issue = rank, element, issue
        super().__init__(message)
