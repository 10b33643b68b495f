"""Deployment: the champion's files in the BentoML model store, tested before they are kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.forecast import QUANTILES
from yupana.tracking import registry


def deploy(settings: Settings, use_case: str) -> str:
    """Copy the champion into the store as `<use case>:<version>`; returns the tag.

    The copy answers once for one district before it is committed: a model that cannot answer
    is never in the store, and the one before it serves on.

    Raises:
        TerminalError: there is no champion.
    """
    import bentoml
    import pandas as pd
    from bentoml.exceptions import NotFound

    version, source = registry.champion(settings, use_case)
    tag = f"{use_case}:{version}"
    try:
        bentoml.models.get(tag)
    except NotFound:
        forecaster = usecase.load("models", use_case).load(source)
        known = pd.read_parquet(source / "reference.parquet").head(1)
        forecaster.quantiles(known, QUANTILES)
        with bentoml.models.create(tag, labels={"use_case": use_case}) as model:
            shutil.copytree(source, model.path, dirs_exist_ok=True)
    return tag


def folder(use_case: str) -> Path:
    """Folder of the model that is deployed."""
    import bentoml

    return Path(bentoml.models.get(f"{use_case}:latest").path)
