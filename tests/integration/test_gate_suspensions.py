"""A suspension holds until a supervisor ends it, whatever is deleted or promoted meanwhile."""

from __future__ import annotations

from pathlib import Path

import governed
import pytest
from candidates import NAME
from governed import BERTA, CARLA, DIEGO, ME, delete_events, now, standing, untouchable

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.gate import actions, gate
from yupana.tracking import registry, versions


@pytest.fixture
def home(tmp_path: Path, own_store: None) -> Settings:
    """Stage service; nothing registered."""
    return governed.home(tmp_path)


def test_a_suspension_that_was_deleted_or_spoiled_is_missed(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    gate.admit(home, NAME, model, "promote", now())
    actions.suspend(
        home, actions.Order(NAME, "alertas falsas en Maynas", now=now(), accounts=DIEGO)
    )
    assert standing(home, model).suspended
    with untouchable(home.platform_db) as connection:
        spoil = "UPDATE ledger SET line = replace(line, 'Maynas', 'otro') WHERE kind = 'suspend'"
        connection.exec_driver_sql(spoil)
        connection.commit()
    assert standing(home, model).suspended, "spoiling its signature lifts nothing"
    # The last event of all: the chain alone would not miss it, the witness does.
    delete_events(home, "suspend")
    state = standing(home, model)
    assert not state.allowed and state.why and "witness" in state.why[1]


def test_a_resumption_is_the_supervisors(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    for accounts in ((ME,), BERTA, ("os:stranger",)):
        with pytest.raises(TerminalError, match="you act as none"):
            actions.suspend(
                home, actions.Order("outbreak@1", "quiero que pare", now=now(), accounts=accounts)
            )
    actions.suspend(home, actions.Order("outbreak@1", "alertas falsas", now=now(), accounts=DIEGO))
    assert "suspended" in governed.codes(home, model)
    governed.edit(home.root, governed.stage("trial"))
    for accounts in ((ME,), DIEGO):
        with pytest.raises(TerminalError, match="you act as none of supervisor"):
            actions.resume(
                home, actions.Order("outbreak@1", "ya está bien", now=now(), accounts=accounts)
            )
    path = governed.path_of(home.root)
    whole = path.read_text()
    path.write_text("use_case: [")
    with pytest.raises(TerminalError, match="not valid"):
        actions.resume(home, actions.Order("outbreak@1", "ya está bien", now=now(), accounts=CARLA))
    assert standing(home, model).suspended, "a broken register hides no suspension"
    path.write_text(whole)
    with pytest.raises(UsageError, match="is not suspended"):
        actions.resume(home, actions.Order(NAME, "ya está bien", now=now(), accounts=CARLA))
    actions.resume(home, actions.Order("outbreak@1", "ya está bien", now=now(), accounts=CARLA))
    assert "suspended" not in governed.codes(home, model)


def test_a_suspended_use_case_takes_no_new_champion(home: Settings, tmp_path: Path) -> None:
    governed.edit(home.root, governed.stage("trial"))
    governed.registered(home, tmp_path / "a")
    actions.suspend(home, actions.Order(NAME, "revisión de datos", now=now(), accounts=CARLA))
    governed.registered(home, tmp_path / "b", 0.5)
    aliases = {v.number: (v.aliases, v.reason) for v in versions.listing(home, NAME)}
    assert aliases[2][0] == ("challenger",) and "suspended" in aliases[2][1]
    with pytest.raises(TerminalError, match=r"suspended since .* by the supervisor"):
        registry.champion(home, NAME)
