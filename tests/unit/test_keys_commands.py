"""`yupana keys` and `yupana usage`, as a person and as a program use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from yupana.cli import keys as keys_commands
from yupana.cli import usage as usage_command
from yupana.config import settings as configured
from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.governance.keys import revoked_subjects
from yupana.governance.oidc import subject_id
from yupana.governance.usage import Caller, Request, Writer

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    chosen = Settings(home=tmp_path)
    monkeypatch.setattr(configured, "settings", lambda: chosen)
    app = typer.Typer()
    keys_commands.register(app)
    usage_command.register(app)

    def call(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), catch_exceptions=True)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return call


def test_a_key_from_its_making_to_its_end(run: Run) -> None:
    given = ("--agency", "DIRESA Loreto", "--scope", "outbreak:forecast")
    printed = run("keys", "create", *given).strip()
    assert printed.startswith("yup_") and "\n" not in printed, "stdout is the key alone"
    name, secret = printed.split("_")[1:]
    (row,) = json.loads(run("keys", "list", "--json"))
    assert (row["id"], row["agency"], row["scopes"]) == (
        name, "DIRESA Loreto", ["outbreak:forecast"],
    )  # fmt: skip
    new = json.loads(run("keys", "rotate", name, "--grace", "1d", "--json"))
    assert new["id"] == name and new["key"] != printed
    assert "revoked" in run("keys", "revoke", name)
    for told in (run("keys", "list"), run("keys", "activity"), run("keys", "list", "--json")):
        assert secret not in told and new["key"].split("_")[2] not in told
    did = json.loads(run("keys", "activity", "--json"))
    assert [row["what"] for row in did] == ["create", "rotate", "revoke"]
    assert run("keys", "list", "--agency", "nobody", "--json").strip() == "[]"


def test_the_tokens_of_a_subject_are_revoked_by_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="need an issuer"):
        run("keys", "revoke", "sub:ana")
    chosen = Settings(home=tmp_path, oidc_issuer="https://sso.example")
    monkeypatch.setattr(configured, "settings", lambda: chosen)
    told = json.loads(run("keys", "revoke", "sub:ana", "--json"))
    assert told == {"id": subject_id("https://sso.example", "ana"), "revoked": True}
    run("keys", "revoke", "sub:ana")
    stored = (tmp_path / "platform.db").read_bytes()
    assert [row["what"] for row in json.loads(run("keys", "activity", "--json"))] == ["revoke"] * 2
    assert list(revoked_subjects(chosen.platform_db)) == [told["id"]] and b"sub:ana" not in stored


@pytest.mark.parametrize("span", ["", "d", "90", "90 d", "-1d", "1y", "9999999d", "٣d"])
def test_a_time_that_is_none_is_refused(run: Run, span: str) -> None:
    given = ("--agency", "A", "--scope", "outbreak:forecast", "--expires", span)
    with pytest.raises(UsageError):
        run("keys", "create", *given)


def test_usage_as_table_json_csv_and_chart(run: Run, tmp_path: Path) -> None:
    empty = run("usage")
    assert "districts asked for most: none" in empty
    writer = Writer(Settings(home=tmp_path).platform_db)
    now = datetime.now(UTC).timestamp()
    for i in range(4):
        caller = Caller("k", "[red]A", "agency", "outbreak@1", ["160101"])
        writer.add(Request(now - 86400 * i, caller, "outbreak:forecast", 200 + 100 * i, 2.0))
    writer.close()
    told = run("usage", "--chart", str(tmp_path / "usage.png"))
    assert "[red]A" in told and "160101 (4)" in told
    assert (tmp_path / "usage.png").read_bytes().startswith(b"\x89PNG")
    lines = run("usage", "--csv").splitlines()
    assert lines[0] == "day,requests,refused,errors,median_ms,p95_ms" and len(lines) == 5
    found = json.loads(run("usage", "--model", "outbreak", "--json"))
    assert (found["total"]["requests"], found["total"]["errors"]) == (4, 1)
    assert json.loads(run("usage", "--agency", "B", "--json"))["days"] == []
    with pytest.raises(UsageError, match="JSON and CSV"):
        run("usage", "--csv", "--json")
