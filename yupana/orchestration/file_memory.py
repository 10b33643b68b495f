"""What the event log, the landing zone and the table say of a data set's files: one that came
before, under any name and packed in any way, counts once."""

from __future__ import annotations

from collections import defaultdict

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.files import landing
from yupana.data.lake import history
from yupana.data.lake.history import Publication
from yupana.lineage import events


class Memory:
    """The files of a data set, read once for all.

    Attributes:
        landed: hashes of files by the key of their landing.
        by_name: hashes of the files that came under a name.
        ingested: references that an ingestion has read.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self._committed: list[Publication] | None = None
        self._published: dict[str, str] | None = None
        self._contents: dict[str, str] = {}
        self.landed: dict[str, str] = {}
        self.by_name: dict[str, set[str]] = defaultdict(set)
        for event in events.done(settings.events, "land", name):
            raw = event["facts"]["raw"]
            self.landed.setdefault(event["key"], raw["sha256"])
            self.by_name[raw["source"]].add(raw["sha256"])
        ingests = events.done(settings.events, "ingest", name)
        self.ingested = {ref for event in ingests for ref in event["inputs"]}

    def committed(self) -> list[Publication]:
        """As `history.publications`: retracted ones among them."""
        if self._committed is None:
            self._committed = history.publications(self._settings.table("published", self._name))
        return self._committed

    def publications(self) -> list[Publication]:
        """As `history.published_versions`."""
        return history.in_order(self.committed())

    def forget(self) -> None:
        """The table has changed."""
        self._committed = self._published = None

    def content_sha256(self, sha256: str) -> str:
        """As `landing.content_sha256`."""
        if sha256 not in self._contents:
            content = landing.content_sha256(self._settings, self._name, sha256)
            self._contents[sha256] = content
        return self._contents[sha256]

    def published_as(self, raw: RawObject) -> RawObject | None:
        """The file with the same content that was ever published, packed in another way."""
        if self._published is None:
            hashes = [s for p in reversed(self.committed()) for s in p.sources]
            self._published = {self.content_sha256(s): s for s in hashes} | {s: s for s in hashes}
        first = self._published.get(self.content_sha256(raw.sha256))
        if first is None or raw.sha256 in self._published:
            return None
        return landing.find(self._settings, self._name, first)


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
