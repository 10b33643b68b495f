"""What every answer holds, whatever it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caveat:
    """What to be careful about, in Spanish and English."""

    code: str
    es: str
    en: str


@dataclass(frozen=True)
class Abstention:
    """An entity that the service does not answer for, and why."""

    entity: str
    code: str
    es: str
    en: str
