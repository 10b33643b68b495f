"""Deployment: a registered model in the BentoML store, tested, and placed in a service's slot."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import selftest, usecase
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256
from yupana.governance import deployments
from yupana.tracking import registry


def deploy(settings: Settings, use_case: str, *, now: datetime, by: str) -> str:
    """Copy the champion into the store as `<use case>:<version>` and place it; returns the tag.

    The copy answers for some districts before it is committed, and keeps what it answered: a
    service refuses a copy that answers otherwise, and serves on with the one before it.

    Raises:
        TerminalError: there is no champion.
    """
    return _placed(settings, use_case, deployments.CHAMPION, 0.0, now=now, by=by)


def challenge(settings: Settings, use_case: str, share: float, *, now: datetime, by: str) -> str:
    """Place the challenger beside the champion; returns its tag.

    Args:
        share: of the requests that it answers, 0-1; 0 is a shadow, which answers none.

    Raises:
        TerminalError: there is no challenger.
    """
    return _placed(settings, use_case, deployments.CHALLENGER, share, now=now, by=by)


def adopt(
    settings: Settings, use_case: str, version: int, source: Path, *, now: datetime, by: str
) -> str:
    """Place a model that another platform shared as the champion; returns the tag.

    Args:
        version: of the model where it was registered; its answers name it.
        source: its folder, as `dvc get` brings it.

    Raises:
        TerminalError: the folder is no model of the use case, or the store holds another model
            under that version.
    """
    import bentoml

    name = "weights.safetensors"
    if not (source / name).exists():
        raise TerminalError(
            "The folder is not a shared model.",
            where=str(source),
            fix=f"Get it: dvc get <exchange> models/{use_case}/model",
        )
    tag = _stored(settings, use_case, version, source)
    if file_sha256(Path(bentoml.models.get(tag).path) / name) != file_sha256(source / name):
        raise TerminalError(
            f"Another model is {use_case}@{version} here.",
            where=str(source),
            fix="Give it a version that is free: --version",
        )
    placed = deployments.Placed(tag)
    deployments.place(settings.platform_db, use_case, deployments.CHAMPION, placed, now=now, by=by)
    return tag


def _placed(
    settings: Settings, use_case: str, slot: str, share: float, *, now: datetime, by: str
) -> str:
    tag = _stored(settings, use_case, *registry.aliased(settings, use_case, slot))
    placed = deployments.Placed(tag, share)
    if deployments.current(settings.platform_db, use_case).get(slot) != placed:
        deployments.place(settings.platform_db, use_case, slot, placed, now=now, by=by)
    return tag


def _stored(settings: Settings, use_case: str, version: int, source: Path) -> str:
    import bentoml
    import pandas as pd
    from bentoml.exceptions import NotFound

    tag = f"{use_case}:{version}"
    try:
        bentoml.models.get(tag)
    except NotFound:
        forecaster = usecase.load("models", use_case).load(source)
        known = pd.read_parquet(source / "reference.parquet")
        with bentoml.models.create(tag, labels={"use_case": use_case}) as model:
            shutil.copytree(source, model.path, dirs_exist_ok=True)
            selftest.write(Path(model.path), forecaster, known)
    return tag


def folder(settings: Settings, use_case: str) -> Path:
    """Folder of the champion that is deployed."""
    import bentoml

    placed = deployments.champion(settings.platform_db, use_case)
    return Path(bentoml.models.get(placed.tag).path)
