"""What a test that commits leaves is thrown away whole, and what keeps the tables is awake again after it."""

import pytest
from django.db import DatabaseError, connection

from habilitations.models import MatrixRow
from tests import emptying
from tests.circle import factories
from tests.conftest import STANDING
from tests.shipped import publish_default_matrix

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tables():
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [name for name in names if name not in STANDING]


def _left(tables):
    with connection.cursor() as cursor:
        counted = (f"SELECT '{name}', count(*) FROM {name}" for name in tables)  # noqa: S608 - the tables of our models
        cursor.execute(" UNION ALL ".join(counted))
        return {name for name, rows in cursor.fetchall() if rows}


def test_nothing_is_left_and_the_triggers_are_awake(tables):
    publish_default_matrix()
    factories.open_circle(factories.coordinator())
    assert _left(tables) >= {"dossiers_dossier", "circle_member", "habilitations_matrixrow", "accounts_user"}
    assert emptying.emptied(connection, tables)
    assert _left(tables) == set()
    publish_default_matrix()
    with pytest.raises(DatabaseError, match=r"(?i)matrice"):
        MatrixRow.objects.all()._raw_delete("default")


def test_a_database_that_grew_is_left_to_django(tables, monkeypatch):
    publish_default_matrix()
    monkeypatch.setattr(emptying, "GROWN", 0)
    assert not emptying.emptied(connection, tables)
    assert "habilitations_matrixrow" in _left(tables)
