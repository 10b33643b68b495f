"""A signer that is absent is told: by the numbers, `doctor`, `audit verify` and the page."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import yupana as command

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.ledger import entries, signer, signing, unsigned, witness
from yupana.ledger.entries import Entry
from yupana.monitoring.site import record
from yupana.monitoring.site.parts import SiteRequest
from yupana.orchestration import machine
from yupana.serving.context import ServiceContext
from yupana.serving.http import metrics
from yupana.trace import audit

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = timedelta(minutes=16)


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Settings, Settings]:
    """The home of who appends, and that of the signer, of one ledger."""
    url = f"sqlite:///{tmp_path}/platform.db"
    signs = Settings(home=tmp_path / "signer", platform_url=url)
    appends = Settings(home=tmp_path / "home", platform_url=url, sign_ledger=False)
    signing.public_key(signs)
    (appends.home / "keys").mkdir(parents=True)
    shutil.copy(signs.home / "keys" / "ledger.pub", appends.home / "keys")
    return appends, signs


def add(settings: Settings, now: datetime) -> None:
    entries.record(settings, [Entry("access", "x")], now)


def seen(homes: tuple[Settings, Settings]) -> Settings:
    """Who appends, where it can read what the signer left."""
    appends, signs = homes
    return appends.model_copy(update={"ledger_witness": signs.home / "ledger"})


def test_what_is_signed_is_not_told_and_what_is_not_is_since_its_first_event(
    homes: tuple[Settings, Settings],
) -> None:
    reader, signs = seen(homes), homes[1]
    assert not unsigned.tail(reader, START).events, "nothing was recorded"
    add(reader, START)
    signer.sign(signs, START)
    assert not unsigned.tail(reader, START + LATE).events
    for minute in (1, 2):
        add(reader, START + timedelta(minutes=minute))
    tail = unsigned.tail(reader, START + timedelta(minutes=15))
    assert (tail.events, tail.since, tail.overdue) == (2, "2026-03-01T12:01:00.000Z", 14 * 60)
    assert not tail.is_late
    assert unsigned.tail(reader, START + timedelta(minutes=1) + LATE).is_late
    shorter = reader.model_copy(update={"sign_within_minutes": 5})
    assert unsigned.tail(shorter, START + timedelta(minutes=15)).is_late
    signer.sign(signs, START)
    assert not unsigned.tail(reader, START + LATE).events
    assert not unsigned.tail(signs, START + LATE).events, "it signs what it appends"


def test_who_sees_no_checkpoint_waits_for_the_root_of_a_day_that_is_over(
    homes: tuple[Settings, Settings],
) -> None:
    """As a service in the cluster, which mounts nothing of the signer's."""
    appends, signs = homes
    add(appends, START)
    tail = unsigned.tail(appends, START + timedelta(hours=30))
    assert tail.events and not tail.is_late, "its day has no later event"
    morning = START + timedelta(hours=12)
    add(appends, morning)
    assert not unsigned.tail(appends, morning + timedelta(minutes=14)).is_late
    assert unsigned.tail(appends, morning + LATE).is_late
    signer.sign(signs, morning + LATE)
    tail = unsigned.tail(appends, morning + 2 * LATE)
    assert not tail.is_late and tail.since.startswith("2026-03-02"), tail


def test_what_the_signer_did_not_sign_silences_nothing(homes: tuple[Settings, Settings]) -> None:
    reader, signs = seen(homes), homes[1]
    add(reader, START)
    forged = {"type": "checkpoint", "seq": 99, "head": "0" * 64, "time": "x", "signature": "00"}
    for path in witness.files(reader):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(forged) + "\n")
    root = {"type": "root", "day": "2026-03-01", "first": 1, "events": 99, "signature": "00"}
    entries.record(reader, [Entry("root", "2026-03-01", root)], START + timedelta(days=1))
    assert unsigned.tail(reader, START + timedelta(days=1) + LATE).is_late
    assert signs.sign_ledger


def test_doctor_verify_page_and_numbers_tell_it(
    homes: tuple[Settings, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUPANA_SIGN_LEDGER", "false")
    reader, signs = seen(homes), homes[1]
    add(reader, datetime.now(UTC) - 2 * LATE)
    signer.sign(signs, datetime.now(UTC) - 2 * LATE)
    add(reader, datetime.now(UTC) - LATE)
    report = audit.verify(reader, Silent())
    assert report.ok and "events are unsigned since 2" in str(report), report
    more = str(witness.files(signs)[0])
    shown = command(reader, "audit", "verify", "--json", "--witness", more)
    assert shown.code == 0 and json.loads(shown.stdout)["unsigned"]["events"] == 1
    assert [c.ok for c in machine.check(reader) if "signed" in c.what] == [False]
    assert not [c for c in machine.check(signs) if "signed" in c.what]
    assert page(reader).values["v"].unsigned.is_late
    assert numbers(reader)[1] == 1 and 900 < numbers(reader)[0] < 1100
    signer.sign(signs, datetime.now(UTC))
    assert "unsigned" not in str(audit.verify(reader, Silent()))
    assert [c.ok for c in machine.check(reader) if "signed" in c.what] == [True]
    assert not page(reader).values["v"].unsigned.events
    assert numbers(reader) == (0, 0)


def page(settings: Settings) -> record.Page:
    return record.page(SiteRequest(settings, "outbreak", START.date()))


def numbers(settings: Settings) -> tuple[float, float]:
    """Seconds, and whether it is late, as `/metrics` has them."""
    context = ServiceContext.__new__(ServiceContext)
    context.settings = settings
    context._look_at_signer()
    value = metrics.REGISTRY.get_sample_value
    return (
        value("yupana_ledger_unsigned_seconds") or 0.0,
        value("yupana_ledger_signer_late") or 0.0,
    )
