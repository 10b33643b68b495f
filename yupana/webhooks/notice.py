"""What a step has to tell agencies; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORECAST, ALERT, CASE = KINDS = "forecast", "alert", "case"


@dataclass(frozen=True)
class Notice:
    """News of a use case; no personal data and no secret, since it leaves the platform.

    Attributes:
        kind: `FORECAST`, `ALERT` or `CASE`; a step tells one of each at the most.
        data: small and plain; `link` is where to fetch the rest, below the service's address.
        agency: the only one that is told; empty: all.
    """

    use_case: str
    kind: str
    data: dict[str, Any]
    agency: str = ""

    @property
    def topic(self) -> str:
        """By which a webhook chooses it: `<use case>.<kind>`."""
        return f"{self.use_case}.{self.kind}"
