"""One open alert for each check, column and group; who saw to it is in the ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.ledger import entries
from yupana.monitoring import alerts, history
from yupana.monitoring.check import Check, alarms, retraining

NOW = datetime(2022, 1, 6, 12, tzinfo=UTC)
WEEK = date(2022, 1, 1)
LOUD = Check(
    "frozen", "cases_lag_0", "", WEEK, 9.0, 4.0, "alarm", "warning", "No cambia.",
    "It stands still.", "docs/runbooks.md#frozen", "frozen",
)  # fmt: skip
DRIFT = replace(LOUD, check="drift", column="", kind="drift", en="7 of 14 columns differ.")


@pytest.fixture
def home(lake: Settings) -> Settings:
    lake.home.mkdir(parents=True)
    return lake


def update(home: Settings, run: str, *checks: Check, day: int = 0) -> dict[str, list[str]]:
    when = NOW + timedelta(days=day)
    changes = alerts.update(home, "outbreak", run, checks, "ana", when)
    return {what: ids for what, ids in changes.items() if ids}


def events(home: Settings, kind: str = "alert") -> list[str]:
    return [sealed.facts["what"] for sealed in entries.read(home.platform_db, kind=kind)]


def test_an_alarm_opens_one_alert_and_its_repeats_are_counted(home: Settings) -> None:
    name = alerts.fingerprint("outbreak", LOUD)
    assert update(home, "r1", LOUD) == {"opened": [name]}
    assert update(home, "r1", LOUD) == {}, "the same run counts once"
    assert update(home, "r2", LOUD, day=7) == {"repeated": [name]}
    (alert,) = alerts.open(home.platform_db, "outbreak")
    assert (alert.times, alert.owner, alert.asks) == (2, "ana", "person")
    assert alert.runbook == LOUD.runbook and alert.opened == NOW
    assert events(home) == ["opened"]


def test_another_column_group_or_use_case_is_another_alert(home: Settings) -> None:
    others = [replace(LOUD, column="mean_8"), replace(LOUD, group="1601"), DRIFT]
    update(home, "r1", LOUD, *others)
    alerts.update(home, "floods", "r1", [LOUD], "", NOW)
    assert len({alert.id for alert in alerts.open(home.platform_db)}) == 5
    assert len(alerts.open(home.platform_db, "outbreak")) == 4


def test_a_check_that_is_well_again_resolves_and_its_return_reopens(home: Settings) -> None:
    update(home, "r1", LOUD)
    well = replace(LOUD, state="ok", value=1.0, kind="", en="It moves.")
    assert not update(home, "r2", replace(LOUD, state="unknown")), "unknown says nothing"
    assert "resolved" in update(home, "r3", well, day=7)
    assert alerts.open(home.platform_db) == []
    assert "reopened" in update(home, "r4", LOUD, day=14)
    (alert,) = alerts.open(home.platform_db)
    assert (alert.times, alert.reopened) == (2, 1)
    assert events(home) == ["opened", "resolved", "reopened"]


def test_worse_than_acknowledged_is_open_again(home: Settings) -> None:
    (name,) = update(home, "r1", LOUD)["opened"]
    alerts.answer(home, name[:6], "acknowledged", "os:ana", "asked the laboratory", NOW)
    update(home, "r2", LOUD)
    assert alerts.open(home.platform_db)[0].state == "acknowledged"
    assert "worse" in update(home, "r3", replace(LOUD, severity="critical"))
    (alert,) = alerts.open(home.platform_db)
    assert (alert.state, alert.severity, alert.times) == ("open", "critical", 3)


def test_who_acknowledged_is_in_the_ledger_by_a_pseudonym(home: Settings) -> None:
    (name,) = update(home, "r1", LOUD)["opened"]
    alerts.answer(home, name, "acknowledged", "os:ana", "called Ana's colleague", NOW)
    alerts.answer(home, name, "closed", "os:luis", "mended", NOW)
    acknowledgement, closed = entries.read(home.platform_db, kind="acknowledge")
    assert (acknowledgement.subject, acknowledgement.facts["what"], closed.facts["what"]) == (
        f"alert:{name}", "acknowledged", "closed",
    )  # fmt: skip
    assert acknowledgement.actor.startswith("person:") and acknowledgement.actor != closed.actor
    assert "ana" not in str(acknowledgement).lower().replace("alarm", ""), "neither name nor words"
    with pytest.raises(UsageError, match="is closed"):
        alerts.answer(home, name, "closed", "os:ana", "", NOW)
    assert not update(home, "r1", LOUD), "the run that was answered does not come back"
    assert "reopened" in update(home, "r2", LOUD)


@pytest.mark.parametrize("alert_id", ["", "zzz"])
def test_an_unknown_alert_is_refused(home: Settings, alert_id: str) -> None:
    update(home, "r1", LOUD)
    with pytest.raises(UsageError, match="alerts begin with"):
        alerts.answer(home, alert_id, "closed", "os:ana", "", NOW)


def test_two_runs_at_once_open_one_alert(home: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda n: update(home, f"r{n}", LOUD), range(8)))
    assert sum("opened" in changes for changes in runs) == 1
    (alert,) = alerts.open(home.platform_db)
    assert alert.times == 8 and events(home) == ["opened"]


def test_training_is_asked_for_only_while_the_data_stand() -> None:
    quiet = replace(DRIFT, severity="info")
    assert retraining([DRIFT, replace(LOUD, state="ok")]) == [DRIFT.en]
    assert retraining([DRIFT, LOUD]) == [], "a fault of the data is not trained away"
    assert retraining([quiet]) == [] and alarms([quiet]) == []


def test_due_goes_by_what_the_alarms_ask(home: Settings) -> None:
    from yupana.lineage import events as log
    from yupana.orchestration import due

    def monitored(retrain: list[str]) -> str:
        log.append(
            home, "monitor", "outbreak", status="done", inputs=("model:outbreak@1",),
            outputs=("report:1",), facts={"share_drifted": 0.9, "retrain": retrain},
        )  # fmt: skip
        return due._drift(home, "outbreak", "model:outbreak@1")

    assert monitored([]) == "", "columns drifted, and a fault of the data explains it"
    assert "7 of 14" in monitored([DRIFT.en])


def test_history_draws_a_trend_of_the_last_run_of_each_period(home: Settings) -> None:
    url = home.platform_db
    for week, run, value, day in ((1, "a", 2.0, 0), (8, "b", 9.0, 7), (1, "c", 3.0, 8)):
        when = date(2022, 1, week)
        check = replace(LOUD, period=when, value=value)
        nothing = replace(LOUD, check="other", period=when, value=float("nan"), state="unknown")
        for _ in range(2):
            history.keep(
                url, "outbreak", run, when, [check, nothing], {"model": "m@1"},
                NOW + timedelta(days=day),
            )  # fmt: skip
    points = history.trend(url, "outbreak", "frozen", "cases_lag_0")
    assert [(str(p.period), p.value) for p in points] == [
        ("2022-01-01", 3.0), ("2022-01-08", 9.0),
    ]  # fmt: skip
    assert [p.value for p in history.trend(url, "outbreak", "other", "cases_lag_0")] == [
        None
    ] * 2
