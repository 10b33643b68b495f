"""A step runs once for the same inputs, and a failure is on record."""

from __future__ import annotations

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.lineage import events, steps


def test_the_same_inputs_do_nothing_twice(lake: Settings) -> None:
    runs: list[int] = []

    def work() -> steps.Outcome:
        runs.append(1)
        return steps.Outcome((f"thing:{len(runs)}",))

    first = steps.run(lake, "make", "x", work, inputs=("a",))
    again = steps.run(lake, "make", "x", work, inputs=("a",))
    other = steps.run(lake, "make", "x", work, inputs=("b",))
    assert (first.status, again.status, other.status) == ("done", "unchanged", "done")
    assert again.outputs == first.outputs == ("thing:1",)
    third = steps.run(lake, "make", "x", work, inputs=("b",), still_there=lambda _: False)
    assert third.status == "done" and len(runs) == 3


def test_a_failure_is_logged_and_not_taken_for_done(lake: Settings) -> None:
    def fail() -> steps.Outcome:
        raise TerminalError("no", where="here", fix="so")

    with pytest.raises(TerminalError):
        steps.run(lake, "make", "x", fail)
    assert [e["status"] for e in events.read(lake.events)] == ["failed"]
    assert steps.run(lake, "make", "x", lambda: steps.Outcome(())).status == "done"
