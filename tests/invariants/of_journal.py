"""What is always true of the matrix, of the software that calls, of the journal."""

from __future__ import annotations

import uuid

from django.utils import timezone

from habilitations import actions as powers
from habilitations.models import (
    CatalogProfile,
    MatrixDraft,
    MatrixRow,
    PersonalToken,
    SoftwareClient,
    Trace,
    TraceHead,
)
from habilitations.rubriques import Niveau
from habilitations.traces import record_link
from tests.invariants.attacks import Attack, Invariant, changes, inserts, statements
from tests.invariants.world import DAY, TODAY, World


def draft_of_the_matrix_twice(w: World) -> Attack:
    standing = MatrixDraft.objects.filter(closed_at=None)
    standing.update(state="abandonne", closed_at=timezone.now())
    return inserts(lambda _: MatrixDraft(based_on=w.version, opened_by=w.administrator), standing)


def matrix_published_by_who_asked(w: World) -> Attack:
    MatrixDraft.objects.filter(closed_at=None).update(state="abandonne", closed_at=timezone.now())
    by = w.administrator
    draft = MatrixDraft.objects.create(
        based_on=w.version, opened_by=by, state="demande", reason="Essai", requested_at=timezone.now(), requested_by=by
    )
    version = w.version.pk
    return changes(
        MatrixDraft.objects.filter(pk=draft.pk), state="publie", closed_at=timezone.now(), closed_by=by,
        version_id=version,
    )  # fmt: skip


def published_matrix_changed(w: World) -> Attack:
    rows = MatrixRow.objects.filter(version=w.version, niveau=Niveau.LECTURE)
    return changes(MatrixRow.objects.filter(pk=rows.first().pk), niveau=Niveau.ECRITURE)


def published_matrix_added_to(w: World) -> Attack:
    version = w.version
    return inserts(
        lambda i: MatrixRow(version=version, profile=f"profil_{i}", rubrique="agenda", niveau=Niveau.ECRITURE),
        MatrixRow.objects.filter(version=version, profile__startswith="profil_"), allowed=0,
    )  # fmt: skip


def code_changed(w: World) -> Attack:
    code = f"essai_{uuid.uuid4().hex[:12]}"
    CatalogProfile.objects.create(code=code, label=f"Profil {code}", rank=99)
    return changes(CatalogProfile.objects.filter(code=code), code="autre_code")


def profile_name_twice(w: World) -> Attack:
    name = f"Profil {uuid.uuid4().hex[:12]}"
    return inserts(
        lambda i: CatalogProfile(
            code=f"essai_{uuid.uuid4().hex[:12]}", label=name.upper() if i % 2 else name, rank=99
        ),
        CatalogProfile.objects.filter(label__iexact=name),
    )


def client_twice(w: World) -> Attack:
    house = w.structure()
    said = {"structure": house, "name": "Logiciel", "contact": "ici@ms.example", "scopes": ["system/*.rs"]}
    return inserts(
        lambda _: SoftwareClient(**said, secret_hash=uuid.uuid4().hex * 2, created_by=w.administrator),
        SoftwareClient.objects.filter(structure=house),
    )


def client_twice_by_the_act(w: World) -> Attack:
    house = w.structure()
    said = {"name": "Logiciel", "contact": "ici@ms.example", "scopes": ["system/CareTeam.rs"]}
    return Attack(
        lambda _: powers.register_client(house, **said, by=w.administrator),
        SoftwareClient.objects.filter(structure=house),
    )


def token_for_ever(w: World) -> Attack:
    token = PersonalToken.objects.create(
        user=w.user(), name="Essai", token_hash=uuid.uuid4().hex * 2, scopes=["user/*.rs"], expires_on=TODAY() + DAY
    )
    return changes(PersonalToken.objects.filter(pk=token.pk), expires_on=TODAY() + 367 * DAY)


def journal_written_by_all(w: World) -> Attack:
    """All are written, one behind the other: numbers follow, without a hole nor a double."""
    dossier = w.dossier()
    numbers = Trace.objects.of_dossier(dossier.pk).filter(seq__range=(1, 32)).distinct("seq")
    return Attack(lambda _: write_line(dossier), numbers, allowed=32, rows=32)


def write_line(dossier) -> None:
    record_link(
        user=None, dossier_id=dossier.pk, habilitation_id=None, action="lecture", object_kind="essai",
        object_id=dossier.pk,
    )  # fmt: skip


def journal_of(w: World):
    dossier = w.dossier()
    write_line(dossier)
    return Trace.objects.filter(dossier_id=dossier.pk)


def journal_rewritten(w: World) -> Attack:
    return changes(journal_of(w), actor_name="Quelqu’un d’autre")


def journal_torn(w: World) -> Attack:
    lines = journal_of(w)
    return statements("DELETE FROM habilitations_trace WHERE dossier_id = %s", [lines.get().dossier_id], lines, rows=1)


def end_of_the_chain_moved(w: World) -> Attack:
    return changes(TraceHead.objects.filter(dossier_id=journal_of(w).get().dossier_id), seq=999)


INVARIANTS = [
    Invariant("La matrice n’a qu’un brouillon ouvert.", ("one_open_matrix_draft",), draft_of_the_matrix_twice),
    Invariant("Une matrice est publiée par un autre que celui qui l’a demandé.", ("matrix_published_by_another",),
              matrix_published_by_who_asked),
    Invariant("Une version publiée de la matrice ne change pas.", ("matrix_cell_is_kept",), published_matrix_changed),
    Invariant("Rien ne s’ajoute à une version publiée de la matrice.",
              ("matrix_cell_is_published_with_its_version",), published_matrix_added_to),
    Invariant("Le code d’un profil ne change pas.", ("profile_code_is_kept",), code_changed),
    Invariant("Deux profils n’ont pas le même nom, quelle que soit sa casse.", ("profile_name_once",),
              profile_name_twice),
    Invariant("Un logiciel n’est connecté qu’une fois pour une structure.", ("client_once_per_structure",),
              client_twice, client_twice_by_the_act),
    Invariant("Un jeton personnel sert un an au plus.", ("personal_token_ends_within_a_year",), token_for_ever),
    Invariant("Les lignes du journal d’un dossier se suivent sans trou ni double.", ("trace_is_chained",),
              journal_written_by_all),
    Invariant("Une ligne du journal ne change pas.", ("trace_is_kept",), journal_rewritten),
    Invariant("Une ligne du journal ne disparaît pas.", ("trace_is_kept",), journal_torn),
    Invariant("La fin de la chaîne d’un journal n’est écrite que par lui.", ("tracehead_is_the_chains",),
              end_of_the_chain_moved),
]  # fmt: skip
