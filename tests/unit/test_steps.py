"""A step runs once for the same inputs, and a failure is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from command import yupana as command

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.ledger import export
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


PLANTED = "Luz Quispe 45678912"


def _foreign() -> steps.Outcome:
    return steps.Outcome((str(int(PLANTED)),))


def _own() -> steps.Outcome:
    raise TerminalError("A cell is no number.", where="cases.csv, line 3", detail=PLANTED)


def _own_after_foreign() -> steps.Outcome:
    try:
        return _foreign()
    except ValueError as error:
        raise TransientError("It was not read.", detail=str(error)) from error


@pytest.mark.parametrize(
    ("work", "record"),
    [(_foreign, "ValueError, raised in test_steps:"),
     (_own, "A cell is no number.\n  where: cases.csv, line 3"),
     (_own_after_foreign, "It was not read.")],
)  # fmt: skip
def test_what_a_row_says_is_in_no_record_of_a_failure(
    lake: Settings, work: Callable[[], steps.Outcome], record: str
) -> None:
    settings = lake.model_copy(update={"ledger_witness": lake.home / "elsewhere"})
    with pytest.raises(Exception, match=PLANTED) as failure:
        steps.run(settings, "make", "x", work)
    (event,) = events.read(settings.events)
    assert event["facts"]["error"].startswith(record)
    assert f"event: {event['id']}" in failure.value.__notes__, "who reads it finds the event"
    export.write(settings, settings.home / "ledger.jsonl", Silent(), datetime.now(UTC))
    assert command(settings, "events", "export", str(settings.home / "log.jsonl")).code == 0
    written = [path for path in settings.home.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not [path for path in written if PLANTED.encode() in path.read_bytes()]
