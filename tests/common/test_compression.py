"""Pages are compressed for who accepts it, and their length says nothing exact."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from coordination.common.compression import SMALLEST, CompressionMiddleware, compress

PAGE = "<p>Bonjour</p>" * 200


def answer(response, accepted="gzip, br"):
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepted})
    return CompressionMiddleware(lambda _: response)(request)


def test_a_page_is_compressed_and_reads_the_same():
    made = answer(HttpResponse(PAGE))
    assert made["Content-Encoding"] == "gzip" and made["Vary"] == "Accept-Encoding"
    assert int(made["Content-Length"]) == len(made.content) < len(PAGE) / 4
    assert gzip.decompress(made.content).decode() == PAGE


@pytest.mark.parametrize(
    ("response", "accepted"),
    [
        (HttpResponse(PAGE), "identity"),
        (HttpResponse("a" * (SMALLEST - 1)), "gzip"),
        (HttpResponse(PAGE, content_type="application/pdf"), "gzip"),
        (HttpResponse(PAGE, headers={"Content-Encoding": "br"}), "gzip"),
        (StreamingHttpResponse([PAGE]), "gzip"),
    ],
)
def test_the_rest_is_left_alone(response, accepted):
    assert answer(response, accepted).get("Content-Encoding") != "gzip"


def test_the_length_varies():
    assert len({len(compress(PAGE.encode())) for _ in range(50)}) > 10
