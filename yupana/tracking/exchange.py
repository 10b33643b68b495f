"""The exchange: published tables and models for other agencies, by `dvc get` and `dvc import`.

`<home>/exchange` is a git repository of its own. A tag `<name>-v<version>` names one version for
good; its bytes lie in the DVC store `<home>/exchange-store`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256, value_sha256

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")


def share_table(settings: Settings, table_path: Path, name: str, version: int,
                facts: dict[str, Any]) -> str:
    """Share one version of a Delta table as `datasets/<name>/<name>.parquet`.

    Rows are put in one order, so that the same rows give the same bytes. Beside the table,
    `metadata.json` holds `facts` and name, Delta version, rows, columns and SHA-256.

    Args:
        version: the Delta version; the tag is `<name>-v<version>`.
        facts: what a receiver must know (contract version, licence, publisher, SHA-256 of the
            source); the same at every call for the same version.

    Returns:
        `shared:<name>@<tag>`; a version that is already shared is left as it is.

    Raises:
        UsageError: no such table or version, or a name that cannot be a tag.
        TerminalError: the tag holds something else, or git or DVC is missing or fails.
    """
    tag = _tag(name, version)
    with _exchange(settings) as repository:
        partial = repository / ".dvc" / "tmp" / f"{tag}.parquet"
        described = _export(table_path, version, partial)
        metadata = {**facts, "name": name, "delta_version": version, **described}
        return _share(settings, partial, Path("datasets") / name / f"{name}.parquet", tag, metadata)


def share_model(settings: Settings, folder: Path, name: str, version: str,
                facts: dict[str, Any]) -> str:
    """Share a model's folder as `models/<name>/model`, with `metadata.json` beside it.

    Args, returns and errors are those of `share_table`; `version` is the registry's.
    """
    tag = _tag(name, version)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    if not files:
        raise UsageError(
            "The model's folder is not there, or is empty.", where=str(folder),
            fix="Train the model first, or give the folder of a registered version.",
        )
    sha256 = value_sha256([(str(p.relative_to(folder)), file_sha256(p)) for p in files])
    with _exchange(settings) as repository:
        partial = repository / ".dvc" / "tmp" / tag
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder, partial)
        metadata = {**facts, "name": name, "version": version, "sha256": sha256}
        return _share(settings, partial, Path("models") / name / "model", tag, metadata)


def _tag(name: str, version: int | str) -> str:
    tag = f"{name}-v{version}"
    if not _NAME.fullmatch(tag) or ".." in tag or tag.endswith(".lock"):
        raise UsageError(
            f"'{tag}' cannot be the name of a version.", where="the exchange",
            fix="Use letters, digits, '_', '-' and single dots.",
        )
    return tag


def _export(table_path: Path, version: int, target: Path) -> dict[str, Any]:
    """Write a Delta version to one parquet file and describe it."""
    import polars as pl
    from deltalake.exceptions import DeltaError

    try:
        frame = pl.read_delta(str(table_path), version=version)
    except (DeltaError, OSError) as error:
        raise UsageError(
            f"The Delta table or its version {version} is not there: {error}",
            where=str(table_path), fix="Publish the table first, or name a version that it has.",
        ) from error
    # Delta promises no order, and OPTIMIZE changes it: sorted, equal rows are equal bytes.
    frame = frame.sort([c for c, kind in frame.schema.items() if not kind.is_nested()])
    frame.write_parquet(target, compression="zstd")
    return {"rows": frame.height, "columns": frame.columns, "sha256": file_sha256(target)}


def _share(settings: Settings, partial: Path, place: Path, tag: str,
           metadata: dict[str, Any]) -> str:
    """Move `partial` to `place` in the exchange, store it, and tag the version."""
    repository = settings.home / "exchange"
    ref = f"shared:{metadata['name']}@{tag}"
    facts = place.parent / "metadata.json"
    metadata = json.loads(json.dumps(metadata, default=str))
    if _git(settings, "tag", "--list", tag):
        _remove(partial)
        before = json.loads(_git(settings, "show", f"{tag}:{facts}"))
        if other := sorted(k for k in before | metadata if before.get(k) != metadata.get(k)):
            raise TerminalError(
                f"The version '{tag}' is already shared with other content.",
                where=f"{repository}: {', '.join(other)} differ",
                fix="A shared version never changes: share this one under a new version.",
            )
        return ref
    target = repository / place
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(target)
    partial.rename(target)
    (repository / facts).write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
    _dvc(settings, "add", "--quiet", str(place))
    _dvc(settings, "push", "--quiet", str(place))
    _git(settings, "add", "--", str(place.parent))
    # Empty is allowed: a run that broke off before the tag has left the commit behind.
    _git(settings, "commit", "--quiet", "--allow-empty", "-m", f"Share {tag}")
    # The tag comes last: a version that has its tag is whole and in the store.
    _git(settings, "tag", tag)
    return ref


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _exchange(settings: Settings) -> Iterator[Path]:
    """The exchange's folder, made at first use and held against a second process."""
    settings.home.mkdir(parents=True, exist_ok=True)
    repository, store = settings.home / "exchange", settings.home / "exchange-store"
    with (settings.home / "exchange.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (repository / ".dvc" / "config").exists():
            repository.mkdir(exist_ok=True)
            _git(settings, "init", "--quiet", "--initial-branch=main")
            _git(settings, "config", "user.name", "yupana")
            _git(settings, "config", "user.email", "yupana@localhost")
            _dvc(settings, "init", "--quiet", "--force")
            _git(settings, "add", "--all")
            _git(settings, "commit", "--quiet", "-m", "Open the exchange")
        # At every use: the project's folder may have moved since.
        _dvc(settings, "remote", "add", "--quiet", "--force", "--local", "-d", "store", str(store))
        (repository / ".dvc" / "tmp").mkdir(exist_ok=True)
        yield repository


def _git(settings: Settings, *arguments: str) -> str:
    return _run(settings, "git", *arguments)


def _dvc(settings: Settings, *arguments: str) -> str:
    return _run(settings, sys.executable, "-m", "dvc", *arguments)


def _run(settings: Settings, *command: str) -> str:
    """Run a command in the exchange, blind to the user's git and DVC settings."""
    repository = settings.home / "exchange"
    # GIT_* of an outer repository (a hook, a worktree) would lead git away from the exchange.
    environment = {k: v for k, v in settings.environment().items() if not k.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(repository / ".dvc" / "tmp"),
        "DVC_SYSTEM_CONFIG_DIR": str(repository / ".dvc" / "tmp"),
    }
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        raise TerminalError(
            f"The exchange needs the program '{command[0]}', which is not on the PATH.",
            where=str(repository), fix="Install git (https://git-scm.com) and try again.",
        )
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise TerminalError(
            f"`{' '.join(command[:6])}` failed: {' '.join(told)}", where=str(repository),
            fix="Mend what the message names. Removing the exchange and its store starts anew.",
        )
    return done.stdout.strip()
