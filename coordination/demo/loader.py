"""Loads the demonstration through the same doors as everybody: importers, commands' actions, the door.

Done once: the marker is what comes last, the software to try. A load that was interrupted is finished by the next one,
step by step, because each step looks at what is there.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.db import transaction

from circle import actions as circle
from coordination.accounts.actions import create_account
from coordination.accounts.models import User
from coordination.common import communes
from coordination.common.ins import OID_NIR_TEST, nir_key
from coordination.demo import events, programs
from coordination.demo.circles import MEMBERS
from coordination.demo.people import CCAS, DAC, PASSWORD, PEOPLE, SSIAD, Person
from coordination.demo.stories import MORE_FAMILY, MORE_GIVEN, MORE_TOWNS, STORIES, Story
from coordination.directory import actions as directory
from coordination.directory.models import Attachment, Mailbox, Structure
from coordination.dossiers import actions as dossiers
from coordination.dossiers import door
from coordination.dossiers.models import Dossier
from habilitations import actions as habilitations
from habilitations.models import MatrixVersion, VouchedProfession
from habilitations.rubriques import Rubrique

PROFESSIONALS, PER_STRUCTURE, DOSSIERS, SEED = 20_000, 5, 60, 81
# The demonstration lives in the Tarn: three letters and a town must find somebody there.
DEPARTMENT = "81"
# Stable keys: a second load finds what the first one made.
NAMESPACE = uuid.UUID("6f9d2c1e-81aa-4c53-9d0b-2b7e5f0c8100")

# Those whose people enter the dossiers that the structure may open.
LEGAL_STRUCTURES = (SSIAD, DAC)
LOCAL_STRUCTURES = (
    {"name": DAC, "category": "606", "address": "3 avenue des Essais", "postal_code": "81400", "town": "Carmaux",
     "phone": "+33536491040"},
    {"name": SSIAD, "category": "354", "address": "8 rue du Modèle", "postal_code": "81400", "town": "Carmaux",
     "phone": "+33536498100"},
    {"name": CCAS, "address": "1 place du Spécimen", "postal_code": "81400", "town": "Carmaux",
     "phone": "+33536497702"},
    {"name": "Pharmacie du Viaur (exemple)", "category": "620", "address": "12 rue de la Maquette",
     "postal_code": "81400", "town": "Carmaux", "phone": "+33536491066"},
)  # fmt: skip


def load(*, say: Callable[[str], None], professionals: int = PROFESSIONALS, dossiers_wanted: int = DOSSIERS) -> bool:
    """Load everything that is missing; return whether there was anything to do. `say` gets progress lines."""
    if programs.are_connected():
        return False
    if not MatrixVersion.objects.exists():
        say("Matrice d'habilitation par défaut…")
        call_command("publish_matrix", "--defaut", verbosity=0)
    # The mailboxes come last.
    if not Mailbox.objects.exists():
        _load_directory(say, professionals)
    say("Comptes de démonstration…")
    users = _load_accounts()
    say("Dossiers et cercles…")
    for story in (*STORIES, *_more_stories(dossiers_wanted - len(STORIES))):
        _load_story(story, users)
    events.open_agendas(users)
    dac = Structure.objects.local().get(name=DAC)
    say(programs.connect(dac, by=users["admin"]))
    return True


def key(*parts: object) -> uuid.UUID:
    """Return the key of what these words name: the same at each load."""
    return uuid.uuid5(NAMESPACE, " ".join(map(str, parts)))


def _load_directory(say: Callable[[str], None], professionals: int) -> None:
    """The national files, invented, through the real importers."""
    with tempfile.TemporaryDirectory(prefix="annuaire-") as folder:
        say(f"Annuaire : {professionals} professionnels inventés…")
        call_command(
            "generate_directory",
            folder,
            professionals=professionals,
            structures=professionals // PER_STRUCTURE,
            seed=SEED,
            autour=DEPARTMENT,
            verbosity=0,
        )
        files = sorted(Path(folder).iterdir())
        bounds = {"lignes_min": 1, "accepter_ecart": True, "verbosity": 0}

        def named(start: str) -> list[str]:
            return [str(path) for path in files if path.name.startswith(start)]

        say("Annuaire : structures FINESS…")
        call_command("import_finess", *named("finess-structures")[:1], **bounds)
        say("Annuaire : professionnels RPPS…")
        call_command("import_rpps", *named("PS_LibreAcces"), **bounds)
        say("Annuaire : adresses MSSanté…")
        call_command("import_mssante", *named("Extraction_Correspondance")[:1], **bounds)


@transaction.atomic
def _load_accounts() -> dict[str, User]:
    users: dict[str, User] = {}
    for person in reversed(PEOPLE):  # the administrator first: the others are made by somebody
        users[person.key] = User.objects.filter(email=person.email).first() or _open_account(person)
    by = users["admin"]
    places = {values["name"]: _structure(values, by) for values in LOCAL_STRUCTURES}
    for name in LEGAL_STRUCTURES:
        if not _is_open(places[name]):
            habilitations.open_structure(places[name], by=by)
    for person in PEOPLE:
        user = users[person.key]
        if person.profession and not Attachment.objects.of(user).exists():
            _give_profession(person, user, places.get(person.structure), by=by)
    return users


def _is_open(structure: Structure) -> bool:
    return Structure.objects.filter(pk=structure.pk, legal__closed_at=None, legal__isnull=False).exists()


def _open_account(person: Person) -> User:
    return create_account(
        email=person.email,
        family_name=person.family_name.upper(),
        given_name=person.given_name,
        title=person.title,
        is_administrator=person.administrator,
        password=PASSWORD,
    )


def _structure(values: dict, by: User) -> Structure:
    found = Structure.objects.local().filter(name=values["name"]).first()
    if found:
        return found
    town = communes.resolve(values["town"], values["postal_code"])
    return directory.create_local_structure(by=by, commune_code=town[0].insee if town else "", **values)


def _give_profession(person: Person, user: User, structure: Structure | None, *, by: User) -> None:
    professional = directory.create_local_professional(
        by=by,
        family_name=person.family_name,
        given_name=person.given_name,
        civility=person.civility,
        profession=person.profession,
        fonction=person.fonction,
        rpps=person.rpps,
        structure=structure,
        phone=f"+33{person.phone[1:]}",
        email=person.email,
    )
    if person.unconfirmed:
        directory.attach_account(user, professional, structure, by=by)
        return
    directory.confirm_account(user, professional.activities.get(), how=VouchedProfession.How.ADMINISTRATOR, by=by)
    if person.looks_after:
        habilitations.name_administrator(structure, user, by=by)
    if person.delegate:
        habilitations.add_delegate(structure, user, by=by)


def _more_stories(count: int) -> list[Story]:
    made = []
    for number in range(max(count, 0)):
        turn, rank = divmod(number, len(MORE_FAMILY))
        given, sex = MORE_GIVEN[(rank + 3 * turn) % len(MORE_GIVEN)]
        town, postal_code = MORE_TOWNS[number % len(MORE_TOWNS)]
        motif = Dossier.Motif.values[number % len(Dossier.Motif.values)]
        child = motif == Dossier.Motif.ENFANT
        circle = (("medecin", "dac"), ("infirmiere", "ssiad"), ("sociale", "dac", "pharmacie"))[number % 3]
        made.append(
            Story(
                MORE_FAMILY[rank],
                given,
                sex,
                dt.date((2010 + number % 12) if child else (1932 + number % 60), 1 + number % 12, 1 + number % 28),
                town,
                postal_code,
                motif,
                by="coordinatrice" if number % 3 else "coordinatrice2",
                circle=(*circle, "mere_responsable") if child else circle,
            )
        )
    return made


@transaction.atomic
def _load_story(story: Story, users: dict[str, User]) -> None:
    creation_key = key("dossier", story.birth_name, story.given_names, story.birth_date)
    if Dossier.objects.filter(creation_key=creation_key).exists():
        return
    by = users[story.by]
    town = communes.resolve(story.town, story.postal_code)
    dossier = circle.open_dossier(
        by=by,
        creation_key=creation_key,
        traits={
            "birth_name": story.birth_name,
            "birth_given_names": story.given_names,
            "used_name": story.used_name,
            "sex": story.sex,
            "birth_date": story.birth_date,
            "birth_place": story.birth_place,
            "birth_place_code": story.birth_place_code,
            "identity_status": "VALI" if story.validated else "PROV",
            "homonym": story.homonym,
            "doubtful": story.doubtful,
        },
        contacts={
            "phone": story.phone and f"+33{story.phone[1:]}",
            "address": "4 chemin de l'Exemple",
            "postal_code": story.postal_code,
            "town": story.town,
            "commune_code": town[0].insee if town else "",
        },
        motif=story.motif,
        duplicate_reason="Autre personne, vérifié au téléphone",
    )
    if story.matricule13:
        matricule = story.matricule13 + nir_key(story.matricule13)
        dossiers.receive_ins(dossier, by=by, matricule=matricule, oid=OID_NIR_TEST)
    _set_status(dossier.pk, by, "actif")
    _compose(dossier, by, story.circle, users)
    # What others do from here on is what she finds « depuis votre dernière visite ».
    dossiers.mark_visited(by, dossier)
    for who, added in story.then:
        _compose(dossier, users[who], (added,), users)
    events.load(dossier.pk, story.birth_name, users, key)
    if story.status not in ("actif", "evaluation"):
        _set_status(dossier.pk, by, story.status)


def _compose(dossier: Dossier, by: User, names: tuple[str, ...], users: dict[str, User]) -> None:
    for name in names:
        MEMBERS[name](door.enter(by, dossier.pk, Rubrique.CERCLE), users, key(dossier.pk, name))


def _set_status(dossier_id, by: User, status: str) -> None:
    entry = door.enter(by, dossier_id, Rubrique.IDENTITE)
    if status == entry.dossier.status:
        return
    reason = Dossier.ClosingReason.ETABLISSEMENT if status == Dossier.Status.CLOS else ""
    dossiers.change_status(entry.dossier, by=by, access=entry.access, status=status, reason=reason)
