"""A model as the gate judges it, from the registry, or from a folder that another platform gave."""

from __future__ import annotations

from pathlib import Path

from yupana.core import usecase
from yupana.governance.measures import STORE_ADDS, Subject, model_sha256
from yupana.tracking import facts


def of_folder(use_case: str, version: int, folder: Path) -> Subject:
    """The model in a folder, under a version; hashes its files.

    Raises:
        UsageError: there is no such use case.
    """
    written = facts.read(folder).get("files", {})
    found = facts.differences(written, facts.files(folder)) if written else {}
    final = str(usecase.load("models", use_case).FINAL)
    changed = tuple(name for name in found if name not in STORE_ADDS)
    return Subject(use_case, version, folder, model_sha256(folder), changed, final)
