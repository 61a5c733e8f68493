"""A word planted in each text of each dossier never reaches who is not owed it, by any page, file or mail (SECT-5).

Nor does it ever stand where nobody is to read it: an address, a title, a header, a log, a trace, a mail, a queue, a
cache. Short form: every page as who is told apart by what he is owed, a part of them as each other profile, with the
words of fourteen other dossiers; every page as every profile with `FULL=1` (sampling.py).
"""

import logging

import pytest
from django.db import connection, transaction

from coordination.dossiers import panels
from coordination.operations import serving
from habilitations import published
from tests.security import canaries as c
from tests.security import expected as e
from tests.security import routes as r
from tests.security import sampling
from tests.security import world as w

pytestmark = [
    pytest.mark.django_db, pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-5", "SECT-6", "SEC-22", "SEC-2"),
]  # fmt: skip
PARTS = r.names()
OF_DOSSIER = {name: parts for name, parts in PARTS.items() if {"dossier_id", "invitation_id"} & set(parts)}
BESIDE = {name: parts for name, parts in PARTS.items() if name not in OF_DOSSIER}
# What signs out or ends the session of who crawls.
LEFT_ALONE = {"account_logout", "accounts:end_other_sessions"}
# Where dossiers are listed, whoever looks; and three pages that say much of one.
LISTS = {
    name: () for name in ("dossiers:list", "dossiers:export", "todo", "invitations:list", "invitations:awaiting")
}  # fmt: skip
GLANCE = {name: PARTS[name] for name in ("dossiers:home", "circle:list", "dossiers:identity")}


def owed_to(profile):
    """Everything that a profile is owed where it is habilitated: the answers of each route, and each word."""
    who, rules = e.Who(w.GRANTED, profile), e.table()
    answers = (e.answer_of(rules, name, method, who) for name in OF_DOSSIER for method in ("GET", "POST"))
    return (*answers, *(reads(who) for _, reads in c.TABLE.values()))


FIRST = {first for first, *_ in sampling.classes(e.apart.LEVELS, owed_to)}


class Lines(logging.Handler):
    """Everything that is logged, as the product writes it."""

    def __init__(self):
        super().__init__()
        self.said = []
        self.setFormatter(logging.getLogger().handlers[0].formatter)

    def emit(self, record):
        self.said.append(self.format(record))


@pytest.fixture(scope="module")
def planted(django_db_setup, django_db_blocker):
    lines = Lines()
    logging.getLogger().addHandler(lines)
    with django_db_blocker.unblock(), transaction.atomic():
        world = w.build(prepare=c.prepare)
        world.planted = {situation: c.plant(place, situation) for situation, place in world.places.items()}
        world.lines = lines
        yield world
        transaction.set_rollback(True)
    logging.getLogger().removeHandler(lines)
    published.forget()


def test_each_text_field_of_a_dossier_has_its_line():
    lines = {key for key in c.TABLE if key[0] != "discreet"}
    fields = {(model, name) for model, name in c.text_fields() if name not in c.NOT_WORDS}
    assert fields - lines == set(), "a new text: say in canaries.py who reads it"
    assert lines - fields == set()


def crawl(visitor, routes, ids, data=None, methods=("GET", "POST")):
    """Yield (method, name, answer) for every page of some routes."""
    for name, parts in routes.items():
        if name in LEFT_ALONE:
            continue
        path = r.address(name, parts, ids)
        for method in methods:
            answer = visitor.ask(method, path, data if method == "POST" else None)
            if answer.status_code not in (404, 405):
                yield method, name, answer


def leaks(world, who, name, answer):
    """Return the words that this reader was not owed, and those that stand where nobody reads."""
    text, found = c.text_of(answer), {}
    squeezed, further = c.squeeze(text), c.squeeze(c.where_nothing_may_be(answer, text))
    for situation, planted in world.planted.items():
        reader = e.Who(situation, who.profile) if who.profile else who
        if words := planted.leaked(squeezed, reader):
            found[f"{who.profile or who.situation} {name}"] = words
        if words := planted.met(further):
            found[f"{who.profile or who.situation} {name}: address, title or header"] = words
    return found


def met_by(world, visitor, who, routes):
    """Yield (route, answer): some pages, a glance at other dossiers, a search of each dossier."""
    ids = r.ids_of(world, world.places[w.GRANTED])
    for place in (w.DELEGATE, w.READ_ONLY, w.REFUSED):
        for _, name, answer in crawl(visitor, GLANCE, r.ids_of(world, world.places[place]), methods=("GET",)):
            yield name, answer
    for _, name, answer in crawl(visitor, routes, ids):
        yield name, answer
    # A search is the longest page, and each reader makes one in each dossier.
    for letter in sampling.few([*c.LETTERS.values()], 3):
        # Half of the word: what comes back whole was found, not said again.
        typed = {"q": f"zq{letter}nais", "statut": "tous"}
        for _, name, answer in crawl(visitor, {"dossiers:open": ()}, ids, typed, methods=("POST",)):
            yield name, answer


@pytest.mark.asvs("v5.0.0-8.2.2", "v5.0.0-8.2.3", "v5.0.0-14.2.1", "v5.0.0-15.3.1")
@pytest.mark.drawn(10)
@pytest.mark.parametrize("profile", list(e.apart.LEVELS))
def test_each_page_gives_a_profile_only_what_it_is_owed(planted, profile):
    """The first of a class reads every page; the others, the lists, what says most and a part of the rest."""
    who, visitor = e.Who(w.GRANTED, profile), r.Visitor(planted.people[profile])
    found, read = {}, set()
    pages = OF_DOSSIER if profile in FIRST else sampling.part_of(OF_DOSSIER) | GLANCE
    for name, answer in met_by(
        planted, visitor, who, pages | (BESIDE if profile in (w.OWNER, "benevole") else LISTS)
    ):  # fmt: skip
        found |= leaks(planted, who, name, answer)
        read |= planted.planted[w.GRANTED].owed(c.squeeze(c.text_of(answer)), who)
    assert not found, r.listed(found)
    if who.level("identite") and who.level("cercle"):
        assert read, "this reader is owed words and met none: nothing is proved"


