"""The settings for modules that must be quick to import: commands, which `--help` loads all of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yupana.config.settings import Settings


def settings() -> Settings:
    """As `yupana.config.settings.settings`, which imports Pydantic."""
    from yupana.config import settings as module

    return module.settings()
