"""What is always true of who may: habilitations, consents, refusals, the matrix, the journal."""

from __future__ import annotations

from django.utils import timezone

from circle import actions as circle
from habilitations import actions as powers
from habilitations.models import (
    AccessRequest,
    ActingFor,
    Ceiling,
    Consent,
    DataProtectionOfficer,
    Delegate,
    EmergencyAccess,
    EmergencyBan,
    EmergencyReview,
    Habilitation,
    Opposition,
    Refusal,
    SleepingAccess,
    StructureAdministrator,
    VouchedProfession,
)
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.invariants.attacks import Attack, Invariant, changes, inserts
from tests.invariants.world import DAY, TODAY, World

WHY = {"reason": "vitale", "detail": "Trouvée seule, sans proche joignable."}


def account_twice(w: World) -> Attack:
    dossier, user = w.dossier(), w.user()
    standing = Habilitation.objects.filter(dossier=dossier, user=user)
    return inserts(lambda _: Habilitation(dossier=dossier, user=user, state="non"), standing)


def house_twice(w: World) -> Attack:
    dossier, house = w.dossier(), w.structure()
    standing = Habilitation.objects.filter(dossier=dossier, structure=house)
    return inserts(lambda _: Habilitation(dossier=dossier, structure=house, state="non"), standing)


def of_an_habilitation(**values):
    return lambda w: changes(Habilitation.objects.filter(pk=w.habilitation().pk), **values)


def person_and_house(w: World) -> Attack:
    row, house = w.habilitation(user=w.user()), w.structure()
    return changes(Habilitation.objects.filter(pk=row.pk), structure=house)


def refusal(w: World, row: Habilitation) -> Refusal:
    said = {"refused_on": TODAY(), "collected": "oral", "recorded_by": w.author}
    return Refusal(dossier_id=row.dossier_id, habilitation=row, **said)


def refused_and_open(w: World) -> Attack:
    """The state goes away and the refusal stands."""
    return changes(Habilitation.objects.filter(pk=w.refused().pk), state="non")


def refusal_of_a_member_not_refused(w: World) -> Attack:
    row = w.habilitation()
    return inserts(lambda _: refusal(w, row), Refusal.objects.filter(habilitation=row), allowed=0)


def refusal_twice(w: World) -> Attack:
    row = w.habilitation()
    standing = Refusal.objects.filter(habilitation=row, withdrawn_at=None)

    def attempt(_):
        Habilitation.objects.filter(pk=row.pk).update(state="refus")
        refusal(w, row).save()

    return Attack(attempt, standing)


def refusal_twice_by_the_act(w: World) -> Attack:
    entry = w.entry()
    member = make.add(entry)
    said = {"refused_on": TODAY(), "collected": "oral", "comment": ""}
    return Attack(
        lambda _: circle.record_refusal(entry, member, refusal=said),
        Refusal.objects.filter(habilitation=member.habilitation),
    )


def consent(w: World, row: Habilitation, **fields) -> Consent:
    said = {"dossier_id": row.dossier_id, "habilitation": row, "ground": "reconnue", "starts_on": TODAY()}
    return Consent(**said | {"recorded_by": w.author} | fields)


def consent_twice(w: World) -> Attack:
    row = w.habilitation()
    return inserts(lambda _: consent(w, row), Consent.objects.filter(habilitation=row, replaced_at=None))


def consent_twice_by_the_act(w: World) -> Attack:
    """The last one takes the place of those before."""
    entry = w.entry()
    member = make.add(entry, wanted="oui")
    standing = Consent.objects.filter(habilitation=member.habilitation, replaced_at=None)
    return Attack(lambda _: circle.record_consent(entry, member, **make.team()), standing, allowed=32)


def of_a_consent(**values):
    def attack(w: World) -> Attack:
        row = consent(w, w.habilitation())
        row.save()
        return changes(Consent.objects.filter(pk=row.pk), **values)

    return attack


def consent_withdrawn_before(w: World) -> Attack:
    row = consent(w, w.habilitation())
    row.save()
    ended = {"ended_on": row.starts_on - DAY, "ended_at": timezone.now()}
    return changes(Consent.objects.filter(pk=row.pk), end="retrait", **ended)


def opposition_twice(w: World) -> Attack:
    """For everybody: no member is named, and two absent names are the same."""
    dossier = w.dossier()
    said = {"rubrique": "agenda", "refused_on": TODAY(), "collected": "oral", "recorded_by": w.author}
    return inserts(lambda _: Opposition(dossier=dossier, **said), Opposition.objects.filter(dossier=dossier))


def opposition_twice_by_the_act(w: World) -> Attack:
    """The second one is answered as the first: it must not tell that there was one."""
    entry = w.entry()
    said = {"rubrique": "agenda", "refused_on": TODAY(), "collected": "oral"}
    standing = Opposition.objects.filter(dossier=entry.dossier)
    return Attack(lambda _: circle.record_opposition(entry, **said), standing, allowed=32)


def ceiling(w: World, row: Habilitation, **fields) -> Ceiling:
    said = {"dossier_id": row.dossier_id, "habilitation": row, "rubrique": "agenda", "niveau": Niveau.LECTURE}
    return Ceiling(**said | {"set_by": w.author} | fields)


