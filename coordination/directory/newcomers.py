"""Somebody of a structure who needs an account, as he was typed or found in the directory. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordination.directory.models import Professional


@dataclass(frozen=True)
class Newcomer:
    """What is typed of somebody; when found in the directory (`professional`), the trade is one he has there."""

    email: str
    family_name: str
    given_name: str
    profession: str
    fonction: str = ""
    professional: Professional | None = None
