"""The whole contract, which takes minutes: all checks of Schemathesis, and generated clients.

The generators are no part of the lock: each comes into an environment of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import openapi_checks
import pytest
import small_service
from small_service import NAME, NEWEST

from yupana.config.settings import ROOT, Settings
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.orchestration import service

pytestmark = pytest.mark.long
CALLS = Path(__file__).parent / "generated_clients"
PYTHON = "openapi-python-client==0.29.1"
TYPESCRIPT = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3")
PHRASES = ("160101", str(NEWEST + timedelta(weeks=1)), f"{NAME}@1", "El modelo espera")
"""What came through: forecast, week, model, explanation."""


@dataclass(frozen=True)
class Running:
    """A service that answers, and a key without limits."""

    url: str
    key: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = Settings(home=tmp_path_factory.mktemp("small") / "home", serve_port=0)
    small_service.run(config)
    terms = Terms("A", ("*:*",), "ml-engineer", quota="none", rate="none")
    key = api_keys.create(config.platform_db, terms, now=datetime.now(UTC), by="test")
    with service.running(config, NAME) as url:
        yield Running(url, key)


@pytest.fixture
def page(running: Running, tmp_path: Path) -> Path:
    """The service's description as a file."""
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{running.url}/openapi.json").content)
    return path


def say(folder: Path, *command: str, running: Running | None = None) -> str:
    """What a program prints; its failure is the test's."""
    environment = dict(os.environ)
    if running:
        environment |= {"YUPANA_URL": running.url, "YUPANA_API_KEY": running.key}
        environment |= {"AS_OF": str(NEWEST + timedelta(days=4)), "PYTHONPATH": str(folder)}
    process = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr[-4000:]
    return process.stdout


def uv() -> str:
    own = ROOT / ".uv/bin/uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if not found:
        pytest.skip("uv is not on this machine: make setup")
    return found


def test_the_service_is_what_its_openapi_says(running: Running, tmp_path: Path) -> None:
    openapi_checks.run(running.url, running.key, tmp_path, 200)


def test_a_python_client_is_generated_typed_and_runs_the_guide(
    running: Running, page: Path, tmp_path: Path
) -> None:
    say(
        tmp_path, uv(), "tool", "run", "--from", PYTHON, "openapi-python-client", "generate",
        "--path", str(page), "--meta", "none", "--output-path", str(tmp_path / "agency"),
        "--fail-on-warning",
    )  # fmt: skip
    shutil.copy(CALLS / "calls.py", tmp_path)
    # The generator's own code is its authors'; what is said of the description is ours.
    types = ("--strict", "--no-incremental", "--follow-imports=silent")
    say(tmp_path, sys.executable, "-m", "mypy", *types, "calls.py")
    printed = say(tmp_path, sys.executable, "calls.py", running=running)
    assert all(phrase in printed for phrase in PHRASES), printed


def test_a_typescript_client_is_generated_typed_and_runs_the_guide(
    running: Running, page: Path, tmp_path: Path
) -> None:
    if absent := [name for name in ("node", "npm", "npx") if shutil.which(name) is None]:
        pytest.skip(f"{absent[0]} is not on this machine")
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    say(tmp_path, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *TYPESCRIPT)
    say(tmp_path, "npx", "openapi-typescript", str(page), "-o", "agency.d.ts")
    shutil.copy(CALLS / "calls.ts", tmp_path)
    say(
        tmp_path, "npx", "tsc", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022",
        "--module", "nodenext", "--moduleResolution", "nodenext", "--lib", "es2023,dom",
        "calls.ts",
    )  # fmt: skip
    printed = say(tmp_path, "node", "calls.js", running=running)
    assert all(phrase in printed for phrase in PHRASES), printed
