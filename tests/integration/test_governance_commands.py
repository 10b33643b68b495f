"""`yupana governance …` as those who answer for a model use it: what it says and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import governed
import pytest
import typer
from candidates import NAME
from governed import BERTA, CARLA, DIEGO, ME
from typer.testing import CliRunner, Result

from yupana.cli.oversight import governance
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.gate import gate
from yupana.identity import actors

APP = typer.Typer()
governance.register(APP)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Stage service; outbreak@1 is registered by its author."""
    folder = governed.home(tmp_path)
    governed.registered(folder, tmp_path / "a")
    monkeypatch.setenv("YUPANA_HOME", str(folder.home))
    monkeypatch.setenv("YUPANA_ROOT", str(folder.root))
    settings.settings.cache_clear()
    yield folder
    settings.settings.cache_clear()


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda accounts: monkeypatch.setattr(actors, "here", lambda: accounts)


def call(*words: str) -> Result:
    return CliRunner().invoke(APP, ["governance", *words], env={"COLUMNS": "200"})


def told(*words: str) -> Any:
    result = call(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[-1])


def test_from_the_check_to_the_approval(home: Settings, become: Any) -> None:
    result = call("check", NAME, "--model", f"{NAME}@1")
    assert result.exit_code == 1 and "stage service: REFUSED" in result.stdout
    assert "✗ assessment" in result.stdout and "fix: Run `yupana governance assess" in result.stdout
    result = call("assess", f"{NAME}@1")
    assert "open: nothing" in result.stdout and "next, by another person" in result.stdout
    refused = call("approve", f"{NAME}@1", "--reason", "me parece bien").exception
    assert isinstance(refused, TerminalError) and "own work" in refused.what
    become(BERTA)
    result = call("approve", f"{NAME}@1", "--reason", "revisado en comité")
    assert "by os:berta: revisado en comité" in result.stdout
    assert "next: yupana models promote outbreak@1" in result.stdout
    decision = json.loads(call("check", NAME, "--model", f"{NAME}@1", "--json").stdout)
    assert decision["allowed"] and all(c["met"] for c in decision["conditions"])
    rows = told("history", NAME)
    kinds = [(row["kind"], row["account"]) for row in rows]
    assert kinds[-2:] == [("assess", ME), ("approve", "os:berta")]
    assert all(row["signed"] for row in rows)


def test_a_deputy_stops_and_a_supervisor_starts_again(home: Settings, become: Any) -> None:
    become(DIEGO)
    words = ("--reason", "alertas falsas en Maynas")
    assert told("suspend", f"{NAME}@1", *words)["facts"]["role"] == "deputy"
    result = call("check", NAME, "--model", f"{NAME}@1", "--stage", "trial")
    assert result.exit_code == 1
    assert "yupana governance resume outbreak@1" in result.stdout
    refused = call("resume", f"{NAME}@1", *words).exception
    assert isinstance(refused, TerminalError) and "none of supervisor" in refused.what
    become(CARLA)
    assert told("resume", f"{NAME}@1", *words)["kind"] == "resume"
    assert call("check", NAME, "--model", f"{NAME}@1", "--stage", "trial").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", NAME, "--stage", "production"), "Use trial or service"),
        (("check", "other"), "other"),
        (("suspend", NAME, "--reason", "x"), "Say why in a sentence"),
        (("suspend", f"{NAME}@champion", "--reason", "alertas falsas"), "outbreak@3 for one model"),
        (("suspend", f"{NAME}@12", "--reason", "alertas falsas"), "one of: outbreak@1"),
        (("resume", NAME, "--reason", "corregido"), "Suspended are: none"),
        (("approve", f"{NAME}@9", "--reason", "revisado"), "It has: 1"),
        (("assess", NAME), "Write NAME@VERSION"),
    ],
)
def test_what_is_written_wrong_is_told_with_its_mend(
    words: tuple[str, ...], said: str, home: Settings, become: Any
) -> None:
    become(CARLA)
    error = call(*words).exception
    if words == ("check", "other"):
        assert isinstance(error, SystemExit) and error.code == 1
        assert "'other' has no risk register" in call(*words).stdout
        return
    assert isinstance(error, UsageError), error
    assert said in error.fix


def test_help_says_who_may_and_gives_an_example() -> None:
    for command in ("check", "assess", "approve", "suspend", "resume", "history"):
        output = call(command, "--help").stdout
        assert f"Example: yupana governance {command} USE_CASE" in output, command
        assert ("Who may" in output) is (command in ("approve", "suspend")), command


def test_a_decision_explains_itself_in_both_languages(home: Settings) -> None:
    decision = gate.decide(home, NAME, governed.judged(home, 1), "check", governed.now())
    for one in decision.conditions:
        assert one.es and one.en and one.es != one.en, one.code
        assert one.met or one.fix, one.code
        assert one.evidence, one.code
    assert decision.why_es.startswith("outbreak@1: faltan: assessment")
    assert decision.why_en == "outbreak@1: open: assessment, approval"
