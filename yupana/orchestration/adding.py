"""A file that came before, under any name and packed in any way, counts once."""

from __future__ import annotations

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.lake.history import Publication
from yupana.orchestration.file_memory import Memory


def hold(
    contract: Contract, memory: Memory, raw: RawObject, several: bool, progress: Progress
) -> RawObject:
    """Hold a file to those that were published before it.

    Args:
        several: the file is one of several.

    Returns:
        The file to publish: that which was published before with the same content, packed in
        another way, else this one.

    Raises:
        TerminalError: its name was published with another content, and nothing tells its rows from
            those.
    """
    if contract.format == "object":
        return raw
    packed = memory.published_as(raw)
    if contract.publication == "append":
        # With a key, rows of a file alone that come again go to quarantine.
        if packed is None and (several or not contract.key):
            _not_revised([p for p in memory.publications() if not p.mends], memory, raw)
        if packed is None and several:
            _tell_same(memory.publications(), raw, progress)
    if packed:
        progress.say(f"{raw.source} holds what {packed.source} holds: its rows count once")
    return packed or raw


def _not_revised(publications: list[Publication], memory: Memory, raw: RawObject) -> None:
    if raw.sha256 in {p.source_sha256 for p in publications}:
        return
    # A name counts that was published, and one under which the same content only came.
    came = {memory.content_sha256(sha256) for sha256 in memory.by_name.get(raw.source, ())}
    mine = (
        p for p in publications
        if p.source == raw.source or memory.content_sha256(p.source_sha256) in came
    )  # fmt: skip
    if before := next(mine, None):
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
