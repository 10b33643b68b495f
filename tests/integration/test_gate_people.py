"""Who may author and approve: one person under two accounts, forgotten ones, keys that many use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import governed
import pytest
from candidates import NAME
from governed import BERTA, ME, now

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.database.engine import engine
from yupana.gate import actions, register
from yupana.identity import actors, api_keys, credentials
from yupana.ledger import pseudonyms


@pytest.fixture
def home(tmp_path: Path, own_store: None) -> Settings:
    """Stage service; nothing registered."""
    return governed.home(tmp_path)


def test_the_author_does_not_approve_under_another_account(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = governed.registered(home, tmp_path / "a")
    actions.assess(home, model, now=now(), accounts=(ME,))
    monkeypatch.setenv("USER", "berta")
    monkeypatch.setenv("LOGNAME", "berta")
    assert actors.here()[0] == ME, "the environment makes no other person"
    for accounts in ((ME,), ("key:0123456789ab", ME), ("os:nobody-known",)):
        with pytest.raises(TerminalError, match="is not approved"):
            actions.approve(home, model, "me parece bien", now=now(), accounts=accounts)


def test_a_key_that_approves_is_checked(home: Settings, tmp_path: Path) -> None:
    terms = api_keys.Terms("DIRESA", ("outbreak:*",), "ml-engineer", quota="none", rate="none")
    key = api_keys.create(home.platform_db, terms, now=now(), by="test")
    (tmp_path / "key").write_text(key)
    assert credentials.by_file(home, tmp_path / "key") == f"key:{key.split('_')[1]}"
    (tmp_path / "key").write_text(key[:-1] + ("0" if key[-1] != "0" else "1"))
    with pytest.raises(TerminalError, match="not good"):
        credentials.by_file(home, tmp_path / "key")


@pytest.mark.parametrize(
    "twin",
    [
        {"name": "Rojas Huaman, Ana", "accounts": ["os:other"]},
        {"name": "A. Huamán", "accounts": ["os:other"]},
        {"name": "Someone Else", "accounts": [ME]},
        {"id": "author-1", "name": "Someone Else", "accounts": ["os:other"]},
    ],
)
def test_one_person_under_two_names_is_refused(home: Settings, twin: dict[str, Any]) -> None:
    entry = {"id": "approver-2", "roles": ["approver"], **twin}
    governed.edit(home.root, lambda told: told["people"].append(entry))
    with pytest.raises(TerminalError, match="are one person"):
        register.load(home.root, NAME)


def test_an_author_who_was_forgotten_is_nobody(home: Settings, tmp_path: Path) -> None:
    model = governed.registered(home, tmp_path / "a")
    governed.approved(home, model)
    with engine(home.platform_db).begin() as connection:
        pseudonyms.erase(connection, ME)
    assert "author" in governed.codes(home, model)


def test_an_author_whom_nobody_knows_is_refused(home: Settings, tmp_path: Path) -> None:
    # Such as a scheduler's own user: the register says who answers for what it makes.
    model = governed.registered(home, tmp_path / "a")
    governed.edit(home.root, lambda told: told["people"][0].update(accounts=["os:airflow"]))
    assert "author" in governed.codes(home, model)


def test_what_many_act_by_is_nobodys_word(home: Settings, tmp_path: Path) -> None:
    def shared(register: dict[str, Any]) -> None:
        register["people"][0]["accounts"] = ["os:ana"]
        register["service_accounts"] = [*actors.here()]

    governed.edit(home.root, shared)
    model = governed.registered(home, tmp_path / "a")
    assert {"author", "assessment", "approval"} & set(governed.codes(home, model)) == {
        "assessment", "approval",
    }  # fmt: skip
    actions.assess(home, model, now=now(), accounts=(ME,))
    # Alone it approves nothing, and beside the author, who may have made it, neither.
    for accounts in ((ME,), (ME, "os:ana"), (ME, "os:nobody-known")):
        with pytest.raises(TerminalError, match="is not approved"):
            actions.approve(home, model, "me parece bien", now=now(), accounts=accounts)
    actions.approve(home, model, "revisado", now=now(), accounts=(ME, *BERTA))
    assert governed.codes(home, model) == []
    governed.edit(home.root, lambda told: told["service_accounts"].append("os:berta"))
    with pytest.raises(TerminalError, match="of no person"):
        register.load(home.root, NAME)
