"""A base to weigh rows on, for `manage.py sizing --ecrire` (docs/scale.md): `python -m tests.bench.weighed`.

The demonstration, more of its dossiers made by the product's own acts, and the pages of each read: most lines of a
journal are readings, and weigh as readings do. In the database of DATABASE_URL, or of `make run` without one.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
from dataclasses import replace

import django

from coordination.runtime.services import embedded

MORE, TIMES = 700, 6
PAGES = ("", "cercle/")


def main() -> int:
    """Fill and read; 1 when a page was refused: the base would not be the one it claims to be."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.dev")
    with embedded() as variables:
        os.environ.update(variables)
        django.setup()
        logging.disable(logging.WARNING)
        _add_dossiers()
        return _read_pages()


def _add_dossiers() -> None:
    from django.core.management import call_command

    from coordination.accounts.models import User
    from coordination.demo import loader
    from coordination.demo.people import PEOPLE

    call_command("migrate", verbosity=0)
    call_command("load_demo")
    users = {person.key: User.objects.get(email=person.email) for person in PEOPLE}
    # The same invented people again, born on other days.
    for number, story in enumerate(loader._more_stories(MORE)):
        loader._load_story(replace(story, birth_date=story.birth_date - dt.timedelta(days=1_000 + number)), users)


def _read_pages() -> int:
    from django.test import Client

    from coordination.accounts import second_factor
    from coordination.accounts.models import User
    from coordination.dossiers.models import Dossier

    found = list(Dossier.objects.values_list("pk", "created_by_id"))
    readers = {}
    for user in User.objects.filter(pk__in={by for _, by in found}):
        readers[user.pk] = Client(SERVER_NAME="localhost")
        readers[user.pk].force_login(user)
        session = readers[user.pk].session
        session[second_factor.ENROLLED_HERE] = str(user.pk)
        session.save()
    addresses = [(by, f"/dossiers/{dossier}/{page}") for dossier, by in found for page in PAGES]
    refused = sum(readers[by].get(address).status_code != 200 for by, address in addresses * TIMES)
    print(f"{len(addresses) * TIMES} pages, {refused} refused")
    return int(bool(refused))


if __name__ == "__main__":
    sys.exit(main())
