"""Resources in a column of JSON: numbers go in and come out with the precision they were sent with."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from coordination.fhir.formats import strict_json


class Encoder(json.JSONEncoder):
    """For `models.JSONField(encoder=…)`: a Decimal is written as the number it is."""

    def encode(self, value: Any) -> str:
        return strict_json.write(value).decode()


class Decoder(json.JSONDecoder):
    """For `models.JSONField(decoder=…)`: a number with a point, or beyond 64 bits, is read as a Decimal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal, "parse_int": _integer})


def _integer(text: str) -> int | Decimal:
    """A number of JSON, of which orjson writes no more than 64 bits; with the exponent that PostgreSQL wrote out."""
    if len(text) < 19:
        return int(text)
    if len(text) <= strict_json.MAX_DIGITS:
        return Decimal(text)
    digits = text.rstrip("0")
    return Decimal(f"{digits}E{len(text) - len(digits)}")
