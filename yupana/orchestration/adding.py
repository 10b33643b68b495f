"""Files that add up (`publication: append`): none of them may count twice."""

from __future__ import annotations

from collections.abc import Callable

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.lake.history import Publication


def hold(
    contract: Contract,
    publications: Callable[[], list[Publication]],
    raw: RawObject,
    several: bool,
    progress: Progress,
) -> None:
    """Hold a file to those that were published before it.

    Args:
        publications: those that stand.
        several: the file is one of several.

    Raises:
        TerminalError: its name was published with other bytes, and nothing tells its rows from
            those.
    """
    if contract.publication != "append" or contract.format == "object":
        return
    # With a key, rows of a file alone that come again go to quarantine.
    if several or not contract.key:
        _not_revised([p for p in publications() if not p.mends], raw)
    if several:
        _tell_same(publications(), raw, progress)


def _not_revised(publications: list[Publication], raw: RawObject) -> None:
    before = next((p for p in publications if p.source == raw.source), None)
    if before and raw.sha256 not in {p.source_sha256 for p in publications}:
        raise TerminalError(
            "The file was published before with other bytes, and files add up.",
            where=f"{raw.source}, published as version {before.version}",
            fix="Give new rows in a file of another name; if the publisher revises files, the "
            "contract's `publication` is snapshot or merge. Of a file alone, a `primaryKey` tells "
            "rows that came before.",
        )


def _tell_same(publications: list[Publication], raw: RawObject, progress: Progress) -> None:
    """Say that another file had the same bytes: their rows count once."""
    same = (p for p in publications if p.source_sha256 == raw.sha256)
    other = next((p.source for p in same if p.source != raw.source), None)
    if other:
        progress.say(f"{raw.source} has the bytes of {other}: its rows count once")
