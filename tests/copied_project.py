"""A copy of this project with a home of its own, in which a new use case may be written."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command import Interpreter, interpreter

from yupana.config.settings import ROOT, Settings
from yupana.identity.local_key import local_key
from yupana.orchestration import service


@dataclass(frozen=True)
class Project:
    """The copy, and the Python that runs its commands."""

    settings: Settings
    environment: dict[str, str]
    python: Interpreter

    @property
    def root(self) -> Path:
        return self.settings.root

    def ask(self, use_case: str, action: str, question: dict[str, Any]) -> dict[str, Any]:
        """What the served use case answers; it is served for this question alone."""
        key = local_key(self.settings.platform_db, self.settings.home)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(self.root))
            patch.chdir(self.root)
            with service.running(self.settings, use_case) as url:
                return service.ask(url, use_case, action, question, key=key)


def write(root: Path, dataset: str = "", contract: str = "") -> None:
    """All files of this project that are not tests, pictures or samples, and a contract."""
    output = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    for path in output.splitlines():
        if not path.startswith(("tests/", "docs/img/", "samples/")) and (ROOT / path).is_file():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, root / path)
    if dataset:
        folder = root / "expectations" / dataset
        folder.mkdir()
        (folder / "contract.yaml").write_text(contract, encoding="utf-8")


@contextmanager
def opened(root: Path) -> Iterator[Project]:
    """The project in a folder, while its Python runs."""
    settings = Settings(root=root, home=root / "home")
    # Where it stands it finds by itself, as a clone does.
    inherited = {k: v for k, v in settings.environment().items() if k != "YUPANA_ROOT"}
    environment = inherited | {"PYTHONPATH": str(root)}
    with interpreter(root, environment) as python:
        yield Project(settings, environment, python)
