"""The whole matrix, cell by cell, against the specification's own table; then the three questions agree.

SPECIFICATION is the table of the study of peers, section 2, copied here on purpose: a change of the product's
data file that nobody decided turns this red.
"""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordination.dossiers.models import Dossier
from habilitations import access, defaults, published
from habilitations.access import Access, Hat
from habilitations.matrix import Matrix, least
from habilitations.models import Delegate, LegalStructure, VouchedProfession
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Action, Niveau, Rubrique, Scope
from tests.dossiers.factories import DossierFactory, StructureFactory, UserFactory, habilitation

SPECIFICATION = """
profil,identite,cercle,liaison,liaison_soins,agenda,reunions,taches,medical,psychologique,social,evaluations,documents_medicaux,documents_sociaux,plan,ligne_de_vie,journal
coordinateur_sante,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,ecriture,ecriture,lecture,lecture
coordinateur_social,ecriture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,lecture,aucun,ecriture,ecriture,lecture,ecriture,ecriture,lecture,lecture
medecin,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,lecture,lecture,ecriture,ecriture,lecture,ecriture,lecture,aucun
sage_femme,lecture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,aucun,lecture,ecriture,ecriture,aucun,ecriture,lecture,aucun
infirmier,lecture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,lecture,lecture,ecriture,ecriture,lecture,ecriture,lecture,aucun
pharmacien,lecture,ecriture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,aucun,aucun,lecture,ecriture,aucun,lecture,lecture,aucun
reeducation,lecture,ecriture,ecriture,ecriture,ecriture,ecriture,ecriture,lecture,aucun,lecture,ecriture,ecriture,aucun,ecriture,lecture,aucun
soins_ponctuels,lecture,lecture,ecriture,ecriture,lecture,lecture,lecture,lecture,aucun,aucun,aucun,ecriture,aucun,aucun,lecture,aucun
psychologue,lecture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,lecture,ecriture,lecture,ecriture,lecture,lecture,ecriture,lecture,aucun
aide_soignant,lecture,lecture,ecriture,ecriture,lecture,lecture,ecriture,lecture,aucun,aucun,lecture,aucun,aucun,lecture,lecture,aucun
assistant_social,ecriture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,aucun,aucun,ecriture,ecriture,aucun,ecriture,ecriture,lecture,aucun
educateur,lecture,ecriture,ecriture,aucun,ecriture,ecriture,ecriture,aucun,aucun,lecture,ecriture,aucun,lecture,ecriture,lecture,aucun
aide_domicile,lecture,lecture,ecriture,aucun,lecture,lecture,ecriture,aucun,aucun,aucun,aucun,aucun,aucun,lecture,aucun,aucun
cadre_esms,lecture,ecriture,ecriture,lecture,ecriture,ecriture,ecriture,aucun,aucun,lecture,lecture,aucun,lecture,ecriture,lecture,aucun
secretariat,ecriture,ecriture,lecture,aucun,ecriture,ecriture,ecriture,aucun,aucun,aucun,aucun,aucun,ecriture,lecture,aucun,aucun
mjpm,lecture,lecture,ecriture,aucun,lecture,lecture,lecture,aucun,aucun,lecture,aucun,aucun,ecriture,lecture,aucun,aucun
education_nationale,lecture,lecture,aucun,aucun,aucun,lecture,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun
transport_psdm,lecture,lecture,aucun,aucun,lecture,aucun,lecture,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun
benevole,lecture,lecture,lecture,aucun,lecture,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun
aidant,lecture,lecture,ecriture,aucun,lecture,lecture,lecture,aucun,aucun,aucun,aucun,aucun,aucun,lecture,aucun,aucun
representant_legal,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,aucun,lecture,lecture,lecture,lecture,lecture,lecture,lecture
personne,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture,lecture
inconnu,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun
admin_technique,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun
dpo,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,aucun,lecture
"""
LEVELS = {"aucun": Niveau.AUCUN, "lecture": Niveau.LECTURE, "ecriture": Niveau.ECRITURE}

