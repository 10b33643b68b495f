"""What a model was made from and where: kept beside its weights at the moment of the fit."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import evaluation as evaluations
from yupana.core import foreign_json, plain_files
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256
from yupana.lineage import events

NAME = "run.json"
CODE = ("models", "yupana/core", "yupana/tasks")
"""Rooms whose code decides the weights when the split is given."""

CARD, FIT, BACKTEST = "README.md", "fit.json", "backtest.json"
_LATER = {NAME, FIT, evaluations.FILE, BACKTEST, CARD}
"""What steps after the fit write; beside these, what an evaluation names as its own."""


def record(
    settings: Settings,
    folder: Path,
    data: dict[str, Any],
    seconds: float,
    machine: dict[str, Any],
) -> dict[str, Any]:
    """Write `run.json` into a candidate's folder, right after its fit.

    Args:
        data: the `TrainingSet` that the model learned from, as a dict.
        seconds: wall time of the fit.
        machine: `hardware` of the process that fitted it, maybe on another machine.

    Returns:
        What was written.
    """
    run = {
        "data": data,
        "environment": environment(settings),
        "hardware": machine,
        "code": code(settings),
        "files": files(folder),
        "seconds": round(seconds, 2),
    }
    (folder / NAME).write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")
    return run


def read(folder: Path) -> dict[str, Any]:
    """What `record` wrote; empty for a model that was made without it.

    Raises:
        TerminalError: it is not the JSON that was written.
    """
    path = folder / NAME
    try:
        return dict(foreign_json.loads(plain_files.text(path)))
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError) as error:
        raise TerminalError(
            f"The record of the model's fit is not JSON: {error}.",
            where=str(path),
            fix="Get or train the model again.",
        ) from error


def files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that the fit itself wrote: weights, and how to read them."""
    evaluation = evaluations.read(folder)
    later = _LATER | set(evaluation.files if evaluation else ())
    return {name: file_sha256(folder / name) for name in _names(folder) if name not in later}


def added(folder: Path) -> tuple[str, ...]:
    """Files that neither the fit nor a step of the platform wrote: an evaluation's own."""
    of_others = {*read(folder).get("files", {}), *_LATER}
    return tuple(name for name in _names(folder) if name not in of_others)


def _names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def environment(settings: Settings) -> dict[str, str]:
    """SHA-256 of the lock file (empty where the project is installed without it), and Python."""
    lock = settings.root / "uv.lock"
    return {
        "lock": file_sha256(lock) if lock.exists() else "",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def hardware() -> dict[str, Any]:
    """Processor, cores, memory (GiB); where this process has used torch, also its vector
    instructions, its threads, and the GPU (`none` where it sees none)."""
    import psutil

    machine = {
        "cpu": _processor(),
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
    }
    # Not imported for this alone: it takes 2 s, and what does not use it does not depend on it.
    torch = sys.modules.get("torch")
    if torch is None:
        return machine
    return {
        **machine,
        # Which vector instructions torch uses decides the last bits of every sum.
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def code(settings: Settings) -> dict[str, str]:
    """Hash of the code that decides the weights; the commit, with `+` when files differ."""
    sha256 = events.code_hash(settings.root, *CODE)
    commit = _git(settings.root, "rev-parse", "HEAD")
    changed = commit and _git(settings.root, "status", "--porcelain", "--untracked-files=no")
    return {"sha256": sha256, "commit": commit + ("+" if changed else "")}


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty where there is no git or no repository."""
    try:
        process = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""


def differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[Any]]:
    """What differs between two sets of facts: name → [before, now]; names as `flat` makes them."""
    one, other = flat(before), flat(now)
    return {
        k: [one.get(k), other.get(k)] for k in sorted(one | other) if one.get(k) != other.get(k)
    }


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, names joined by a dot."""
    leaves: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            leaves |= flat(value, f"{prefix}{name}.")
        else:
            leaves[f"{prefix}{name}"] = value
    return leaves
