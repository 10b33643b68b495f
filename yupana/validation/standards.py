"""Which contracts break the lake's data standards (yupana.validation.conventions)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract as contracts
from yupana.validation.conventions import CONVENTIONS, Lake
from yupana.validation.indicators import Ratio

UNREADABLE = "contract.valid"


@dataclass(frozen=True)
class Fault:
    """One place where a contract breaks a standard; `column` is empty for the table itself."""

    dataset: str
    column: str
    standard: str
    what: str
    fix: str


class Contracts(NamedTuple):
    """All contracts that can be read, and a fault for each one that cannot."""

    lake: Lake
    faults: list[Fault]


def load(root: Path) -> Contracts:
    """Read every contract of a project."""
    by_name, faults = {}, []
    for name in contracts.names(root):
        try:
            by_name[name] = contracts.load(root, name)
        except TerminalError as error:
            faults.append(Fault(name, "", UNREADABLE, error.what, error.fix))
    return Contracts(Lake(by_name, areas(root)), faults)


@lru_cache(maxsize=4)
def areas(root: Path) -> dict[str, str]:
    """The subject areas and their Spanish titles, from expectations/subject_areas.csv."""
    with (root / "expectations" / "subject_areas.csv").open(encoding="utf-8", newline="") as stream:
        return {row["area"]: row["title_es"] for row in csv.DictReader(stream)}


def check(root: Path, name: str | None = None) -> list[Fault]:
    """What breaks the standards, in all contracts or in one.

    Raises:
        UsageError: there is no contract of that name.
    """
    there = contracts.names(root)
    if name and name not in there:
        raise UsageError(
            f"There is no data set '{name}'.",
            where=str(root / "expectations"),
            fix=f"Use one of: {', '.join(there)}.",
        )
    lake, faults = load(root)
    for contract in lake.contracts.values():
        for standard, (_, finds) in CONVENTIONS.items():
            faults += [
                Fault(contract.name, column, standard, what, fix)
                for column, what, fix in finds(contract, lake)
            ]
    mine = [f for f in faults if name in (None, f.dataset)]
    return sorted(mine, key=lambda f: (f.dataset, f.column, f.standard))


def score(root: Path, name: str) -> Ratio:
    """How many standards a contract keeps, and how many there are."""
    broken = {f.standard for f in check(root, name)}
    every = len(CONVENTIONS)
    # A contract that cannot be read keeps nothing.
    return Ratio(0 if UNREADABLE in broken else every - len(broken), every)
