"""What the parts of the housekeeping share: their result, a data set's lock, how a fault reads."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress


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


def data_set_lock(
    settings: Settings, name: str, progress: Progress
) -> AbstractContextManager[None]:
    """The lock that an ingest of a data set holds, too."""
    lock = settings.home / "locks" / f"{name}.lock"
    return one_at_a_time(lock, f"an ingest of {name}", progress)


def sentence(error: Exception) -> str:
    """An error in one line, without a point at its end."""
    if isinstance(error, TerminalError):
        return f"{error.what.rstrip('.')} ({error.where})"
    return str(error).strip().splitlines()[0].rstrip(".") if str(error) else type(error).__name__