COORD, DOCTOR, CADRE = {"coordinateur_sante", "coordinateur_social"}, {"medecin"}, {"cadre_esms"}
CARERS = {"infirmier", "pharmacien", "reeducation", "sage_femme", "psychologue"}
SOCIAL, DESK = {"assistant_social", "educateur", "cadre_esms"}, {"secretariat"}
MANY = COORD | DOCTOR | CARERS | SOCIAL | DESK
OTHERS = {
    "soins_ponctuels", "aide_soignant", "aide_domicile", "mjpm", "education_nationale", "transport_psdm", "benevole",
    "aidant", "representant_legal", "personne", "dpo",
}  # fmt: skip
# The table of action rights: {action: profiles}; cadre grants in his own structure only.
RIGHTS = {
    Action.CREATE_DOSSIER: MANY,
    Action.ADD_MEMBER: MANY,
    Action.GRANT: COORD | DOCTOR | CADRE,
    Action.INVITE: MANY,
    Action.RECORD_REFUSAL: MANY,
    Action.VALIDATE_PLAN: COORD | DOCTOR | CADRE,
    Action.CLOSE_DOSSIER: COORD | DOCTOR,
    Action.PRINT: MANY | OTHERS,
    Action.EXPORT_DOSSIER: COORD | {"personne"},
    Action.READ_JOURNAL: COORD | {"personne", "dpo"},
}

# One profession (and function) of each profile that a profession gives.
WHO = {
    "coordinateur_sante": ("60", "330"), "coordinateur_social": ("99", "330"), "medecin": ("10", ""),
    "sage_femme": ("50", ""), "infirmier": ("60", ""), "pharmacien": ("21", ""), "reeducation": ("94", ""),
    "soins_ponctuels": ("40", ""), "psychologue": ("93", ""), "aide_soignant": ("53", ""),
    "assistant_social": ("44", ""), "educateur": ("51", ""), "aide_domicile": ("99", "350"),
    "cadre_esms": ("51", "359"), "secretariat": ("331", ""), "mjpm": ("307", ""), "transport_psdm": ("36", ""),
    "inconnu": ("26", ""),
}  # fmt: skip


def specified():
    head, *lines = [line.split(",") for line in SPECIFICATION.split()]
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


@pytest.fixture(scope="module")
def shipped():
    data = defaults.load()
    return Matrix(1, data.levels, data.action_rights, data.profile_rules)


@pytest.fixture
def matrix(db, shipped):
    from habilitations.actions import publish_matrix

    published.forget()
    publish_matrix(shipped.levels, shipped.actions, shipped.profiles, by=None, reason="Tests")
    yield published.current()
    published.forget()


# ---- cell by cell ----------------------------------------------------------------------------------


def test_the_specification_has_twenty_five_profiles_and_sixteen_rubrics():
    table = specified()
    assert len(table) == 25
    assert all(list(row) == Rubrique.values for row in table.values())


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("profile", specified())
def test_every_cell_every_level_under_every_cap(profile, shipped):
    """profiles x rubrics x levels x state of the dossier: the right is the smallest of all (rules 1 and 2)."""
    for rubrique, word in specified()[profile].items():
        cell = LEVELS[word]
        assert shipped.written(profile, rubrique) == cell, rubrique
        # The journal names discreet members (rule 7): nobody reads it in a dossier without the medical rubric.
        if rubrique == Rubrique.JOURNAL and specified()[profile]["medical"] == "aucun":
            cell = Niveau.AUCUN
        assert shipped.level(profile, rubrique) == cell, rubrique
        for cap in Niveau:
            held = Access(profile, shipped, Hat(), None, cap=cap)
            assert held.level(rubrique) == min(cell, cap)
            assert held.can_read(rubrique) is (min(cell, cap) >= Niveau.LECTURE)
            assert held.can_write(rubrique) is (min(cell, cap) == Niveau.ECRITURE)
            assert held.abilities[f"read_{rubrique}"] is held.can_read(rubrique)
            assert held.abilities[f"write_{rubrique}"] is held.can_write(rubrique)


@pytest.mark.parametrize("action", Action)
def test_every_action_right(action, shipped):
    for profile in specified():
        scope = shipped.scope(profile, action)
        assert (scope is not None) is (profile in RIGHTS[action]), profile
        own_only = action == Action.GRANT and profile in CADRE
        assert scope in (None, Scope.OWN_STRUCTURE if own_only else Scope.ALL)


