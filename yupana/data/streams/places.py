"""Where a refused message was, read from its batch in the landing zone while that is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from yupana.config.settings import Settings
from yupana.data import landing
from yupana.data.streams import message

Line = tuple[str, int]


def places(
    settings: Settings, name: str, lines: Iterable[Line], hidden: Mapping[str, str]
) -> dict[Line, str]:
    """The place of each message: topic, partition and offset, or file and line.

    Args:
        lines: hashes of batches and numbers of lines in them, from 1.
        hidden: as `message.place`.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for sha256, number in lines:
        wanted[sha256].add(number)
    found: dict[Line, str] = {}
    for sha256, numbers in wanted.items():
        batch = landing.find(settings, name, sha256)
        if batch is None:
            continue
        with Path(batch.path).open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if number in numbers:
                    found[(sha256, number)] = message.place(line, hidden)
    return found
