"""What a DAG tells of a data set, read from the contracts once and kept until one changes.

Airflow reads the DAG folder twice a minute; checking 20 contracts against the standard took it
a second each time.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256, value_sha256


@dataclass(frozen=True)
class Card:
    """The part of a contract that its DAG shows; `fault` is why the contract cannot be used."""

    name: str
    title: str
    publisher: str = ""
    licence: str = ""
    subject_area: str = ""
    purpose: str = ""
    limitations: str = ""
    schedule: str | None = None
    latency_days: int | None = None
    retention_days: int | None = None
    stream: bool = False
    fault: str = ""


def cards(settings: Settings) -> list[Card]:
    """A card for each contract, by name. A contract with a fault takes no other one down."""
    cache = settings.home / "cache" / "cards.json"
    key = _key(settings.root)
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads(cache.read_text())
        if entry["key"] == key:
            return [Card(**card) for card in entry["cards"]]
    listing = _read(settings.root)
    # Where the home cannot be written, the contracts are read each time.
    with suppress(OSError):
        whole_file.write_json(cache, {"key": key, "cards": [asdict(card) for card in listing]})
    return listing


def _key(root: Path) -> str:
    """Changes with any contract, with what they refer to, and with the code that reads them."""
    ours = Path(__file__)
    code = [ours, *(ours.parents[1] / "data").rglob("*.py")]
    states = [p for p in (root / "expectations").rglob("*.*") if p.suffix in (".yaml", ".csv")]
    return value_sha256([(str(p), file_sha256(p)) for p in sorted([*code, *states])])


def _read(root: Path) -> list[Card]:
    from yupana.data.contracts import contract

    listing = []
    for name in contract.names(root):
        try:
            about = contract.load(root, name)
        except TerminalError as error:
            listing.append(Card(name, name, fault=str(error)))
            continue
        facts = {f.name: getattr(about, f.name) for f in fields(Card) if f.name != "fault"}
        listing.append(Card(**facts))
    return listing
