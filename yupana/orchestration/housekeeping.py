"""What the parts of the housekeeping share: their result, and how a fault reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from yupana.core.errors import TerminalError


@dataclass
class PartResult:
    """What one part did, or would do.

    Attributes:
        files, bytes: that it touched.
        rows: of the platform database that it removed, by table.
        details: what the part tells besides: `tables`, or `raw` (references that are gone).
        outputs: versions that came to be.
        faults: what could not be tidied, a sentence each.
    """

    files: int = 0
    bytes: int = 0
    rows: dict[str, int] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def is_change(self) -> bool:
        return bool(self.files) or any((self.rows or {}).values())

    def metrics(self) -> dict[str, Any]:
        """What the step `maintain` tells of it."""
        rows = {} if self.rows is None else {"rows": self.rows}
        return {"files": self.files, "bytes": self.bytes, **self.details, **rows}


def sentence(error: Exception) -> str:
    """An error in one line, without a point at its end."""
    if isinstance(error, TerminalError):
        return f"{error.what.rstrip('.')} ({error.where})"
    return str(error).strip().splitlines()[0].rstrip(".") if str(error) else type(error).__name__
