"""Sealed originals: for one record, by one key, and never read without a name and a reason."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.database.engine import engine
from yupana.ledger.table import LEDGER
from yupana.privacy import vault

RECORD = "complaints/0001"
TEXT = "Soy Zoila Yupanqui, DNI 43218765 \ud800 😀"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
WHO = {"reader": "os:ana", "reason": "responder a Juan Quispe, DNI 12345678"}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def accesses(settings: Settings) -> list[str]:
    with engine(settings.platform_db).connect() as connection:
        rows = connection.execute(sa.select(LEDGER).where(LEDGER.c.kind == "access")).all()
    return [str(row) for row in rows]


def test_a_sealed_text_comes_back_and_says_nothing(home: Settings) -> None:
    sealed = vault.seal(home, TEXT, RECORD)
    assert b"Zoila" not in sealed and vault.seal(home, TEXT, RECORD) != sealed
    assert vault.unseal(home, sealed, RECORD, **WHO, now=NOW) == TEXT


def test_each_read_is_in_the_ledger_without_the_text_or_a_name(home: Settings) -> None:
    sealed = vault.seal(home, TEXT, RECORD)
    assert accesses(home) == []
    for _ in range(2):
        vault.unseal(home, sealed, RECORD, **WHO, now=NOW)
    told = accesses(home)
    assert len(told) == 2 and all(RECORD in row and "[NOMBRE]" in row for row in told)
    assert not [word for word in ("Zoila", "43218765", "12345678", "os:ana") if word in str(told)]


@pytest.mark.parametrize("absent", ["reader", "reason"])
def test_nobody_reads_for_no_reason(home: Settings, absent: str) -> None:
    sealed = vault.seal(home, TEXT, RECORD)
    with pytest.raises(UsageError, match="for a reason"):
        vault.unseal(home, sealed, RECORD, **{**WHO, absent: " "})
    assert accesses(home) == []


def test_it_opens_for_its_own_record_alone_and_not_when_it_was_changed(home: Settings) -> None:
    sealed = vault.seal(home, TEXT, RECORD)
    with pytest.raises(TerminalError, match="another record"):
        vault.unseal(home, sealed, "complaints/0002", **WHO)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(TerminalError):
            vault.unseal(home, bytes(changed), RECORD, **WHO)
    with pytest.raises(TerminalError, match="no sealed text"):
        vault.unseal(home, b"", RECORD, **WHO)
    assert accesses(home) == []


def test_after_a_rotation_old_and_new_are_read(home: Settings) -> None:
    old = vault.seal(home, TEXT, RECORD)
    name = vault.rotate(home)
    new = vault.seal(home, TEXT, RECORD)
    assert bytes.fromhex(name) in new and bytes.fromhex(name) not in old
    assert {vault.unseal(home, one, RECORD, **WHO) for one in (old, new)} == {TEXT}


def test_without_its_key_nothing_is_read(home: Settings, tmp_path: Path) -> None:
    sealed = vault.seal(home, TEXT, RECORD)
    other = Settings(home=home.home, vault_key=tmp_path / "other" / "vault.key")
    with pytest.raises(TerminalError, match="not there") as error:
        vault.unseal(other, sealed, RECORD, **WHO)
    assert "backup" in error.value.fix


def test_the_key_is_its_owners_alone(home: Settings) -> None:
    vault.seal(home, TEXT, RECORD)
    path = home.home / "keys" / "vault.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and not path.is_relative_to(home.lake)
    path.chmod(0o640)
    with pytest.raises(TerminalError, match="others may read"):
        vault.seal(home, TEXT, RECORD)
    path.chmod(0o600)
    path.write_text(path.read_text()[:-9])
    with pytest.raises(TerminalError, match="cut short"):
        vault.seal(home, TEXT, RECORD)
