"""The ten tasks at full speed: none takes a click more than was recorded, and each is done by the keyboard alone."""

import pytest

from tests.ease import doing, stage
from tests.ease.hand import AT_ONCE, Keyboard
from tests.ease.tasks import TASKS

KEYS = [task.key for task in TASKS]


@pytest.mark.drawn(1)
@pytest.mark.slow
@pytest.mark.once
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hand", ["souris", "doigt", "clavier"])
def test_no_task_takes_a_click_more(browser, live_server, world, hand):
    place = stage.small_town(world)
    tallies = doing.all_of_them(browser, live_server.url, place, hand, AT_ONCE).tallies
    assert list(tallies) == KEYS
    if hand == Keyboard.name:
        assert {key: tally.clicks for key, tally in tallies.items() if tally.clicks} == {}
        return
    more = {task.key: (task.clicks[hand], done) for task in TASKS
            if (done := tallies[task.key]).clicks > task.clicks[hand]}  # fmt: skip
    assert more == {}, "recorded, and what it takes now"
