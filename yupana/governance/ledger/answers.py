"""Answers of the prediction log against the hash of their group in the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from yupana.governance import prediction_rows
from yupana.governance.ledger.verifier import Found
from yupana.governance.predictions import ANSWERS

_ROW = [column for column in ANSWERS.columns if column.name != "seq"]


def changed(url: str, seq: int, facts: dict[str, Any]) -> list[Found]:
    """What is wrong with a group of answers, if anything.

    A group of which rows are gone is not told: they move to the lake when they are old.

    Args:
        seq: the number of the group's event.
        facts: what that event holds.
    """
    first, last = facts["rows"]
    query = sa.select(*_ROW).where(ANSWERS.c.seq.between(first, last)).order_by(ANSWERS.c.seq)
    with prediction_rows.prepare(url).connect() as connection:
        rows = [list(row) for row in connection.execute(query)]
    if len(rows) < facts["n"] or prediction_rows.digest(rows) == facts["sha256"]:
        return []
    return [Found(seq, "changed", f"an answer among rows {first} to {last} of the prediction log")]
