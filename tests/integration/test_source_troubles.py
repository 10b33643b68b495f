"""Sources that fail: worth a later try or final, without end or measure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from replay import File, Site, answer, first, serving
from source_files import OLD, fetch, leftovers, vast

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def test_outside_trouble_passes(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD)
    site.faults = [answer(503), answer(429, Retry_After="1")]
    start = time.monotonic()
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == OLD
    assert 1.0 <= time.monotonic() - start < 5
    assert len(site.asked) == 3


def test_outside_trouble_that_lasts_is_worth_a_later_try(lake: Settings, site: Site) -> None:
    site.faults = [answer(503)] * 9
    with pytest.raises(TransientError, match="503") as error:
        fetch(lake, f"{site.url}/a.csv")
    assert len(site.asked) == lake.http_retries + 1
    assert f"{site.url}/a.csv" in str(error.value)
    site.faults = [answer(503, Retry_After="86400")]
    with pytest.raises(TransientError, match="86,400 seconds"):
        fetch(lake, f"{site.url}/a.csv")
    assert len(site.asked) == lake.http_retries + 2


def test_nobody_there_is_worth_a_later_try(lake: Settings) -> None:
    with serving() as absent:
        url = absent.url
    with pytest.raises(TransientError, match="ConnectError"):
        fetch(lake, f"{url}/a.csv")


def test_silence_is_worth_a_later_try(tmp_path: Path, site: Site) -> None:
    lake = Settings(home=tmp_path, http_timeout=0.2, http_retries=1)
    site.faults = [first(lambda s: time.sleep(0.6))] * 2
    with pytest.raises(TransientError, match="ReadTimeout"):
        fetch(lake, f"{site.url}/a.csv")


@pytest.mark.parametrize(
    ("status", "says"), [(404, "has moved"), (418, "YUPANA_USER_AGENT"), (403, "firewall")]
)
def test_a_refusal_is_final_and_names_the_mend(
    lake: Settings, site: Site, status: int, says: str
) -> None:
    site.faults = [answer(status)]
    with pytest.raises(TerminalError, match=says) as error:
        fetch(lake, f"{site.url}/a.csv")
    assert str(status) in error.value.what
    assert len(site.asked) == 1


def test_a_firewall_lets_a_browser_through(lake: Settings, site: Site) -> None:
    def firewall(handler) -> bool:
        if handler.headers.get("User-Agent", "").startswith("Mozilla/"):
            return False
        handler.reply(418, b"posible ataque")
        return True

    site.files["/a.csv"] = File(OLD)
    site.faults = [firewall, firewall]
    with pytest.raises(TerminalError, match="418"):
        fetch(Settings(home=lake.home, user_agent="python"), f"{site.url}/a.csv")
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == OLD


def endless(handler) -> bool:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(OLD), 50_000):
        block = OLD[start : start + 50_000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
    handler.wfile.write(b"0\r\n\r\n")
    return True




@pytest.mark.parametrize("fault", [endless, vast], ids=["by its bytes", "by its header"])
def test_a_download_has_a_limit(tmp_path: Path, site: Site, fault) -> None:
    lake = Settings(home=tmp_path, max_download=1_000_000)
    site.faults = [fault]
    with pytest.raises(TerminalError, match="more than 1,000,000 bytes") as error:
        fetch(lake, f"{site.url}/a.csv")
    assert "YUPANA_MAX_DOWNLOAD" in str(error.value)
    assert leftovers(lake) == []
