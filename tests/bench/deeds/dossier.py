"""Acts on a dossier itself: opening it, who the person is, its state, its journal (PERF-20)."""

from __future__ import annotations

from tests.bench.deeds import ENTER, LEAVE, PIECE, SAME, TODAY, Act, Scene, searched
from tests.bench.deeds.circle import namesake


def _born(scene: Scene) -> str:
    """Return a birth date of nobody else: the same name and date would be asked about."""
    return f"{1 + scene.number % 28:02}/{1 + scene.number % 12:02}/{1925 + scene.number}"


PERSON = {
    "birth_name": lambda s: s.word("née"), "birth_given_names": "Jeanne", "birth_date": _born, "sex": "female",
    "motif": "domicile",
}  # fmt: skip


def _something_new(scene: Scene) -> None:
    """Have another carer add somebody since the coordinator’s last visit."""
    from coordination.dossiers.actions import mark_visited
    from tests.circle import factories as make

    mark_visited(scene.user("coordinator"), scene.place.dossier)
    theirs = make.entry_of(scene.user("doctor"), scene.entry)
    make.relative(theirs, family_name=scene.word("nouvelle"), mobile=scene.phone("nouvelle", "06 39 98"))


def _asked_why(scene: Scene) -> dict:
    import uuid

    from django.utils import timezone

    from habilitations.models import AccessQuestion

    made = AccessQuestion.objects.create(
        dossier=scene.place.dossier, trace_id=uuid.uuid4(), trace_at=timezone.now(), action="lecture",
        user=scene.user("coordinator"), asked_by=scene.user("doctor"),
    )  # fmt: skip
    return {"question_id": made.pk}


ACTS = (
    Act("dossiers:create", says=PERSON),
    Act("dossiers:lookalikes", says={"birth_name": lambda s: s.word("née"), "birth_given_names": "Jeanne",
                                     "sex": "female"},
        on="dossiers:create", by=LEAVE, box="[name=birth_date]", typed="14/03/1941", answer=PIECE),
    searched("dossiers:towns", "carm", "[name=town_texte]", on="dossiers:create"),
    searched("dossiers:birth_places", "albi", "[name=birth_place_texte]", on="dossiers:create"),
    searched("dossiers:structures", "exemple", "[name=referent_structure_texte]", on="dossiers:create"),
    Act("dossiers:list", by=ENTER, box="#id_q", typed="exemple", answer=SAME),
    Act("dossiers:open", on="dossiers:list", by=ENTER, box="#recherche-dossier", typed="exemple", answer=SAME),
    Act("dossiers:seen", on="dossiers:home", before=_something_new),
    Act("dossiers:edit_identity", says={"used_name": lambda s: s.word("usage")}),
    Act("dossiers:edit_contacts", says={"phone": lambda s: s.phone("contact")}),
    Act("dossiers:ask_access", "doctor", {"reason": "Pour préparer la synthèse"},
        before=lambda s: {"rubrique": "journal"}),
    Act("dossiers:journal", by=ENTER, box="[name=qui]", typed="cible", answer=SAME),
    Act("dossiers:journal_print", on="dossiers:journal", answer=SAME),
    Act("dossiers:ask_why", on="dossiers:journal", any_of=("trace_id",)),
    Act("answer_why", says={"answer": "Pour préparer la visite de demain."}, before=_asked_why),
    Act("dossiers:journals", "officer", {"qui": "CIBLE"}, by=ENTER, box="main [name=qui]", answer=SAME),
)  # fmt: skip

# The dossier is only read afterwards: nothing else is done in it, but what only closes an access.
LAST = (
    Act("circle:link", before=namesake, words="Relier"),
    Act("dossiers:status", says={"status": "pause", "note": "Situation nouvelle"}),
    Act("circle:record_refusal", says={"collected": "oral", "refused_on": TODAY}),
)
