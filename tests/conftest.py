"""What tests share: one temporary home, one Spark session, and the thread run once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before any import of yupana: Feast definitions read the settings when they are imported.
os.environ["YUPANA_HOME"] = tempfile.mkdtemp(prefix="yupana-test-")
# BentoML keeps the first store that it was asked for: it must not be the developer's.
os.environ["BENTOML_HOME"] = f"{os.environ['YUPANA_HOME']}/bentoml"
# Test processes stand side by side: each service takes whichever port is free.
os.environ["YUPANA_SERVE_PORT"] = "0"

import pytest
from seconds import pytest_terminal_summary  # noqa: F401 (a hook)
from xdist.scheduler import LoadGroupScheduling

from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines
from yupana.governance.local_key import local_key
from yupana.orchestration import service
from yupana.orchestration import thread as the_thread

SHARED = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz"


TOGETHER = ("thread", "spark")
"""Fixtures that are made once a run: all tests that use one go to the same test process."""


class ByFile(LoadGroupScheduling):
    """Hands out whole files, so that a fixture of a module is made once too."""

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid).split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Whole files, and together what shares a fixture of the session."""
    return ByFile(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name the group before the test processes read it."""
    for name in TOGETHER:
        if name in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long parts go first, so that no process is left alone with one in the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return TOGETHER.index(group.args[0]) if group else 3 if folder in QUICK else 2


QUICK = ("unit", "property", "golden")


@dataclass
class Thread:
    """The thread after one run, with its service still answering at `url`."""

    settings: Settings
    run: the_thread.ThreadRun
    url: str
    key: str


@pytest.fixture(scope="session")
def thread() -> Iterator[Thread]:
    """Run the whole thread once: Airflow, KFP and BentoML as `make run` does."""
    run = the_thread.run(settings(), Lines())
    with service.running(settings(), "outbreak") as url:
        key = local_key(settings().platform_db, settings().home)
        yield Thread(settings(), run, url, key)


@pytest.fixture(scope="session")
def spark() -> Iterator[object]:
    """The one Spark session of the test run."""
    from yupana.data import spark as sparks

    made = sparks.session(settings())
    yield made
    made.stop()


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    """Settings with an empty home of their own."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[None]:
    """A model store of the test's own, in this process: versions begin at 1 in it."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models.model import ModelStore

    folder = tmp_path / "store"
    folder.mkdir()
    BentoMLContainer.model_store.set(ModelStore(str(folder)))
    yield
    BentoMLContainer.model_store.reset()


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Path of a file of the real public data, or a skip that says what is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the real data is not beside the clone: {path}")
        return path

    return find
