from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from coordination.common import htmx
from coordination.common.pagination import DEEPEST, page_number, paginate

urlpatterns = []  # paths are enough here; the product's URLs are other rooms' affair


def request(**headers):
    made = RequestFactory().get("/", headers=headers)
    made.htmx = HtmxDetails(made)
    return made


def test_fragment_or_page():
    assert htmx.is_fragment(request(hx_request="true"))
    assert not htmx.is_fragment(request())
    assert not htmx.is_fragment(request(hx_request="true", hx_boosted="true"))
    assert not htmx.is_fragment(request(hx_request="true", hx_history_restore_request="true"))


@pytest.mark.urls(__name__)
def test_redirect_for_both():
    plain = htmx.redirect(request(), "/dossiers/")
    assert (plain.status_code, plain["Location"]) == (303, "/dossiers/")
    fragment = htmx.redirect(request(hx_request="true"), "/dossiers/")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (200, "/dossiers/")


def test_an_answer_to_a_fragment_is_not_kept_for_a_page():
    response = htmx.vary_on_htmx(HttpResponse())
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize(
    ("raw", "number"), [(None, 1), ("", 1), ("3", 3), ("-2", 1), ("abc", 1), ("999999", DEEPEST), (4, 4), ("0", 1)]
)
def test_page_number(raw, number):
    assert page_number(raw) == number


def test_pages_of_a_list():
    rows = list(range(105))
    first, last, beyond = (paginate(rows, n, per_page=50) for n in (1, 3, 9))
    assert (list(first)[0], len(first), first.has_next, first.has_previous) == (0, 50, True, False)
    assert (first.first, first.last, first.next_number, first.previous_number) == (1, 50, 2, None)
    assert (list(last), last.has_next, last.first, last.last) == ([100, 101, 102, 103, 104], False, 101, 105)
    assert (last.next_number, last.previous_number) == (None, 2)
    assert (len(beyond), beyond.first, beyond.last, beyond.has_next) == (0, 0, 0, False)


def test_an_exact_fill_has_no_next_page():
    assert not paginate(list(range(50)), 1, per_page=50).has_next


def test_the_deepest_page_has_no_next():
    assert not paginate(list(range(DEEPEST + 5)), DEEPEST, per_page=1).has_next


@pytest.mark.django_db
def test_one_query_per_page_and_no_count(django_assert_num_queries):
    users = get_user_model().objects
    with django_assert_num_queries(1) as captured:
        page = paginate(users.order_by("pk"), 1, per_page=10)
    assert len(page) <= 10
    assert "COUNT" not in captured[0]["sql"]
    with pytest.raises(ValueError, match="unordered"):
        paginate(users.order_by(), 1)
