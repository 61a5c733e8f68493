"""Pages leave compressed: a circle of thirty members is 150 KB of HTML and 12 KB on the wire.

Why here and not in the reverse proxy: the product also answers TLS by itself, and the weights it promises must not
depend on somebody's nginx. Why not Django's GZipMiddleware: zlib took a twentieth of a page, ISA-L a fifth of that and
packs better (docs/decisions/2026-11-28-speed-of-the-circle.md).

Compression tells lengths, and a length may tell a secret that stands beside a text chosen by an attacker (BREACH).
What closes it: cookies are SameSite=Lax, so that another site gets no page of ours in the background; the form token
is masked anew in each answer; and a random number of bytes is added to each answer, as Django does.
"""

import io
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from isal import igzip

LEVEL = 1
# Below a packet, nothing is won.
SMALLEST = 1_400
PADDING = 100


class CompressionMiddleware:
    """Compress HTML for who accepts gzip. Files have their own way (whitenoise, compressed once)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        wanted = "gzip" in request.headers.get("Accept-Encoding", "") and "Content-Encoding" not in response
        if wanted and len(response.content) >= SMALLEST:
            response.content = compress(response.content)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response


def compress(content: bytes) -> bytes:
    """Return `content` in gzip, its length blurred by the length of a file name that nobody reads."""
    packed = io.BytesIO()
    name = "a" * secrets.randbelow(PADDING + 1)
    with igzip.IGzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
