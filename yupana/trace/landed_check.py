"""Landed files against the SHA-256 that they are addressed by; light to import, for `trace`."""

from __future__ import annotations

from collections.abc import Iterator

from yupana.config.settings import Settings
from yupana.data.files import landing
from yupana.ledger.fault import Fault


def faults(settings: Settings, sha256: str = "*") -> Iterator[Fault]:
    """Landed files that hold other bytes than those that landed.

    Args:
        sha256: look at the file that landed with this one alone; default: at all files.
    """
    for name in landing.altered(settings, sha256):
        yield Fault(0, "changed", f"raw:{name}", "", "the landed file has another SHA-256 now")