def ceiling_twice(w: World) -> Attack:
    row = w.habilitation()
    return inserts(lambda _: ceiling(w, row), Ceiling.objects.filter(habilitation=row, lifted_at=None))


def ceiling_twice_by_the_act(w: World) -> Attack:
    entry = w.entry()
    member = make.add(entry, wanted="oui")
    standing = Ceiling.objects.filter(habilitation=member.habilitation, lifted_at=None)
    return Attack(
        lambda _: circle.limit_access(entry, member, ceilings={Rubrique.AGENDA: Niveau.LECTURE}, until=None),
        standing, allowed=32,
    )  # fmt: skip


def of_a_ceiling(**values):
    def attack(w: World) -> Attack:
        row = ceiling(w, w.habilitation())
        row.save()
        return changes(Ceiling.objects.filter(pk=row.pk), **values)

    return attack


def profession_twice(w: World) -> Attack:
    user = w.user()
    return inserts(
        lambda _: VouchedProfession(user=user, profession="60", how="administrateur"),
        VouchedProfession.objects.filter(user=user, ended_at=None),
    )


def profession_twice_by_the_act(w: World) -> Attack:
    user = w.user()
    return Attack(
        lambda _: powers.vouch_profession(user, profession="60", how="administrateur", by=w.administrator),
        VouchedProfession.objects.filter(user=user, ended_at=None),
    )


def delegate_twice(w: World) -> Attack:
    house, user = make.legal_structure(), w.user()
    return inserts(lambda _: Delegate(structure=house, user=user), Delegate.objects.filter(user=user, ended_at=None))


def delegate_twice_by_the_act(w: World) -> Attack:
    house, user = make.legal_structure(), make.account()
    return Attack(
        lambda _: powers.add_delegate(house, user, by=w.administrator), Delegate.objects.filter(user=user)
    )  # fmt: skip


def structure_administrator_twice(w: World) -> Attack:
    house, user = w.structure(), w.user()
    return inserts(
        lambda _: StructureAdministrator(structure=house, user=user, named_by=w.administrator),
        StructureAdministrator.objects.filter(user=user),
    )


def structure_administrator_twice_by_the_act(w: World) -> Attack:
    house, user = w.structure(), w.user()
    return Attack(
        lambda _: powers.name_administrator(house, user, by=w.administrator),
        StructureAdministrator.objects.filter(user=user),
    )


def officer_twice(w: World) -> Attack:
    user = w.user()
    return inserts(
        lambda _: DataProtectionOfficer(user=user, named_by=w.administrator),
        DataProtectionOfficer.objects.filter(user=user),
    )


def officer_twice_by_the_act(w: World) -> Attack:
    user = w.user()
    return Attack(
        lambda _: powers.name_officer(user, by=w.administrator), DataProtectionOfficer.objects.filter(user=user)
    )


def emergency_twice(w: World) -> Attack:
    dossier, user = w.dossier(), w.user()
    return inserts(lambda _: w.emergency(dossier, user), EmergencyAccess.objects.filter(user=user))


def emergency_twice_by_the_act(w: World) -> Attack:
    dossier, user = w.entry().dossier, make.account(make.DOCTOR)

    return Attack(
        lambda _: powers.open_emergency(dossier.pk, by=user, **WHY), EmergencyAccess.objects.filter(user=user)
    )


def emergency_reviewed_twice(w: World) -> Attack:
    opened = w.emergency(w.dossier(), w.user())
    opened.save()
    said = {"dossier_id": opened.dossier_id, "emergency": opened, "by": w.author, "verdict": "justifie"}
    return inserts(lambda _: EmergencyReview(**said), EmergencyReview.objects.filter(emergency=opened))


def ban_twice(w: World) -> Attack:
    dossier = w.dossier()
    said = {"dossier": dossier, "said_on": TODAY(), "collected": "oral", "recorded_by": w.author}
    return inserts(lambda _: EmergencyBan(**said), EmergencyBan.objects.filter(dossier=dossier))


def acting(w: World, by, **fields) -> ActingFor:
    said = {"kind": "remplacement", "principal": by, "first_day": TODAY(), "last_day": TODAY() + 5 * DAY}
    return ActingFor(**said | fields)


def absence_twice(w: World) -> Attack:
    by = w.user()
    return inserts(
        lambda i: acting(w, by, last_day=TODAY() + i * DAY), ActingFor.objects.filter(principal=by)
    )  # fmt: skip


def absence_twice_by_the_act(w: World) -> Attack:
    by = make.account()
    return Attack(
        lambda i: powers.declare_absence(by=by, first_day=TODAY(), last_day=TODAY() + i * DAY),
        ActingFor.objects.filter(principal=by),
    )


def stand_in_twice(w: World) -> Attack:
    by, other = w.user(), w.user()
    said = {"substitute": other, "accepted_at": timezone.now()}
    return inserts(
        lambda i: acting(w, by, called=f"adresse{i}@ms.example", **said), ActingFor.objects.filter(principal=by)
    )


