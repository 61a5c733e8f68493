"""Every kind of letter has the words that « Files d’attente » shows: none is shown by its code."""

import re
from pathlib import Path

import pytest
from django.template import engines

from agenda.meeting_letters import What
from coordination.accounts import mails
from coordination.outbox import filling, kinds
from coordination.outbox.models import Message

TEMPLATES = Path(engines["jinja2"].template_dirs[0])
# Letters of several kinds, or of a kind that is not their file's name.
OTHERWISE = {
    "agenda/meeting": {f"agenda.meeting_{what}" for what in What} | {"agenda.meeting_link"},
    "agenda/calendar_cancelled": {"agenda.calendar"},
}
# Rooms whose letters about somebody's account say « account » and not the room.
ABOUT_ACCOUNTS = {"accounts", "directory"}


def kinds_of(letter):
    """Return the kinds that a template of a letter may be sent under; one at least is named."""
    room, stem = letter.parts[-3], letter.stem
    return OTHERWISE.get(f"{room}/{stem}") or {f"account.{stem}" if room in ABOUT_ACCOUNTS else f"{room}.{stem}"}


LETTERS = [file for file in TEMPLATES.glob("*/emails/*.html") if file.stem != "base" and not file.stem.startswith("_")]


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: f"{letter.parts[-3]}/{letter.stem}")
def test_every_letter_is_of_a_kind_that_has_a_name(letter):
    named = kinds.declared().keys()
    found = kinds_of(letter)
    assert found <= named or {f"account.{letter.stem}"} <= named


def test_no_name_is_left_without_a_letter_and_none_is_a_code():
    assert len(LETTERS) >= 25
    of_letters = {kind for letter in LETTERS for kind in kinds_of(letter) | {f"account.{letter.stem}"}}
    assert kinds.declared().keys() <= of_letters | {kinds.LIBRARY}
    names = list(kinds.declared().values())
    assert len(set(names)) == len(names), "two kinds under one name"
    assert all(re.fullmatch(r"[A-ZÀ-Ý][^._]+", name) for name in names)


def test_what_is_filled_or_enclosed_as_it_leaves_is_named():
    of_rooms = {kind for kind in filling._fillers | filling._enclosers if not kind.startswith("test.")}
    assert of_rooms and of_rooms <= kinds.declared().keys()


@pytest.mark.django_db(transaction=True)
def test_a_letter_without_a_name_is_refused_before_anything_is_written():
    with pytest.raises(kinds.UndeclaredKind):
        mails.send("accounts/emails/email_changed.html", to="a@b.example", context={}, kind="essai.inconnu")
    assert not Message.objects.exists()


def test_two_rooms_do_not_name_one_kind_and_an_old_row_keeps_its_code():
    with pytest.raises(ValueError, match="Two names"):
        kinds.declare({"circle.invitation": "Autre chose"})
    assert kinds.name_of("circle.invitation") == "Invitation"
    assert kinds.name_of("essai.ancien") == "essai.ancien"
