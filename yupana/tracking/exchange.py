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
from yupana.core import plain_files, private_file
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.tracking import shared_models

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")


def share_table(
    settings: Settings, table_path: Path, name: str, version: int, facts: dict[str, Any]
) -> str:
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
    with _open(settings) as exchange:
        partial = exchange.scratch / f"{tag}.parquet"
        described = _export(table_path, version, partial)
        metadata = {**facts, "name": name, "delta_version": version, **described}
        return _share(exchange, partial, Path("datasets") / name / f"{name}.parquet", tag, metadata)


def share_model(
    settings: Settings, folder: Path, name: str, version: str, facts: dict[str, Any]
) -> str:
    """Share a model's folder as `models/<name>/model`, with `metadata.json` beside it, which also
    lists each file by its SHA-256.

    Args, returns and errors are those of `share_table`; `version` is the registry's.
    """
    tag = _tag(name, version)
    files = shared_models.hashes(folder) if folder.is_dir() else {}
    if not files:
        raise UsageError(
            "The model's folder is not there, or is empty.",
            where=str(folder),
            fix="Train the model first, or give the folder of a registered version.",
        )
    sha256 = shared_models.sha256(files)
    with _open(settings) as exchange:
        partial = exchange.scratch / tag
        shutil.rmtree(partial, ignore_errors=True)
        plain_files.copy(folder, partial)
        metadata = {**facts, "name": name, "version": version, "sha256": sha256, "files": files}
        return _share(exchange, partial, Path("models") / name / "model", tag, metadata)


def _tag(name: str, version: int | str) -> str:
    tag = f"{name}-v{version}"
    if not _NAME.fullmatch(tag) or ".." in tag or tag.endswith(".lock"):
        raise UsageError(
            f"'{tag}' cannot be the name of a version.",
            where="the exchange",
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
            where=str(table_path),
            fix="Publish the table first, or name a version that it has.",
        ) from error
    # Delta promises no order, and OPTIMIZE changes it: sorted, equal rows are equal bytes.
    frame = frame.sort([c for c, kind in frame.schema.items() if not kind.is_nested()])
    frame.write_parquet(target, compression="zstd")
    return {"rows": frame.height, "columns": frame.columns, "sha256": file_sha256(target)}


def _share(
    exchange: _Repository, partial: Path, place: Path, tag: str, metadata: dict[str, Any]
) -> str:
    """Move `partial` to `place` in the exchange, store it, and tag the version."""
    ref = f"shared:{metadata['name']}@{tag}"
    facts = place.parent / "metadata.json"
    metadata = shared_models.sealed(exchange.settings, metadata)
    if exchange.git("tag", "--list", tag):
        _remove(partial)
        before = json.loads(exchange.git("show", f"{tag}:{facts}"))
        # The signature differs wherever anything does.
        names = (before | metadata).keys() - {"signature"}
        if other := sorted(k for k in names if before.get(k) != metadata.get(k)):
            raise TerminalError(
                f"The version '{tag}' is already shared with other content.",
                where=f"{exchange.folder}: {', '.join(other)} differ",
                fix="A shared version never changes: share this one under a new version.",
            )
        return ref
    target = exchange.folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(target)
    partial.rename(target)
    (exchange.folder / facts).write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
    exchange.dvc("add", "--quiet", str(place))
    exchange.dvc("push", "--quiet", str(place))
    exchange.git("add", "--", str(place.parent))
    # Empty is allowed: a run that broke off before the tag has left the commit behind.
    exchange.git("commit", "--quiet", "--allow-empty", "-m", f"Share {tag}")
    # The tag comes last: a version that has its tag is whole and in the store.
    exchange.git("tag", tag)
    return ref


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _open(settings: Settings) -> Iterator[_Repository]:
    """The exchange, made at first use and held against a second process."""
    folder, new = settings.home / "exchange", settings.home / "exchange.new"
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "exchange.lock").open("a") as lock, private_file.shared():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _remove(new)
            new.mkdir()
            _create(_Repository(new, settings))
            # Renamed last: an exchange that bears its final name is whole.
            new.rename(folder)
        exchange = _Repository(folder, settings)
        exchange.scratch.mkdir(exist_ok=True)
        yield exchange


def _create(exchange: _Repository) -> None:
    exchange.git("init", "--quiet", "--initial-branch=main")
    exchange.git("config", "user.name", "yupana")
    exchange.git("config", "user.email", "yupana@localhost")
    exchange.dvc("init", "--quiet")
    # Relative, so that exchange and store can move together.
    exchange.dvc("remote", "add", "--quiet", "--default", "store", "../exchange-store")
    exchange.git("add", "--all")
    exchange.git("commit", "--quiet", "-m", "Open the exchange")


class _Repository:
    """git and DVC in one folder, blind to the user's own settings of both."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.scratch, self.settings = folder, folder / ".dvc" / "tmp", settings
        # GIT_* of an outer repository (a hook, a worktree) would lead git away from the folder.
        inherited = settings.environment().items()
        self._environment = {k: v for k, v in inherited if not k.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(self.scratch),
            "DVC_SYSTEM_CONFIG_DIR": str(self.scratch),
        }

    def git(self, *arguments: str) -> str:
        if shutil.which("git", path=self._environment.get("PATH")) is None:
            raise TerminalError(
                "The exchange needs the program 'git', which is not on the PATH.",
                where=str(self.folder),
                fix="Install git (https://git-scm.com) and try again.",
            )
        return self._run("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self._run(sys.executable, "-m", "dvc", *arguments)

    def _run(self, *command: str) -> str:
        process = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True
        )
        if process.returncode != 0:
            output = (process.stderr or process.stdout).strip().splitlines()[-3:]
            raise TerminalError(
                f"`{' '.join(command)}` failed: {' '.join(output)}",
                where=str(self.folder),
                fix="Mend what the message names; what is already shared is untouched.",
            )
        return process.stdout.strip()
