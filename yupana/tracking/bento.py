"""A bento: one folder with a service's code, its libraries by the lock, and the champion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import plain_files, usecase
from yupana.core.errors import TerminalError, UsageError
from yupana.tracking import slots

# What a service is made of: no schedules, pipelines, contracts, samples or tests.
ROOMS = ("serving", "models", "feature_repo", "yupana")
BYTES_PER_MB = 1e6


def build(settings: Settings, use_case: str) -> tuple[str, dict[str, float | str]]:
    """Make a bento of `serving/<use_case>/` in the BentoML store; returns its tag and facts.

    Facts: `folder`, `code_mb`, `model_mb`, `libraries` (how many the lock names) and
    `libraries_mb` (as they are installed here; those that are not are not counted).

    Raises:
        TerminalError: BentoML does not take the service, or the lock cannot be read.
        UsageError: there is no such service.
    """
    if not (settings.root / "serving" / use_case / "service.py").exists():
        raise UsageError(
            f"There is no service '{use_case}'.", where="serving/", fix="See the files there."
        )
    import bentoml
    from bentoml.exceptions import BentoMLException

    champion = slots.current(settings.platform_db, use_case).get(slots.CHAMPION)
    libraries = requirements(settings.root)
    # BentoML looks for uv on PATH, else it tries to install it; last, so that it hides nothing.
    os.environ["PATH"] = (
        f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{_uv(settings.root).parent}"
    )
    sys.path.insert(0, str(settings.root))
    try:
        bento = bentoml.bentos.build(
            usecase.service(use_case),
            name=use_case,
            include=[f"/{room}/" for room in ROOMS],
            exclude=["__pycache__/", "*.pyc"],
            # Locked by ours already: BentoML's own lock would look on the network again.
            python={"packages": libraries, "lock_packages": False},
            models=[champion.tag] if champion else [],
            build_ctx=str(settings.root),
        )
    except BentoMLException as error:
        raise TerminalError(f"No bento could be made: {error}", where="BentoML") from error
    finally:
        sys.path.remove(str(settings.root))
    code = Path(bento.path)
    model = plain_files.size(Path(bentoml.models.get(champion.tag).path)) if champion else 0
    return str(bento.tag), {
        "folder": str(code),
        "code_mb": round(plain_files.size(code) / BYTES_PER_MB, 2),
        "model_mb": round(model / BYTES_PER_MB, 2),
        "libraries": len(libraries),
        "libraries_mb": round(installed_mb(libraries), 1),
    }


def _uv(root: Path) -> Path:
    own = root / ".uv" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        raise TerminalError("uv is missing.", where=str(own), fix="Run `make setup`.")
    return Path(uv)


def requirements(root: Path) -> list[str]:
    """The libraries of the extra `serve`, `name==version ; marker`, as uv.lock pins them.

    Raises:
        TerminalError: uv is missing, or the lock is not that of pyproject.toml.
    """
    command = [
        str(_uv(root)),
        "export",
        "--locked",
        "--offline",
        "--quiet",
        "--extra",
        "serve",
        "--no-dev",
    ]
    shape = ["--no-emit-project", "--no-hashes", "--no-annotate", "--no-header"]
    process = subprocess.run([*command, *shape], cwd=root, capture_output=True, text=True)
    if process.returncode:
        raise TerminalError(
            f"The lock cannot be read: {process.stderr.strip()}",
            where=str(root / "uv.lock"),
            fix="Run `uv lock` and commit it.",
        )
    return process.stdout.splitlines()


def installed_mb(libraries: list[str]) -> float:
    """What those of the libraries that are installed here take, in MB."""
    from importlib.metadata import PackageNotFoundError, distribution

    total = 0
    for line in libraries:
        try:
            files = distribution(line.split("==")[0].split("[")[0]).files or []
        except PackageNotFoundError:
            continue
        total += sum(file.size or 0 for file in files)
    return total / BYTES_PER_MB
