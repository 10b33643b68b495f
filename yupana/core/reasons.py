"""Why a person decided: what is kept for ever is not blank."""

from __future__ import annotations

from yupana.core.errors import UsageError


def must_say_why(reason: str | None) -> None:
    """Refuse a reason without a word; None where nothing was decided.

    Raises:
        UsageError: it is empty or blank.
    """
    if reason is not None and not reason.strip():
        raise UsageError(
            "The reason is blank.",
            where="--reason, --accept-change",
            fix="Say why in a few words, without names of people: it is kept in the ledger.",
        )
