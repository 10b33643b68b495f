"""The recorder of a service: durable or not as the use case's spec says, and witnessed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from yupana.config.settings import Settings
from yupana.core.spec import Spec
from yupana.ledger import witness
from yupana.predictions.recorder import Recorder


def recorder(
    settings: Settings, spec: Spec, on_commit: Callable[[float], None] = lambda _: None
) -> Recorder:
    """Start the recorder of one worker.

    Args:
        spec: `log: durable` sends no answer that is not recorded; `best-effort` sends it and
            records it later, and refuses only where not even this machine's disk takes it.
        on_commit: receives the seconds of each transaction.
    """
    return Recorder(
        settings.platform_db,
        durable=spec.log == "durable",
        spool=settings.home / "spool" / f"{spec.name}.jsonl",
        witness=partial(witness.leave, settings),
        on_commit=on_commit,
    )