def stand_in_for_himself(w: World) -> Attack:
    by = w.user()
    acting(w, by).save()
    return changes(ActingFor.objects.filter(principal=by), substitute=by)


def closing_announced_twice(w: World) -> Attack:
    row = w.habilitation()
    said = {"dossier_id": row.dossier_id, "habilitation": row, "closes_on": TODAY() + DAY}
    return inserts(lambda _: SleepingAccess(**said), SleepingAccess.objects.filter(habilitation=row))


def rubric_asked_twice(w: World) -> Attack:
    row, user = w.habilitation(), w.user()
    said = {"dossier_id": row.dossier_id, "habilitation": row, "user": user, "rubrique": "agenda"}
    return inserts(lambda _: AccessRequest(**said), AccessRequest.objects.filter(user=user))


INVARIANTS = [
    Invariant("Un compte n’a qu’une habilitation ouverte par dossier.", ("one_open_habilitation_per_account",),
              account_twice),
    Invariant("Une structure n’a qu’une habilitation ouverte par dossier.", ("one_open_habilitation_per_structure",),
              house_twice),
    Invariant("Personne n’est habilité sans un compte ou une structure qui entre.",
              ("granted_means_someone_can_enter",), of_an_habilitation(state="oui")),
    Invariant("Une habilitation a un des quatre états connus.", ("habilitation_state_known",),
              of_an_habilitation(state="tout")),
    Invariant("Une habilitation concerne une personne ou une structure, pas les deux.",
              ("habilitation_of_a_person_or_a_structure",), person_and_house),
    Invariant("Qui est refusé par la personne n’est pas habilité : l’état et le refus vont ensemble.",
              ("refusal_and_state_agree",), refused_and_open),
    Invariant("Un refus ne tient que sur un membre dont l’état est « refus ».",
              ("refusal_and_state_agree", "one_standing_refusal"), refusal_of_a_member_not_refused),
    Invariant("Un refus n’est noté qu’une fois par membre.", ("one_standing_refusal",), refusal_twice,
              refusal_twice_by_the_act),
    Invariant("Le partage avec un membre ne repose que sur un fait à la fois.", ("one_current_consent_per_member",),
              consent_twice, consent_twice_by_the_act),
    Invariant("Un accord exprès dit comment il a été recueilli.", ("express_consent_says_how",),
              of_a_consent(ground="accord")),
    Invariant("Un accord ne finit pas avant d’avoir été donné.", ("consent_ends_after_it_was_given",),
              consent_withdrawn_before),
    Invariant("Une opposition n’est notée qu’une fois.", ("one_standing_opposition",), opposition_twice,
              opposition_twice_by_the_act),
    Invariant("Une rubrique n’a qu’une réduction par membre.", ("one_standing_ceiling_per_rubric",), ceiling_twice,
              ceiling_twice_by_the_act),
    Invariant("Une réduction ne donne jamais le droit d’écrire.", ("ceiling_lowers",),
              of_a_ceiling(niveau=Niveau.ECRITURE)),
    Invariant("Une réduction porte sur une rubrique du catalogue.",
              ("ceiling_rubric_known", "ceiling_rubric_is_known"),
              of_a_ceiling(rubrique="nulle_part")),
    Invariant("Un compte n’exerce que sous une profession confirmée à la fois.",
              ("one_current_profession_per_account",), profession_twice, profession_twice_by_the_act),
    Invariant("Une personne n’est déléguée qu’une fois de la même structure.", ("delegate_once_per_structure",),
              delegate_twice, delegate_twice_by_the_act),
    Invariant("Une personne n’administre qu’une fois la même structure.", ("structure_administrator_once",),
              structure_administrator_twice, structure_administrator_twice_by_the_act),
    Invariant("Une personne n’est qu’une fois déléguée à la protection des données.",
              ("data_protection_officer_once",), officer_twice, officer_twice_by_the_act),
    Invariant("Un compte n’a qu’un accès d’urgence à la fois dans un dossier.", ("one_emergency_at_a_time",),
              emergency_twice, emergency_twice_by_the_act),
    Invariant("Un accès d’urgence n’est relu qu’une fois à chaque titre.", ("emergency_reviewed_once",),
              emergency_reviewed_twice),
    Invariant("L’accès d’urgence n’est interdit qu’une fois par dossier.", ("one_standing_emergency_ban",), ban_twice),
    Invariant("La même absence n’est déclarée qu’une fois pour les mêmes jours.", ("acting_for_called_once",),
              absence_twice, absence_twice_by_the_act),
    Invariant("On n’agit qu’une fois pour la même personne les mêmes jours.", ("acting_for_once_at_a_time",),
              stand_in_twice),
    Invariant("On ne se remplace pas soi-même.", ("acting_for_somebody_else",), stand_in_for_himself),
    Invariant("La fermeture d’un accès qui dort n’est annoncée qu’une fois.", ("one_notice_per_sleeping_access",),
              closing_announced_twice),
    Invariant("Une rubrique n’est demandée qu’une fois tant que personne n’a répondu.",
              ("one_open_request_per_rubric",), rubric_asked_twice),
]  # fmt: skip
