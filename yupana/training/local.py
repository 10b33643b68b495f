"""Run a use case's pipeline on this machine by `kfp.local`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run_local(use_case: str, settings: Settings, arguments: Mapping[str, str]) -> str:
    """Compile the pipeline and run it, task by task; returns its output.

    Args:
        arguments: of the pipeline, all text.

    Raises:
        TerminalError: a component failed; its own error stands in the log above.
    """
    from kfp import components, local

    compiled = settings.home / "kfp" / f"{use_case}.yaml"
    usecase.pipeline(use_case).PIPELINE.compile_to(compiled)
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(settings.home / "kfp"),
        raise_on_error=True,
    )
    pipeline = components.load_component_from_file(str(compiled))
    try:
        with _environment(settings):
            return str(pipeline(**arguments).output)
    except RuntimeError as error:
        raise TerminalError(
            "The pipeline stopped.",
            where=str(compiled),
            detail=_COLOUR.sub("", str(error)),
            fix="Read the failing component's lines above; steps that were done are kept.",
        ) from error


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Components are children of this process: what they need of the settings travels here."""
    before = dict(os.environ)
    os.environ.update(settings.environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
