"""Spoilt inputs: what a format holds, cut, doubled, moved and mixed with what breaks readers.

Hypothesis and not a fuzzer of its own (atheris): it shrinks what it finds to a few bytes that become a test, it draws
again what a seed drew, and it is a dependency already. What it lacks, coverage to follow, is made up for by seeds that
hold every construct of the format (docs/decisions/2026-11-30-scanners.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

# What breaks readers of anything.
NASTY: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x85",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\\",
    b'"',
    b"'",
    b"<",
    b"&",
    b"%",
    b"%00",
    b"{{7*7}}",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"0000-00-00",
    b"9999-12-31",
    b"2026-02-30",
    b"\xf0\x9f\x92\xa3",
    b"\xc2\xa0",
    b"\xe2\x80\xae",
    b"I\xcc\x87",
    b"\xc3\x9f",
    b"\xef\xac\x81",
    b"A" * 3_000,
    b"9" * 3_000,
    b" " * 3_000,
    b"(" * 300,
    b"[" * 300,
    b'{"a":' * 300,
)


@st.composite
def spoilt(draw, seeds: Sequence[bytes], tokens: Sequence[bytes] = (), *, most: int = 6) -> bytes:
    """Draw a seed and change it up to `most` times, with pieces of itself, of the other seeds, and what breaks."""
    body = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(body)))
        until = min(len(body), at + draw(st.sampled_from((0, 1, 2, 5, 20, 100, 1_000))))
        how = draw(st.sampled_from(("cut", "put", "instead", "twice", "many", "flip", "graft")))
        if how == "cut":
            del body[at:until]
        elif how == "flip" and body:
            body[at % len(body)] ^= 1 << draw(st.integers(0, 7))
        elif how in ("twice", "many"):
            body[at:at] = bytes(body[at:until]) * (1 if how == "twice" else 50)
        elif how == "graft":
            other = draw(st.sampled_from(seeds))
            cut = draw(st.integers(0, len(other)))
            body[at:] = other[cut:]
        else:
            piece = draw(st.sampled_from((*tokens, *NASTY)) | st.binary(max_size=12))
            body[at : until if how == "instead" else at] = piece
    return bytes(body[:200_000])
