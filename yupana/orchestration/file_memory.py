"""What the event log, the landing zone and the table say of a data set's files."""

from __future__ import annotations

from collections import defaultdict

from yupana.config.settings import Settings
from yupana.core.types import RawObject
from yupana.data.files import landing
from yupana.data.lake import history
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
        self._committed: list[history.Publication] | None = None
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

    def committed(self) -> list[history.Publication]:
        """As `history.publications`: retracted ones among them."""
        if self._committed is None:
            self._committed = history.publications(self._settings.table("published", self._name))
        return self._committed

    def publications(self) -> list[history.Publication]:
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
