"""« Ce que cette personne verra » is what the pages answer: every profile, every rubric that has a page."""

import pytest
from django.urls import reverse

from circle import actions
from circle.models import Member
from coordination.dossiers import panels
from habilitations import access
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.habilitations.test_access import WHO

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-2")]

# Rubrics that have no page yet: a page that opens takes its rubric out of here, and is then proved below.
WITHOUT_PAGE = {
    Rubrique.LIAISON, Rubrique.LIAISON_SOINS, Rubrique.TACHES, Rubrique.MEDICAL,
    Rubrique.PSYCHOLOGIQUE, Rubrique.SOCIAL, Rubrique.EVALUATIONS, Rubrique.DOCUMENTS_MEDICAUX,
    Rubrique.DOCUMENTS_SOCIAUX, Rubrique.PLAN, Rubrique.LIGNE_DE_VIE,
}  # fmt: skip
# One page of each rubric that asks for writing, and for nothing else.
WRITING = {
    Rubrique.IDENTITE: "dossiers:edit_identity", Rubrique.CERCLE: "circle:change_role",
    Rubrique.AGENDA: "agenda:create", Rubrique.REUNIONS: "reunions:find",
}  # fmt: skip
# Read, never written.
READ_ONLY = {Rubrique.JOURNAL}
REDUCED = {Rubrique.IDENTITE: Niveau.LECTURE, Rubrique.CERCLE: Niveau.LECTURE, Rubrique.MEDICAL: Niveau.AUCUN}


def test_each_rubric_has_a_page_or_is_on_the_list(entry):
    with_page = {rubrique for rubrique in Rubrique if panels.page_url(rubrique, entry.dossier.pk)}
    assert with_page == set(Rubrique) - WITHOUT_PAGE == set(WRITING) | READ_ONLY


@pytest.mark.parametrize("ceilings", [{}, REDUCED], ids=["whole", "reduced"])
@pytest.mark.parametrize("profile", WHO)
def test_the_preview_is_what_the_pages_answer(client, entry, profile, ceilings):
    user = make.account(*WHO[profile])
    member = make.add(entry, user.attachment.professional, wanted="oui")
    if ceilings:
        actions.limit_access(entry, member, ceilings=ceilings, until=None)
    seen = access.preview(*WHO[profile], ceilings=ceilings)
    client.force_login(user)
    said = client.get(reverse("dossiers:access", args=[entry.dossier.pk])).content.decode()
    # A member whom even the reduced circle shows.
    shown = Member.objects.get(habilitation__user=entry.user)
    for rubrique in Rubrique:
        assert (f'id="{rubrique}"' in said) and explained(said, rubrique) is (seen[rubrique] >= Niveau.LECTURE)
        if rubrique in WITHOUT_PAGE:
            continue
        page = client.get(panels.page_url(rubrique, entry.dossier.pk))
        assert page.status_code == (200 if seen[rubrique] >= Niveau.LECTURE else 403), rubrique
        if rubrique in READ_ONLY:
            continue
        args = [entry.dossier.pk, shown.pk] if rubrique == Rubrique.CERCLE else [entry.dossier.pk]
        written = client.get(reverse(WRITING[rubrique], args=args))
        assert written.status_code == (200 if seen[rubrique] >= Niveau.ECRITURE else 403), rubrique


def explained(said: str, rubrique: str) -> bool:
    """Return whether the line of a rubric says that it is seen."""
    line = said.split(f'id="{rubrique}"', 1)[1].split("</li>\n      ", 1)[0].split('<li class="row-news"', 1)[0]
    return "Pourquoi je vois" in line