@pytest.mark.drawn(2)
@pytest.mark.parametrize("who", [w.ANONYMOUS, w.SUSPENDED, w.ADMINISTRATOR, w.OFFICER, w.LOOKS_AFTER])
def test_nothing_reaches_who_is_nobodys_carer(planted, who):
    visitor, found = r.Visitor(planted.apart[who]), {}
    for name, answer in met_by(planted, visitor, e.Who(who), OF_DOSSIER | BESIDE):
        found |= leaks(planted, e.Who(who), name, answer)
    assert not found, r.listed(found)


def test_the_words_owed_are_met(planted):
    """Who reads everything meets nearly every word: the crawl does reach the pages where they stand."""
    who, visitor = e.Who(w.GRANTED, w.OWNER), r.Visitor(planted.people[w.OWNER])
    place, met = planted.places[w.GRANTED], set()
    ids = r.ids_of(planted, place)
    members = place.dossier.members.values_list("pk", flat=True)
    of_member = {name: parts for name, parts in OF_DOSSIER.items() if "member_id" in parts}
    pages = [*crawl(visitor, OF_DOSSIER, ids), *crawl(visitor, LISTS, ids, methods=("GET",))]
    for member in members:
        pages += crawl(visitor, of_member, ids | {"member_id": member}, methods=("GET",))
    for _, _, answer in pages:
        met |= planted.planted[w.GRANTED].owed(c.squeeze(c.text_of(answer)), who)
    owed = {word for word, reads in planted.planted[w.GRANTED].words.items() if reads(who)}
    assert owed - met == set()


@pytest.mark.asvs("v5.0.0-16.5.1")
@pytest.mark.reads_logs
def test_an_error_says_nothing_of_what_it_was_about(planted, monkeypatch):
    """A page that breaks on a name answers 500 and logs where, not whom."""
    place = planted.places[w.GRANTED]
    word = place.dossier.birth_name

    def broken(entry, rubrique):
        raise ValueError(f"{word} {place.dossier.ins_matricule}")

    monkeypatch.setattr(panels, "card", broken)
    before = len(planted.lines.said)
    answer = r.Visitor(planted.people[w.OWNER]).ask("GET", f"/dossiers/{place.dossier.pk}/")
    assert answer.status_code == 500 and word not in answer.content.decode().lower()
    logged = "\n".join(planted.lines.said[before:])
    assert "ValueError" in logged and word not in logged.lower() and place.dossier.ins_matricule not in logged


@pytest.mark.asvs("v5.0.0-14.2.4", "v5.0.0-16.2.5")
@pytest.mark.reads_logs
def test_the_logs_of_a_crawl_hold_no_word(planted):
    place = planted.places[w.GRANTED]
    visitor = r.Visitor(planted.people[w.OWNER])
    for _ in crawl(visitor, OF_DOSSIER, r.ids_of(planted, place), {"q": "zqanaissancezq"}, methods=("POST",)):
        pass
    logged = "\n".join(planted.lines.said).lower()
    assert len(planted.lines.said) >= 50
    assert "zqa" not in logged and c.INS[w.GRANTED] not in logged
    # What the same crawl left in the metrics: names of routes, and nothing of what was sent or answered.
    counted = serving.text().lower()
    assert 'route="circle:add"' in counted
    assert "zqa" not in counted and c.INS[w.GRANTED] not in counted and str(place.dossier.pk) not in counted


# Where the words are kept: the rows they were planted in. Anywhere else is a copy that nobody decided.
HOMES = {
    "dossiers_dossier", "dossiers_identityversion", "dossiers_statuschange", "circle_member", "circle_period",
    "circle_change", "circle_invitation", "habilitations_refusal", "habilitations_accessrequest",
    "habilitations_accessquestion", "habilitations_consent", "habilitations_opposition",
    "habilitations_emergencyaccess", "habilitations_emergencyreview", "habilitations_emergencyban",
    # A circle, and its versions, which say what it said (CDS-67); who is to come.
    "circle_circle", "circle_circleversion", "circle_plannedstay",
    "agenda_appointment", "agenda_appointmentchange", "agenda_participation", "agenda_calendarinvitation",
}  # fmt: skip


@pytest.mark.asvs("v5.0.0-14.2.2")
def test_no_other_table_keeps_a_word(planted):
    """Traces, mails, jobs, throttles, sessions, drafts: after the acts of a day, none holds a word of a dossier."""
    place = planted.places[w.GRANTED]
    path = r.reverse("circle:extend", args=[place.dossier.pk, place.member.pk])
    found = r.Visitor(planted.people[w.OWNER]).ask("POST", path, then=tables_with_a_word)
    assert found - HOMES == set()
    assert found & HOMES, "the search finds nothing anywhere: nothing is proved"


def tables_with_a_word():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public'"
        )
        names = [name for (name,) in cursor.fetchall()]
        found = set()
        for name in names:
            # A whole word: three letters alone are met by chance in a hash.
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM \"{name}\" t WHERE t::text ~* 'zqa[[:alnum:]]{{2,40}}zq')"  # noqa: S608
            )
            if cursor.fetchone()[0]:
                found.add(name)
    return found
