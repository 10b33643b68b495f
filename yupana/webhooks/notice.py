"""What a step has to tell agencies; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORECAST, ALERT = KINDS = "forecast", "alert"


@dataclass(frozen=True)
class Notice:
    """News of a use case; no personal data and no secret, since it leaves the platform.

    Attributes:
        kind: `FORECAST` or `ALERT`; a step tells one of each at the most.
        data: small and plain; `link` is where to fetch the rest, below the service's address.
    """

    use_case: str
    kind: str
    data: dict[str, Any]

    @property
    def topic(self) -> str:
        """By which a webhook chooses it: `<use case>.<kind>`."""
        return f"{self.use_case}.{self.kind}"
