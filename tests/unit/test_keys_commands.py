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

from yupana.cli.services import keys, usage
from yupana.config import settings
from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.identity import roles
from yupana.identity.api_keys import revoked_subjects
from yupana.identity.oidc import subject_id
from yupana.predictions.usage import Caller, Request, Writer

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    config = Settings(home=tmp_path)
    monkeypatch.setattr(settings, "settings", lambda: config)
    app = typer.Typer()
    keys.register(app)
    usage.register(app)

    def call(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), catch_exceptions=True)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def test_a_key_opens_by_default_what_its_role_may(run: Run) -> None:
    run("keys", "create", "--agency", "DIRESA Loreto")
    (row,) = json.loads(run("keys", "list", "--json"))
    assert set(row["scopes"]) == set(roles.scopes_of("agency")) >= {"models:read"}
    with pytest.raises(UsageError, match="There is no role 'nobody'"):
        run("keys", "create", "--agency", "A", "--role", "nobody")


def test_the_list_shows_each_scope_and_id_whole_at_80_columns(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run("keys", "create", "--agency", "Dirección Regional de Salud de Madre de Dios")
    (row,) = json.loads(run("keys", "list", "--json"))
    words = run("keys", "list").split()
    assert {row["id"], *row["scopes"]} <= set(words)
    assert len(row["scopes"]) > 5 and max(map(len, run("keys", "list").splitlines())) <= 80


def test_a_key_from_its_making_to_its_end(run: Run) -> None:
    terms = ("--agency", "DIRESA Loreto", "--scope", "outbreak:forecast")
    printed = run("keys", "create", *terms).strip()
    assert printed.startswith("yup_") and "\n" not in printed, "stdout is the key alone"
    name, secret = printed.split("_")[1:]
    (row,) = json.loads(run("keys", "list", "--json"))
    assert (row["id"], row["agency"], row["scopes"]) == (
        name, "DIRESA Loreto", ["outbreak:forecast"],
    )  # fmt: skip
    new = json.loads(run("keys", "rotate", name, "--grace", "1d", "--json"))
    assert new["id"] == name and new["key"] != printed
    assert "revoked" in run("keys", "revoke", name)
    for output in (run("keys", "list"), run("keys", "activity"), run("keys", "list", "--json")):
        assert secret not in output and new["key"].split("_")[2] not in output
    did = json.loads(run("keys", "activity", "--json"))
    assert [row["what"] for row in did] == ["create", "rotate", "revoke"]
    assert run("keys", "list", "--agency", "nobody", "--json").strip() == "[]"


def test_the_tokens_of_a_subject_are_revoked_by_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="need an issuer"):
        run("keys", "revoke", "sub:ana")
    config = Settings(home=tmp_path, oidc_issuer="https://sso.example")
    monkeypatch.setattr(settings, "settings", lambda: config)
    answer = json.loads(run("keys", "revoke", "sub:ana", "--json"))
    assert answer == {"id": subject_id("https://sso.example", "ana"), "revoked": True}
    run("keys", "revoke", "sub:ana")
    stored = (tmp_path / "platform.db").read_bytes()
    assert [row["what"] for row in json.loads(run("keys", "activity", "--json"))] == ["revoke"] * 2
    assert list(revoked_subjects(config.platform_db)) == [answer["id"]] and b"sub:ana" not in stored


@pytest.mark.parametrize("span", ["", "d", "90", "90 d", "-1d", "1y", "9999999d", "٣d"])
def test_a_time_that_is_none_is_refused(run: Run, span: str) -> None:
    terms = ("--agency", "A", "--scope", "outbreak:forecast", "--expires", span)
    with pytest.raises(UsageError):
        run("keys", "create", *terms)


def test_usage_as_table_json_csv_and_chart(run: Run, tmp_path: Path) -> None:
    empty = run("usage")
    assert "asked for most: none" in empty
    writer = Writer(Settings(home=tmp_path).platform_db)
    now = datetime.now(UTC).timestamp()
    for i in range(4):
        caller = Caller("k", "[red]A", "agency", "outbreak@1", ["160101"])
        writer.add(Request(now - 86400 * i, caller, "outbreak:forecast", 200 + 100 * i, 2.0))
    writer.close()
    output = run("usage", "--chart", str(tmp_path / "usage.png"))
    assert "[red]A" in output and "160101 (4)" in output
    assert (tmp_path / "usage.png").read_bytes().startswith(b"\x89PNG")
    lines = run("usage", "--csv").splitlines()
    assert lines[0] == "day,requests,refused,errors,median_ms,p95_ms" and len(lines) == 5
    figures = json.loads(run("usage", "--model", "outbreak", "--json"))
    assert (figures["total"]["requests"], figures["total"]["errors"]) == (4, 1)
    assert json.loads(run("usage", "--agency", "B", "--json"))["days"] == []
    with pytest.raises(UsageError, match="JSON and CSV"):
        run("usage", "--csv", "--json")


def test_a_key_for_trying_out_has_lower_limits_and_a_short_life(run: Run) -> None:
    run("keys", "create", "--agency", "A", "--sandbox")
    run("keys", "create", "--agency", "A", "--sandbox", "--quota", "9/day", "--expires", "90d")
    first, second = json.loads(run("keys", "list", "--json"))
    assert (first["role"], first["quota"], first["rate"]) == ("sandbox", "500/day", "20/min")
    days = [
        (datetime.fromisoformat(row["expires"]) - datetime.fromisoformat(row["created"])).days
        for row in (first, second)
    ]
    assert days == [30, 90] and second["quota"] == "9/day"
    assert set(first["scopes"]) == set(roles.scopes_of("agency"))
    with pytest.raises(UsageError, match="90 days"):
        run("keys", "create", "--agency", "A", "--sandbox", "--expires", "91d")
