"""A model as the gate judges it, from the registry, or from a folder that another platform gave."""

from __future__ import annotations

from pathlib import Path

from yupana.core import spec as specs
from yupana.gate.measures import STORE_ADDS, Subject, model_sha256
from yupana.tracking import facts


def of_folder(use_case: str, version: int, folder: Path) -> Subject:
    """The model in a folder, under a version; hashes its files.

    Where no fit listed what it wrote, every file counts as changed.

    Raises:
        UsageError: there is no such use case.
    """
    written = facts.read(folder).get("files", {})
    differing = facts.differences(written, facts.files(folder))
    spec = specs.load(use_case)
    changed = tuple(name for name in differing if name not in STORE_ADDS)
    sha256 = model_sha256(folder)
    return Subject(use_case, version, folder, sha256, changed, spec.model.final, spec.metric)
