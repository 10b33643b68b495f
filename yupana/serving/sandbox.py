"""Keys for trying out: how their answers are recorded, and what they say of themselves.

Whatever counts answers (monitoring, impact, feedback, usage, the auditor's pages) goes by the kind
of a record, so that one of its own keeps them out of all of it.
"""

from __future__ import annotations

from yupana.identity import roles
from yupana.predictions import prediction_log
from yupana.predictions.usage import Caller
from yupana.serving.notes import Note, note

NOTE = note(
    "sandbox",
    "Clave de prueba: esta respuesta no se cuenta y no vale para decidir.",
    "Sandbox key: this answer is counted nowhere and is not for decisions.",
)


def is_sandbox(caller: Caller) -> bool:
    """Whether a caller tries things out."""
    return caller.role == roles.SANDBOX


def kind(caller: Caller, usual: str) -> str:
    """The kind of the record of an answer.

    Args:
        usual: what it is for all other callers.
    """
    return prediction_log.SANDBOX if is_sandbox(caller) else usual


def caveats(caller: Caller) -> list[Note]:
    """What stands beside each answer to this caller."""
    return [NOTE] if is_sandbox(caller) else []
