"""Why a person did something: kept for ever, and printed to whoever comes next."""

from __future__ import annotations

import unicodedata

from yupana.core.errors import UsageError

LEAST = 5
"""Characters of a decision's reason."""
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of controls (a terminal obeys them), formats (they turn a line's direction
round), halves of characters, and breaks of lines and paragraphs."""


def plain(text: str, where: str = "--reason") -> str:
    """A text that can be shown on any page and terminal as it was meant.

    Raises:
        UsageError: it has a character that cannot be seen, such as a line break.
    """
    if unseen := next((c for c in text if unicodedata.category(c) in _UNSEEN), ""):
        raise UsageError(
            f"The text has a character that cannot be seen: U+{ord(unseen):04X}.",
            where=where,
            fix="Write it in one line of plain text: it is kept for ever and shown.",
        )
    return text


def of_decision(text: str) -> str:
    """A reason that a decision cannot do without; errors as `plain`, and where it is too short."""
    if len(text.strip()) < LEAST:
        raise UsageError(
            f"A decision needs a reason of at least {LEAST} characters.",
            where="--reason",
            fix="Say why in a sentence, without names of persons: it is kept for ever and shown.",
        )
    return plain(text)


def in_words(text: str | None) -> None:
    """Refuse a reason without a word, or one that cannot be shown; None: nothing was decided.

    Raises:
        UsageError: it is blank, or has a character that cannot be seen.
    """
    if text is None:
        return
    where = "--reason, --accept-change"
    if not text.strip():
        raise UsageError(
            "The reason is blank.",
            where=where,
            fix="Say why in a few words, without names of people: it is kept in the ledger.",
        )
    plain(text, where)
