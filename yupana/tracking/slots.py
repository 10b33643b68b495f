"""Which model is in which slot of a service; running services follow it within a second.

The champion answers. A challenger beside it answers a share of the requests (canary), or, with a
share of 0, answers all of them for the log alone (shadow).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from yupana.core.errors import TerminalError
from yupana.database.engine import TABLES, Moment, engine
from yupana.identity import activity, actors
from yupana.ledger import entries, vouched

CHAMPION, CHALLENGER = "champion", "challenger"

SLOTS = sa.Table(
    "deployment_slots",
    TABLES,
    sa.Column("use_case", sa.String(64), primary_key=True),
    sa.Column("slot", sa.String(16), primary_key=True),
    sa.Column("tag", sa.String(128), nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
)


@dataclass(frozen=True)
class Placed:
    """A model in a slot; `tag` names it in the store, `share` is the challenger's, 0-1."""

    tag: str
    share: float = 0.0

    @property
    def model(self) -> str:
        """Its reference, `model:<use case>@<version>`."""
        return f"model:{self.tag.replace(':', '@')}"

    @property
    def version(self) -> int:
        """Its number in the registry."""
        return int(self.tag.partition(":")[2])


def place(url: str, use_case: str, slot: str, placed: Placed, *, now: datetime, by: str) -> None:
    """Put a model into a slot, in place of what was there; a service that follows is told so."""
    with engine(url).begin() as connection:
        before = vouched.present(connection, {SLOTS: [(use_case, slot)]})
        _clear(connection, use_case, slot)
        row = {"use_case": use_case, "slot": slot, "tag": placed.tag, "share": placed.share}
        connection.execute(sa.insert(SLOTS), {**row, "time": now, "by": by})
        _note(connection, "deploy", row, now, by, before)


def clear(url: str, use_case: str, slot: str, *, now: datetime, by: str) -> None:
    """Empty a slot; an empty one stays empty."""
    with engine(url).begin() as connection:
        before = vouched.present(connection, {SLOTS: [(use_case, slot)]})
        if _clear(connection, use_case, slot):
            _note(connection, "withdraw", {"use_case": use_case, "slot": slot}, now, by, before)


def current(url: str, use_case: str) -> dict[str, Placed]:
    """What is placed, by slot."""
    query = sa.select(SLOTS).where(SLOTS.c.use_case == use_case)
    with engine(url).connect() as connection:
        rows = connection.execute(query).mappings()
        return {row["slot"]: Placed(row["tag"], row["share"]) for row in rows}


def champion(url: str, use_case: str) -> Placed:
    """The champion that is placed.

    Raises:
        TerminalError: none is.
    """
    placed = current(url, use_case).get(CHAMPION)
    if placed is None:
        raise TerminalError(
            "No model is deployed.",
            where="the platform database",
            fix=f"Run `yupana train {use_case}` and `yupana deploy {use_case}`.",
        )
    return placed


def _clear(connection: sa.Connection, use_case: str, slot: str) -> bool:
    mine = (SLOTS.c.use_case == use_case) & (SLOTS.c.slot == slot)
    return connection.execute(sa.delete(SLOTS).where(mine)).rowcount > 0


def _note(
    connection: sa.Connection, what: str, facts: dict[str, object], now: datetime, by: str,
    before: vouched.Digests,
) -> None:  # fmt: skip
    row = {"time": now, "what": what, "key_id": "", "agency": "", "by": by, "facts": facts}
    lines = activity.write(connection, [row])
    details = {name: value for name, value in facts.items() if name != "use_case"}
    entry = entries.Entry(what, str(facts["use_case"]), details, actors.actor(connection, now))
    slot = (facts["use_case"], facts["slot"])
    rows = vouched.changes(connection, {SLOTS: [slot], activity.ACTIVITY: lines}, before)
    entries.write(connection, [entry, *rows], now)
