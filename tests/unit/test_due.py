"""When training is due, from events as the steps leave them."""

from __future__ import annotations

import pytest
from champion import crown

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.lineage import events
from yupana.orchestration.due import due

NAME = "outbreak"


def event(home: Settings, step: str, inputs: list[str], output: str, **facts: object) -> None:
    events.append(
        home, step, NAME, status="done", inputs=tuple(inputs), outputs=(output,),
        facts=facts,
    )  # fmt: skip


def features(home: Settings, version: int, week: str) -> None:
    event(home, "features", [], f"delta:features/outbreak_weekly@{version}", data_as_of=week)


@pytest.fixture
def home(lake: Settings) -> Settings:
    """A champion from a table whose newest week is that of 2021-10-02."""
    features(lake, 0, "2021-10-02")
    event(lake, "split", ["delta:features/outbreak_weekly@0"], "split:1", as_of="")
    event(lake, "fit", ["split:1"], "member:1", member="network")
    event(lake, "pool", ["split:1", "member:1"], "candidate:1")
    event(lake, "register", ["candidate:1"], "model:outbreak@1")
    crown(lake, NAME, 1)
    return lake


def test_nothing_can_be_said_without_features(lake: Settings) -> None:
    with pytest.raises(TerminalError, match="features"):
        due(lake, NAME)


def test_without_champion_it_is_due(lake: Settings) -> None:
    features(lake, 0, "2021-10-02")
    assert due(lake, NAME).due
    event(lake, "register", ["candidate:1"], "model:outbreak@1", alias="champion")
    verdict = due(lake, NAME)
    assert verdict.due and "no champion" in verdict.reason, "the registry says so, not the log"


@pytest.mark.parametrize(("week", "expected"), [("2021-10-23", False), ("2021-10-30", True)])
def test_it_is_due_when_the_data_is_four_weeks_ahead(
    home: Settings, week: str, expected: bool
) -> None:
    assert not due(home, NAME).due
    features(home, 1, week)
    verdict = due(home, NAME)
    assert verdict.due is expected
    assert week in verdict.reason and "2021-10-02" in verdict.reason


def test_a_champion_of_a_past_day_is_as_old_as_that_day(home: Settings) -> None:
    event(home, "split", ["delta:features/outbreak_weekly@0"], "split:2", as_of="2021-06-05")
    event(home, "pool", ["split:2"], "candidate:2")
    event(home, "register", ["candidate:2"], "model:outbreak@2")
    crown(home, NAME, 2)
    assert not due(home, NAME).due, "it would be trained on what another was trained on"
    features(home, 1, "2021-10-30")
    verdict = due(home, NAME)
    assert verdict.due and "2021-06-05" in verdict.reason


def test_it_is_due_when_monitoring_found_drift_of_this_champion(home: Settings) -> None:
    event(home, "monitor", ["model:outbreak@0"], "report:0", share_drifted=0.9)
    assert not due(home, NAME).due
    event(home, "monitor", ["model:outbreak@1"], "report:1", share_drifted=0.4)
    assert not due(home, NAME).due
    event(home, "monitor", ["model:outbreak@1"], "report:2", share_drifted=0.6)
    verdict = due(home, NAME)
    assert verdict.due and "60 %" in verdict.reason


def test_an_earlier_week_that_was_watched_again_says_nothing_of_today(home: Settings) -> None:
    for week, report, retrain in (("2021-10-09", "1", ["drift"]), ("2021-09-25", "2", [])):
        facts = {"period": week, "retrain": retrain}
        event(home, "monitor", ["model:outbreak@1"], f"report:{report}", **facts)
    assert due(home, NAME).due
    event(home, "monitor", ["model:outbreak@1"], "report:3", period="2021-10-09", retrain=[])
    assert not due(home, NAME).due, "of one week the newest counts"


def test_a_champion_of_unknown_origin_is_trained_again(home: Settings) -> None:
    crown(home, NAME, 7)
    verdict = due(home, NAME)
    assert verdict.due and "not in the event log" in verdict.reason


def refused(home: Settings, version: int, features_version: int, **facts: object) -> None:
    """A challenger that was made from a version of the feature table."""
    split, candidate = f"split:{version}", f"candidate:{version}"
    event(home, "split", [f"delta:features/outbreak_weekly@{features_version}"], split, **facts)
    event(home, "pool", [split], candidate)
    model = f"model:outbreak@{version}"
    event(home, "register", [candidate], model, alias="challenger", reason="no better")


def test_after_a_refusal_it_is_not_due_for_four_weeks_whatever_monitoring_says(
    home: Settings,
) -> None:
    features(home, 1, "2021-10-30")
    assert due(home, NAME).due
    refused(home, 2, 1, as_of="")
    event(home, "monitor", ["model:outbreak@1"], "report:1", share_drifted=0.9)
    verdict = due(home, NAME)
    assert not verdict.due
    assert "model:outbreak@2" in verdict.reason and "no better" in verdict.reason
    assert "from 2021-11-27 on" in verdict.reason
    features(home, 2, "2021-11-27")
    assert due(home, NAME).due


def test_a_model_of_a_past_day_is_no_refusal(home: Settings) -> None:
    features(home, 1, "2021-10-30")
    refused(home, 2, 1, as_of="2021-10-09")
    assert due(home, NAME).due


def test_a_model_that_a_person_replaced_is_not_trained_anew_at_once(home: Settings) -> None:
    features(home, 1, "2021-10-30")
    event(home, "split", ["delta:features/outbreak_weekly@1"], "split:5", as_of="")
    event(home, "pool", ["split:5"], "candidate:5")
    event(home, "register", ["candidate:5"], "model:outbreak@5", alias="champion")
    verdict = due(home, NAME)
    assert not verdict.due and "another was promoted since" in verdict.reason
