"""Acts outside any dossier: the directory, and one’s own account (PERF-20)."""

from __future__ import annotations

from tests.bench.deeds import ANY, SAME, Act, Scene, searched


def _doubles(scene: Scene) -> dict:
    """A structure created here, of the name of one of the national file that it is merged into."""
    from coordination.directory.models import Structure
    from tests.circle import factories as make

    national = Structure.objects.active().exclude(source="local").order_by("pk")[scene.number]
    return {"structure_id": make.StructureFactory(name=national.name).pk}


def _other_session(scene: Scene) -> dict:
    """Have the account open on another device."""
    from tests.bench import servers

    servers.signed_in(scene.user("coordinator"))
    return {}


ACTS = (
    searched("directory:professionals", "martin"),
    searched("directory:structures", "exemple"),
    Act("directory:create_structure", says={"name": lambda s: s.word("créée"), "phone": lambda s: s.phone("créée")}),
    Act("directory:merge_structure", "administrator", before=_doubles, words="Fusionner",
        first=(Act("directory:merge_structure", words="Choisir", answer=SAME),)),
    Act("accounts:home", says={"title": lambda s: f"Infirmière {s.number}"}),
    Act("accounts:end_session", on="accounts:home", before=_other_session, any_of=("public_id",)),
    Act("accounts:end_other_sessions", on="accounts:home", before=_other_session),
    Act("tokens:make", says={"name": lambda s: s.word("jeton"), "allowed": ANY}, answer=SAME),
    Act("tokens:revoke", on="tokens:list", any_of=("token_id",)),
)  # fmt: skip
