"""A case of shared/cases/ingest: what is ingested, one step after the other, and what is right."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Notices, yupana
from conftest import SHARED

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

CASES = SHARED.parent / "cases" / "ingest"
NO_ENGINE = "none"
"""An engine that does not exist: a step that asks for one fails by that."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Ingest:
    """One ingest, and what is right after it.

    Attributes:
        rows: the whole published table, by line of the file.
        aside: the whole quarantine, line and rules.
        refused: parts of the refusal's text; none: it publishes.
        notices: parts of what the progress is told.
    """

    source: str = "in.csv"
    contract: str = "contract.yaml"
    rows: tuple[Row, ...] = ()
    aside: tuple[tuple[int, str], ...] = ()
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A case, as it stands or with another contract.

    Attributes:
        folder: its folder under shared/cases/ingest.
        steps: ingests, and commands such as `quality` that must not fail.
        change: text of the contract → what stands there instead; none: as the case has it.
        engine: whether one is started; without, a run on one engine is enough.
    """

    folder: str
    steps: tuple[Ingest | str, ...]
    change: dict[str, str] = field(default_factory=dict, hash=False)
    engine: bool = True

    def __str__(self) -> str:
        return self.folder + (", changed" if self.change else "")


def publishes(
    folder: str, *rows: Row, source: str = "in.csv", notice: tuple[str, ...] = (),
    aside: tuple[tuple[int, str], ...] = (), **change: str,
) -> Case:  # fmt: skip
    """One file that is published; `change` is what `changes` takes."""
    step = Ingest(source, rows=rows, aside=aside, notices=notice)
    return Case(folder, (step,), changes(**change))


def refuses(folder: str, *parts: str, source: str = "in.csv") -> Case:
    """One file, or its contract, that is refused before an engine starts."""
    return Case(folder, (Ingest(source, refused=parts),), engine=False)


def fails_audit(
    folder: str, *parts: str, aside: tuple[tuple[int, str], ...] = (), source: str = "in.csv"
) -> Case:
    """One file of which more rows are wrong than the contract allows."""
    return Case(folder, (Ingest(source, aside=aside, refused=parts),))


def changes(option: str = "", text: str = "") -> dict[str, str]:
    """What to put where in a contract's text.

    Args:
        option: an option of the data set to add, `name: value`.
        text: `old → new`; several by lines.
    """
    pairs = [line.split("→") for line in text.splitlines() if line.strip()]
    replacements = {old.strip(): new.strip() for old, new in pairs}
    if option:
        name, value = option.split(": ", 1)
        line = f"  - {{property: {name}, value: {value}}}\n"
        replacements["customProperties:\n"] = f"customProperties:\n{line}"
    return replacements


class Project:
    """A project that holds a case's contract alone, and what contracts refer to."""

    def __init__(self, case: Case, tmp_path: Path, engine: str) -> None:
        self._case, self._from = case, CASES / case.folder
        if not self._from.exists():
            pytest.skip(f"the cases are not beside the clone: {self._from}")
        self.lake = Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)
        expectations = self.lake.root / "expectations"
        expectations.mkdir(parents=True)
        shutil.copy(ROOT / "expectations/subject_areas.csv", expectations)
        for name in ("ubigeo", "epiweeks", "dengue_linelist"):
            shutil.copytree(ROOT / "expectations" / name, expectations / name)
        self.name = yaml.safe_load((self._from / "contract.yaml").read_text())["id"]
        self.sign("contract.yaml")

    def sign(self, contract: str) -> None:
        """Put a contract of the case in place, with the case's changes."""
        text = (self._from / contract).read_text(encoding="utf-8")
        for old, new in self._case.change.items():
            assert old in text, f"not in the contract: {old}"
            text = text.replace(old, new, 1)
        folder = self.lake.root / "expectations" / self.name
        folder.mkdir(exist_ok=True)
        (folder / "contract.yaml").write_text(text, encoding="utf-8")

    def walk(self) -> None:
        """Take each step of the case, and hold it to what is right."""
        for step in self._case.steps:
            if isinstance(step, str):
                answer = yupana(self.lake, *step.format(name=self.name).split())
                assert answer.code == 0, answer.stderr
            else:
                self._ingest(step)

    def _ingest(self, step: Ingest) -> None:
        self.sign(step.contract)
        notices, refusal = Notices(), ""
        try:
            result = ingest(self.lake, self.name, str(self._from / step.source), notices)
        except TerminalError as error:
            refusal = str(error)
        else:
            assert result.status == "done"
        assert bool(refusal) == bool(step.refused), refusal or "published"
        assert not (absent := _absent(step.refused, refusal)), f"{absent} not in: {refusal}"
        lines = "\n".join(notices.lines)
        assert not (absent := _absent(step.notices, lines)), f"{absent} not in: {lines}"
        assert (rows := self.published()) == list(step.rows), str(rows)[:2000]
        assert (aside := self.aside()) == list(step.aside), aside

    def published(self) -> list[Row]:
        """The published rows by line, without what yupana adds to them."""
        table = self.lake.table("published", self.name)
        if not delta.exists(table):
            return []
        names = [c.name for c in contracts.load(self.lake.root, self.name).table_columns]
        return delta.read(table).sort("source_line", *names).select(names).rows()

    def aside(self) -> list[tuple[int, str]]:
        """Line and broken rules of each row in quarantine."""
        table = self.lake.table("quarantine", self.name)
        if not delta.exists(table):
            return []
        rows = delta.read(table).select("source_line", "broken_rules").rows()
        return sorted((line, " ".join(rules)) for line, rules in rows)


def _absent(parts: Iterable[str], text: str) -> list[str]:
    return [part for part in parts if part not in text]