def test_own_structure_is_the_vouched_one_and_no_other(shipped):
    from uuid import uuid4

    mine, other = uuid4(), uuid4()
    cadre = Access("cadre_esms", shipped, Hat(structure_id=mine), None)
    assert cadre.may(Action.GRANT, structure_id=mine)
    assert not cadre.may(Action.GRANT, structure_id=other)
    assert not cadre.may(Action.GRANT)
    # Nobody's structure is not « the same » as no structure.
    assert not Access("cadre_esms", shipped, Hat(), None).may(Action.GRANT, structure_id=None)


def test_a_closed_dossier_allows_reading_acts_only(shipped):
    held = Access("coordinateur_sante", shipped, Hat(), None, cap=Niveau.LECTURE)
    allowed = {action for action in Action if held.may(action)}
    reading = {Action.PRINT, Action.EXPORT_DOSSIER, Action.READ_JOURNAL, Action.CLOSE_DOSSIER}
    assert allowed == reading | {Action.RECORD_REFUSAL}


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("profile", specified())
@pytest.mark.parametrize("cap", list(Niveau))
def test_a_refusal_is_recorded_whatever_the_state_and_withdrawn_only_where_one_writes(profile, cap, shipped):
    held = Access(profile, shipped, Hat(), None, cap=cap)
    writes = LEVELS[specified()[profile][Rubrique.CERCLE]] >= Niveau.ECRITURE
    able = writes and profile in RIGHTS[Action.RECORD_REFUSAL]
    assert held.may_record_refusal == (able and cap >= Niveau.LECTURE)
    assert held.may_withdraw_refusal == (able and cap >= Niveau.ECRITURE)


@pytest.mark.parametrize(("profile", "pair"), WHO.items())
def test_profession_gives_its_profile(profile, pair, shipped):
    assert shipped.profile_of(*pair) == profile


@pytest.mark.parametrize(
    ("pair", "profile"),
    [
        (("", ""), "inconnu"),
        (("", "330"), "inconnu"),
        (("10", "FON-29"), "medecin"),
        (("10", "354"), "inconnu"),
        (("60", "346"), "inconnu"),
        (("93", "330"), "coordinateur_social"),
        (("51", "330"), "coordinateur_social"),
        (("35", "309"), "coordinateur_sante"),
        (("72", ""), "inconnu"),
        (("XXXX", "YYY"), "inconnu"),
    ],
)
def test_explicit_table_of_professions(pair, profile, shipped):
    assert shipped.profile_of(*pair) == profile


def test_each_code_of_the_table_is_a_national_code_and_each_profile_has_levels(shipped):
    from coordination.common import nomenclatures

    for (profession, fonction), profile in shipped.profiles.items():
        assert nomenclatures.find_profession_or_role(profession), profession
        assert not fonction or nomenclatures.get("role", fonction), fonction
        assert profile in shipped.levels


# ---- states of a member, in the database -----------------------------------------------------------

STATES = ("oui", "non", "attente", "refus", "ended")


def vouched(profession, fonction=""):
    user = UserFactory()
    VouchedProfession.objects.create(
        user=user, profession=profession, fonction=fonction, how=VouchedProfession.How.ADMINISTRATOR
    )
    return user


def row(dossier, state, **whose):
    ended = timezone.now() if state == "ended" else None
    return habilitation(dossier, "oui" if state == "ended" else state, ended_at=ended, **whose)


@pytest.mark.req("SEC-2")
def test_every_profile_in_every_member_state(matrix):
    dossiers = {state: DossierFactory() for state in STATES}
    table = specified()
    for profile, pair in WHO.items():
        user = vouched(*pair)
        for state, dossier in dossiers.items():
            row(dossier, state, user=user)
            found = access.to_dossier(user, dossier.pk)
            if state != "oui":
                assert found is None, (profile, state)
                continue
            assert {r: found.level(r) for r in Rubrique.values} == {r: LEVELS[w] for r, w in table[profile].items()}
        listed = set(access.dossier_ids(user).values_list("dossier_id", flat=True))
        assert listed == {dossiers["oui"].pk}
    for rubrique in Rubrique:
        for level in (Niveau.LECTURE, Niveau.ECRITURE):
            able = access.users_able_to(dossiers["oui"].pk, rubrique, level)
            assert len(able) == sum(LEVELS[table[p][rubrique]] >= level for p in WHO)
            assert all(not access.users_able_to(dossiers[s].pk, rubrique, level) for s in STATES if s != "oui")


