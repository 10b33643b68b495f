"""What tests share: one temporary home, the engine, and the thread run once."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Before any import of yupana: Feast definitions read the settings when they are imported.
os.environ["YUPANA_HOME"] = tempfile.mkdtemp(prefix="yupana-test-")
# BentoML keeps the first store that it was asked for: it must not be the developer's.
os.environ["BENTOML_HOME"] = f"{os.environ['YUPANA_HOME']}/bentoml"
# Test processes stand side by side: each service takes whichever port is free.
os.environ["YUPANA_SERVE_PORT"] = "0"

import hypothesis
import pytest
import quick_tables
from results import pytest_addoption, pytest_sessionfinish, pytest_sessionstart  # noqa: F401
from seconds import pytest_configure, pytest_terminal_summary  # noqa: F401 (hooks)
from xdist.scheduler import LoadScopeScheduling

from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines
from yupana.data.engine import spark
from yupana.identity.local_key import local_key
from yupana.orchestration import quickstart, service

# Spark's half of a test shares one JVM with all others of the process.
ENGINES = ["sail", pytest.param("spark", marks=pytest.mark.spark)]
BOTH_ENGINES = pytest.mark.parametrize("engine", ENGINES, indirect=True)
# What happens before or after the engine: on Spark in `make test-long` alone, where a Spark ingest
# takes 4 s and a Sail one 0.3.
SPARK_LATER = ["sail", pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.long])]
BOTH_ENGINES_LATER = pytest.mark.parametrize("engine", SPARK_LATER, indirect=True)


def on(engines: Iterable[Any], *values: Any) -> list[Any]:
    """A case of a test on each of `ENGINES`, or of `SPARK_LATER`: its engine, then the values."""
    cases = (engine if isinstance(engine, tuple) else pytest.param(engine) for engine in engines)
    return [pytest.param(*case.values, *values, marks=case.marks) for case in cases]


SHARED = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz"


def engine_or_skip(name: str) -> str:
    """The engine, or a skip that says what it lacks here."""
    if name == "spark" and spark.java_version() < spark.JAVA_OLDEST:
        pytest.skip(f"Apache Spark needs Java {spark.JAVA_OLDEST}: {spark.JAVA}")
    return name


quick_tables.install()
# The same examples in each run, and no word on a machine that is busy.
hypothesis.settings.register_profile("yupana", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("yupana")

QUICK = ("unit", "property", "golden")
_THREAD = re.compile(r"^def \w+\([^)]*\bthread\b", re.M)
_SPARK_ALONE = re.compile(r"^@pytest\.mark\.spark\n(?:@.*\n)*def (\w+)", re.M)
_SPARK_FILE = re.compile(r"^pytestmark = pytest\.mark\.spark$", re.M)


@cache
def group(nodeid: str) -> str:
    """What a test shares with others: the thread, the one JVM of a process, else its file, so that
    a fixture of a module is made once.

    The process that hands out tests does not import them, so that this is read in their text;
    `xdist_group` would be a mark for it, which pytest-xdist 3.8 loses under pytest 9.2.
    """
    file, _, test = nodeid.partition("::")
    name, _, parameters = test.partition("[")
    text = _text(file)
    if _THREAD.search(text):
        return "thread"
    alone = _SPARK_FILE.search(text) or name in _SPARK_ALONE.findall(text)
    return "spark" if alone or "spark" in re.split(r"[-\]]", parameters) else file


@cache
def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


class Together(LoadScopeScheduling):
    """Hands out groups of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """For test processes side by side (`-n`)."""
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long parts go first, so that no process is left alone with one in the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    first = ["thread", "spark"]
    if group(nodeid) in first:
        return first.index(group(nodeid))
    return 3 if nodeid.split("/")[1] in QUICK else 2


@dataclass
class Thread:
    """The thread after one run, with its service still answering at `url`."""

    settings: Settings
    run: quickstart.QuickstartRun
    url: str
    key: str


@pytest.fixture(scope="session")
def thread() -> Iterator[Thread]:
    """Run the whole thread once: Airflow, KFP and BentoML as `make run` does."""
    (run,) = quickstart.run(settings(), ["outbreak"], Lines())
    with service.running(settings(), "outbreak") as url:
        key = local_key(settings().platform_db, settings().home)
        yield Thread(settings(), run, url, key)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """No test leaves a setting behind in the environment, where the next one would read it."""
    before = _settings_of_environment()
    yield
    assert _settings_of_environment() == before


def _settings_of_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("YUPANA_")}


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of a test: Sail, unless the test is marked by `BOTH_ENGINES`."""
    return engine_or_skip(getattr(request, "param", "sail"))


@pytest.fixture
def lake(tmp_path: Path, engine: str) -> Settings:
    """Settings with an empty home of their own."""
    return Settings(home=tmp_path / "home", engine=engine)


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
