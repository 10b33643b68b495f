"""Columns of INEI's district codes: told by the list itself, not by what they are called."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from yupana.core.errors import UsageError
from yupana.data import codes
from yupana.data.draft.values import Values

RELATION = "ubigeo.ubigeo"
LENGTH = 6
_DIGITS = r"^[0-9]{5,6}$"


class Ubigeo(NamedTuple):
    """A column of district codes.

    Attributes:
        pad: some have lost the zero in front.
        unlisted: rows whose code INEI does not list.
    """

    pad: bool
    unlisted: int
    evidence: str


def of(root: Path, values: Values, meant: tuple[str, ...]) -> Ubigeo | None:
    """Whether a column holds codes of INEI's list; None where fewer than 95 in 100 do.

    Without a word for it in the header, at least 20 different codes must.
    """
    digits = values.matching(_DIGITS)
    if values.filled == 0 or digits.filled < 0.95 * values.filled:
        return None
    if not {"ubigeo", "inei", "district"} & set(meant) and len(digits.texts) < 20:
        return None
    listed = _list(root)
    known = digits.where(digits.texts.str.zfill(LENGTH).is_in(listed))
    if len(known.texts) < 0.9 * len(digits.texts) or known.filled < 0.95 * values.filled:
        return None
    short = known.where(known.texts.str.len_chars() < LENGTH)
    said = f"{known.filled:,} of {values.filled:,} values are districts of INEI's list"
    if short.filled:
        said += f", {short.filled:,} of them without the zero in front"
    return Ubigeo(short.filled > 0, values.filled - known.filled, said)


def _list(root: Path) -> tuple[str, ...]:
    try:
        return codes.values(root, RELATION) if codes.is_code_list(root, RELATION) else ()
    except UsageError:
        return ()