@pytest.mark.req("PEERS-RULE-10")
def test_administrator_opens_no_dossier_by_it(matrix):
    administrator = UserFactory(administrator=True)
    dossier = DossierFactory()
    assert access.may_administer(administrator)
    assert access.to_dossier(administrator, dossier.pk) is None
    assert not access.may_create_dossier(administrator)
    assert not Dossier.objects.visible_to(administrator).exists()


def test_nobody_vouched_is_inside_with_nothing(matrix):
    user, dossier = UserFactory(), DossierFactory()
    row(dossier, "oui", user=user)
    found = access.to_dossier(user, dossier.pk)
    assert (found.profile, found.readable()) == ("inconnu", ())
    assert not any(found.abilities.values())


def test_without_a_published_matrix_nothing_is_open(db):
    published.forget()
    user, dossier = vouched("10"), DossierFactory()
    row(dossier, "oui", user=user)
    assert access.to_dossier(user, dossier.pk).readable() == ()


def test_a_new_version_is_in_force_at_the_next_decision(matrix, shipped):
    from habilitations.actions import publish_matrix

    user, dossier = vouched("10"), DossierFactory()
    row(dossier, "oui", user=user)
    assert access.to_dossier(user, dossier.pk).can_read("medical")
    levels = {**shipped.levels, "medecin": {**shipped.levels["medecin"], "medical": Niveau.AUCUN}}
    publish_matrix(levels, shipped.actions, shipped.profiles, by=None, reason="Essai")
    assert not access.to_dossier(user, dossier.pk).can_read("medical")


def test_one_statement_decides(matrix, django_assert_num_queries):
    user, dossier = vouched("10"), DossierFactory()
    row(dossier, "oui", user=user)
    access.to_dossier(user, dossier.pk)
    with django_assert_num_queries(1):
        access.to_dossier(user, dossier.pk)


# ---- properties ------------------------------------------------------------------------------------

levels = st.sampled_from(Niveau)
cells = st.fixed_dictionaries({"p": st.dictionaries(st.sampled_from(Rubrique.values), levels)})


@given(cells, st.sampled_from(Rubrique.values), levels, levels)
def test_a_lower_cell_or_cap_never_adds_a_right(table, rubrique, cell, cap):
    before = Access("p", Matrix(1, table), Hat(), None)
    lower = {"p": {**table["p"], rubrique: least((cell, before.level(rubrique)))}}
    after = Access("p", Matrix(1, lower), Hat(), None, cap=cap)
    assert all(after.level(r) <= before.level(r) for r in Rubrique.values)


TODAY = dt.date(2026, 11, 28)
last_days = st.one_of(st.none(), st.dates(TODAY - dt.timedelta(days=2), TODAY + dt.timedelta(days=2)))
ceiling_lines = st.lists(
    st.builds("{}={}".format, st.sampled_from(Rubrique.values), st.sampled_from([0, 1])), max_size=3, unique=True
)
decision_rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids(), "state": st.sampled_from(["oui", "refus", "non", "attente"]),
            "user_id": st.one_of(st.none(), st.just("me")), "structure_id": st.one_of(st.none(), st.uuids()),
            "matrix_number": st.just(None), "hat_profession": st.just("10"), "hat_fonction": st.just(""),
            "hat_national_id": st.just(""), "hat_structure_id": st.just(None), "hat_structure_name": st.just(""),
            "hat_how": st.just(""), "access_until": last_days, "ceilings": ceiling_lines,
            "ground": st.sampled_from([None, "reconnue", "accord"]), "ground_until": last_days,
            "ground_end": st.sampled_from(["", "", "", "retrait", "fin"]),
        }
    ),
    max_size=5,
)  # fmt: skip


@given(decision_rows)
def test_adding_a_refusal_never_opens(rows):
    refusal = {
        "id": None, "state": "refus", "user_id": "me", "structure_id": None, "matrix_number": None,
        "hat_profession": "10", "hat_fonction": "", "hat_national_id": "", "hat_structure_id": None,
        "hat_structure_name": "", "hat_how": "", "access_until": None, "ceilings": [],
        "ground": None, "ground_end": None, "ground_until": None,
    }  # fmt: skip
    assert access.decide([*rows, refusal], today=TODAY) is None
    assert access.decide([r for r in rows if r["state"] != "oui"], today=TODAY) is None


