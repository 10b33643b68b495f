"""API keys: what is stored, what is good, and who may hold what."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.core import spec
from yupana.core.errors import TerminalError, UsageError
from yupana.identity import activity, api_keys, keyring, roles
from yupana.identity.api_keys import Terms
from yupana.identity.keyring import Keyring
from yupana.identity.local_key import local_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGENCY = Terms("DIRESA Loreto", ("outbreak:forecast",))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def make(url: str, terms: Terms = AGENCY) -> str:
    return api_keys.create(url, terms, now=NOW, by="test")


def reason(url: str, presented: str, at: datetime = NOW) -> str:
    ring = Keyring(url)
    ring.refresh()
    return ring.check(presented, at.timestamp())[1]


def test_the_secret_is_nowhere_in_the_database(url: str, tmp_path: Path) -> None:
    first = make(url)
    other = api_keys.rotate(url, first.split("_")[1], grace=timedelta(days=1), now=NOW, by="test")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert first.split("_")[1].encode() in stored
    for key in (first, other):
        secret = key.split("_")[2]
        assert secret.encode() not in stored and bytes.fromhex(secret) not in stored


def test_what_is_good_and_what_is_refused(url: str) -> None:
    key = make(url)
    name = key.split("_")[1]
    assert reason(url, key) == ""
    assert reason(url, key[:-1] + ("0" if key[-1] != "0" else "1")) == "wrong"
    assert reason(url, f"yup_{'0' * 12}_{key.split('_')[2]}") == "unknown"
    for junk in ("", "yup_", key.upper(), f"{key} ", f"{key}0", "ñ" * 99, "yup_0_1\x00"):
        assert reason(url, junk) == "unknown", junk
    assert reason(url, key, NOW + timedelta(days=90)) == "expired"
    api_keys.revoke(url, name, now=NOW, by="test")
    assert reason(url, key) == "revoked"


def test_an_old_secret_ends_with_its_grace_and_at_once_with_the_next_rotation(url: str) -> None:
    first = make(url)
    name = first.split("_")[1]
    second = api_keys.rotate(url, name, grace=timedelta(hours=1), now=NOW, by="test")
    assert [reason(url, k) for k in (first, second)] == ["", ""]
    assert reason(url, first, NOW + timedelta(hours=1)) == "wrong"
    third = api_keys.rotate(url, name, grace=timedelta(0), now=NOW, by="test")
    assert [reason(url, k) for k in (first, second, third)] == ["wrong", "wrong", ""]


def test_a_service_reads_the_keys_again_only_when_one_changed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(url)
    read: list[int] = []
    stored = api_keys.stored
    monkeypatch.setattr(api_keys, "stored", lambda url: read.append(1) or stored(url))
    ring = Keyring(url)
    for _ in range(3):
        ring.refresh()
    assert len(read) == 1 and ring.check(key, NOW.timestamp())[1] == ""
    api_keys.revoke(url, key.split("_")[1], now=NOW, by="test")
    ring.refresh()
    assert len(read) == 2 and ring.check(key, NOW.timestamp())[1] == "revoked"


def test_every_key_costs_the_same_hashes_and_comparisons(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(url)
    ring = Keyring(url)
    ring.refresh()
    sizes: list[int] = []
    digest, compare = api_keys.digest, keyring.hmac.compare_digest
    monkeypatch.setattr(api_keys, "digest", lambda s, t: sizes.append(len(t)) or digest(s, t))
    monkeypatch.setattr(
        keyring.hmac, "compare_digest", lambda a, b: sizes.append(len(a + b)) or compare(a, b)
    )
    for presented in (key, f"{key[:-4]}0000", f"yup_{'0' * 12}_{'0' * 64}"):
        sizes.clear()
        ring.check(presented, NOW.timestamp())
        assert sizes == [64, 64, 64, 64], presented


def test_time_does_not_tell_a_good_key_from_a_bad_one(url: str) -> None:
    """In the check itself: over HTTP a busy machine is louder than the difference."""
    good, ended = make(url), make(url)
    api_keys.revoke(url, ended.split("_")[1], now=NOW, by="test")
    ring, at = Keyring(url), NOW.timestamp()
    ring.refresh()
    guesses = {
        "good": good, "revoked": ended, "wrong": f"{good[:-4]}0000",
        "unknown": f"yup_{'0' * 12}_{'0' * 64}",
    }  # fmt: skip
    spent: dict[str, list[int]] = {name: [] for name in guesses}
    for _ in range(3000):
        # In turns, so that whatever else the machine does slows all of them.
        for name, presented in guesses.items():
            start = time.perf_counter_ns()
            ring.check(presented, at)
            spent[name].append(time.perf_counter_ns() - start)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    assert max(medians.values()) < 1.5 * min(medians.values()), medians


def test_changes_are_logged_and_a_key_is_changed_once(url: str) -> None:
    key = make(url)
    name = key.split("_")[1]
    api_keys.rotate(url, name, grace=timedelta(0), now=NOW, by="ana")
    api_keys.revoke(url, name, now=NOW, by="luis")
    logged = activity.listing(url, NOW)
    assert [(r["what"], r["by"]) for r in logged] == [
        ("create", "test"), ("rotate", "ana"), ("revoke", "luis"),
    ]  # fmt: skip
    assert all(r["key_id"] == name and r["agency"] == "DIRESA Loreto" for r in logged)
    for change in (
        lambda: api_keys.revoke(url, name, now=NOW, by="x"),
        lambda: api_keys.rotate(url, name, grace=timedelta(0), now=NOW, by="x"),
        lambda: api_keys.revoke(url, "nobody", now=NOW, by="x"),
    ):
        with pytest.raises(UsageError, match="no living key"):
            change()
    assert len(activity.listing(url, NOW)) == 3


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (Terms("A", ("outbreak",)), "not a scope"),
        (Terms("A", ()), "needs a scope"),
        (Terms("A", ("outbreak:forecast",), role="auditor"), "cannot have"),
        (Terms("A", ("outbreak:forecast",), role="king"), "no role"),
        (Terms("", ("outbreak:forecast",)), "name of an agency"),
        (Terms("a\x1b[31m", ("outbreak:forecast",)), "name of an agency"),
        (Terms("A", ("outbreak:forecast",), expires=timedelta(days=400)), "a year"),
        (Terms("A", ("outbreak:forecast",), expires=timedelta(0)), "a year"),
        (Terms("A", ("outbreak:forecast",), quota="many"), "not a limit"),
        (Terms("A", ("outbreak:forecast",), rate="0/min"), "not a limit"),
    ],
)
def test_a_key_that_cannot_be_is_refused(url: str, terms: Terms, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make(url, terms)
    assert api_keys.listing(url) == []


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/outbreak/forecast", "outbreak:forecast"),
        ("/v1/outbreak/explain/0a1b", "outbreak:explain"),
        ("/v1/feedback/0a1b", "feedback:write"),
        ("/v1/models", "models:read"),
        ("/v1/outbreak", roles.ADMINISTRATION),
        ("//v1/outbreak/forecast", roles.ADMINISTRATION),
        ("/V1/outbreak/forecast", roles.ADMINISTRATION),
        ("/v1/../outbreak/forecast", roles.ADMINISTRATION),
        (f"/v1/outbreak/{'f' * 500}", roles.ADMINISTRATION),
        ("/v1/outbreak/fore\x00cast", roles.ADMINISTRATION),
        ("/predict", roles.ADMINISTRATION),
    ],
)
def test_the_scope_of_an_address(path: str, scope: str) -> None:
    assert roles.scope_of(path) == scope


def test_a_wide_scope_does_not_widen_a_role() -> None:
    assert roles.opens("agency", ("outbreak:*",), "outbreak:forecast")
    assert not roles.opens("agency", ("outbreak:*",), "cholera:forecast")
    assert not roles.opens("auditor", ("*:*",), "outbreak:forecast")
    assert not roles.opens("ml-engineer", ("*:*",), roles.ADMINISTRATION)
    assert roles.opens("administrator", ("*:*",), roles.ADMINISTRATION)
    assert not roles.opens("administrator", ("outbreak:forecast",), "outbreak:alerts")


def test_a_role_may_what_the_spec_of_a_use_case_says() -> None:
    for role in ("agency", "auditor", "data-engineer", "ml-engineer"):
        for action, may in spec.load("outbreak").actions.items():
            assert roles.opens(role, ("*:*",), f"outbreak:{action}") is (role in may)


def test_an_agency_reads_its_own_predictions_and_auditors_read_all() -> None:
    for role, own, others in (
        ("agency", True, False), ("data-engineer", True, False), ("auditor", True, True),
        ("ml-engineer", True, True), ("administrator", True, True),
    ):  # fmt: skip
        assert roles.may_read(role, "A", "A") is own, role
        assert roles.may_read(role, "A", "B") is others, role
        assert roles.may_read(role, "A", "") is others, "made without keys"
    assert not roles.may_read("agency", "A", "a"), "names are what they are, to the letter"
    assert roles.may_read("", "", "") and not roles.may_read("", "", "A"), "keys switched off"


def test_the_page_on_security_tells_the_roles_as_they_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    for name, role in roles.ROLES.items():
        scopes = ", ".join(f"`{scope}`" for scope in role.common)
        assert f"| {name} | {role.may} | {scopes} |" in page


def test_the_local_key_is_the_owners_alone_and_made_anew_when_it_is_not_good(
    url: str, tmp_path: Path
) -> None:
    key = local_key(url, tmp_path)
    path = tmp_path / "keys" / "service.key"
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_text().strip() == key
    assert local_key(url, tmp_path) == key
    api_keys.revoke(url, key.split("_")[1], now=datetime.now(UTC), by="test")
    assert local_key(url, tmp_path) != key
    path.chmod(0o644)
    with pytest.raises(TerminalError, match="Others may read"):
        local_key(url, tmp_path)