people = st.lists(
    st.tuples(
        st.sampled_from(["10", "60", "42", "26", "331", None]),  # profession, None: nobody vouched
        st.sampled_from([None, "oui", "non", "attente", "refus", "ended", "ended_refus"]),  # own row
        st.booleans(),  # delegate of the structure
        st.booleans(),  # account open
    ),
    min_size=1,
    max_size=6,
)


def _somebody(dossier, structure, profession, state, is_delegate, is_open):
    user = vouched(profession) if profession else UserFactory()
    if not is_open:
        user.is_active, user.closed_at = False, timezone.now()
        user.save()
    if state == "ended_refus":
        habilitation(dossier, "refus", user=user, ended_at=timezone.now())
    elif state:
        row(dossier, state, user=user)
    if is_delegate:
        Delegate.objects.create(structure=structure, user=user, started_by=user)
    return user


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=people, house=st.sampled_from([None, "oui", "non", "refus", "ended"]), legal=st.booleans())
def test_the_three_questions_agree(matrix, people, house, legal):
    """May I, which ones, who can: one answer, whatever the mixture of rows."""
    dossier, structure = DossierFactory(), StructureFactory()
    LegalStructure.objects.create(structure=structure, closed_at=None if legal else timezone.now())
    if house:
        row(dossier, house, structure=structure)
    users = [_somebody(dossier, structure, *person) for person in people]
    decisions = {user.pk: access.to_dossier(user, dossier.pk) for user in users}
    for user in users:
        listed = access.dossier_ids(user).values_list("dossier_id", flat=True)
        assert (dossier.pk in set(listed)) is (decisions[user.pk] is not None)
        assert Dossier.objects.visible_to(user).filter(pk=dossier.pk).exists() is (decisions[user.pk] is not None)
    for rubrique in (Rubrique.CERCLE, Rubrique.MEDICAL, Rubrique.IDENTITE):
        for level in (Niveau.LECTURE, Niveau.ECRITURE):
            able = access.users_able_to(dossier.pk, rubrique, level)
            assert able == {pk for pk, held in decisions.items() if held and held.level(rubrique) >= level}


# ---- What a search asks is what the lists ask ----------------------------------------------------


def sql_of(queryset):
    sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    return sql, list(parameters)


@pytest.mark.django_db
@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("through", ["", access.OWN, access.STRUCTURE, access.ANOTHER, access.HIMSELF, access.GRANTED])
def test_the_rule_written_once_is_the_rule_of_each_account(through):
    for user in (UserFactory(), UserFactory()):
        once = access.dossiers_of(user, through=through)
        assert (once.sql, once.params) == sql_of(access.dossier_ids(user, through=through))


@pytest.mark.django_db
@pytest.mark.req("SEC-4")
def test_what_is_closed_written_once_is_what_is_closed_to_each_account():
    for user in (UserFactory(), UserFactory()):
        for rubrique in set(Rubrique) - set(ALWAYS_READ):
            once = access.dossiers_closed_to(user, rubrique)
            assert (once.sql, once.params) == sql_of(access.closed_to(user, rubrique))


@pytest.mark.django_db
@pytest.mark.req("SEC-2")
def test_only_who_acts_for_nobody_is_not_looked_for_among_those_who_do():
    user = UserFactory()
    himself = sql_of(access.dossier_ids(user, through=access.HIMSELF))
    for acts, runs in ((False, False), (True, False), (False, True)):
        user.acts_for_others, user.runs_emergency = acts, runs
        every, granted = (access.dossiers_of(user, through=through).sql for through in ("", access.GRANTED))
        assert (every == granted == himself[0]) is not (acts or runs)


@pytest.mark.django_db
@pytest.mark.req("SEC-2")
def test_an_account_that_may_not_act_finds_nothing():
    user = UserFactory()
    row(DossierFactory(), "oui", user=user)
    user.is_active = False
    assert not Dossier.objects.filter(pk__in=access.dossiers_of(user)).exists()


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("rubrique", ALWAYS_READ)
def test_identity_and_circle_are_closed_to_nobody_who_is_inside(rubrique):
    with pytest.raises(ValueError, match="closed to nobody"):
        access.dossiers_closed_to(UserFactory.build(), rubrique)


@pytest.mark.django_db
def test_the_trade_that_decides_is_the_one_that_somebody_vouched_for():
    declared = ("60", "")
    assert access.trade_of(None, declared) == access.trade_of(UserFactory(), declared) == declared
    assert access.trade_of(vouched("10"), declared) == ("10", "")
