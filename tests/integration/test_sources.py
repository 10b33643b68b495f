"""Sources over HTTP: whole, never spliced, asked for once, and honest about what went wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from replay import File, Site, answer, drop_after, serving
from source_files import NAME, OLD, fetch, leftovers, vast

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.core.types import RawObject
from yupana.data import draft, sources
from yupana.data.files import landing
from yupana.data.files.landing import SourceFile
from yupana.data.sources import download

NEW = OLD.replace(b"7", b"8")
DAYS = "Wed, 08 Feb 2023 15:41:00 GMT", "Thu, 09 Feb 2023 15:41:00 GMT"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def land(lake: Settings, fetched: SourceFile, format: str = "csv") -> RawObject:
    return landing.land(lake, NAME, fetched, format=format)


def records(raw: RawObject) -> list[dict]:
    return json.loads((Path(raw.path).parent / "landed.json").read_text("utf-8"))


def test_a_download_lands_with_where_and_when(lake: Settings, site: Site) -> None:
    site.files["/datos/casos 2024 año.csv"] = File(
        OLD, '"v1"', DAYS[0], {"Content-Type": "text/csv"}
    )
    raw = land(lake, fetch(lake, f"{site.url}/datos/casos 2024 año.csv"))
    assert Path(raw.path).read_bytes() == OLD
    assert raw.sha256 == hashlib.sha256(OLD).hexdigest()
    assert raw.source == f"{site.url}/datos/casos%202024%20a%C3%B1o.csv"
    facts = records(raw)[0]["facts"]
    assert facts["status"] == 200
    assert facts["headers"]["etag"] == '"v1"'
    assert facts["headers"]["content-type"] == "text/csv"
    assert leftovers(lake) == []
    assert site.headers("User-Agent") == [lake.user_agent]


def test_a_broken_connection_goes_on_where_it_stopped(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, '"v1"')
    site.faults = [drop_after(700_000), drop_after(500_000)]
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == OLD
    assert site.headers("Range") == ["", "bytes=700000-", "bytes=1200000-"]
    assert site.headers("If-Range") == ["", '"v1"', '"v1"']


def test_the_version_is_known_though_the_rest_did_not_say_it(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, '"v1"')
    span = f"bytes 700000-{len(OLD) - 1}/{len(OLD)}"
    site.faults = [drop_after(700_000), answer(206, OLD[700_000:], Content_Range=span)]
    raw = land(lake, fetch(lake, f"{site.url}/a.csv"))
    assert fetch(lake, f"{site.url}/a.csv").unchanged_sha256 == raw.sha256


def test_a_rest_that_comes_in_pieces_is_put_together(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, '"v1"')
    span = f"bytes 700000-799999/{len(OLD)}"
    piece = answer(206, OLD[700_000:800_000], ETag='"v1"', Content_Range=span)
    site.faults = [drop_after(700_000), piece]
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == OLD
    assert site.headers("Range") == ["", "bytes=700000-", "bytes=800000-"]


def test_long_downloads_say_how_far_they_are(lake: Settings, site: Site, monkeypatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(download, "_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(Silent, "say", lambda self, message: lines.append(message))
    site.files["/a.csv"] = File(OLD * 3)
    fetch(lake, f"{site.url}/a.csv")
    assert lines[-1].startswith(f"downloaded {len(OLD) * 3 / 1e6:,.0f} of ")
    assert "(100%)" in lines[-1]


def test_without_a_validator_it_starts_again(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, 'W/"weak"')
    site.faults = [drop_after(700_000)]
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == OLD
    assert site.headers("Range") == ["", ""]


def _fetch_slowly(home: Path, url: str) -> None:
    sources.fetch(Settings(home=home), NAME, url, Silent())


def test_a_killed_process_is_gone_on_from(lake: Settings, site: Site) -> None:
    body = OLD * 3

    def crawl(handler) -> bool:
        handler.send_response(200)
        handler.send_header("ETag", '"v1"')
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:4_000_000])
        time.sleep(20)
        return True

    site.files["/a.csv"] = File(body, '"v1"')
    site.faults = [crawl]
    url = f"{site.url}/a.csv"
    child = multiprocessing.get_context("spawn").Process(
        target=_fetch_slowly, args=(lake.home, url)
    )
    child.start()
    end = time.monotonic() + 30
    while not any(p.stat().st_size for p in lake.home.rglob("*.part")):
        assert time.monotonic() < end, "nothing was downloaded"
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    (part,) = lake.home.rglob("*.part")
    came = part.stat().st_size
    assert fetch(lake, url).path.read_bytes() == body
    assert site.headers("Range") == ["", f"bytes={came}-"]


REST = {"Content_Range": f"bytes 700000-{len(NEW) - 1}/{len(NEW)}", "ETag": '"9"'}
MIDWAY = {
    "another etag": (File(OLD, '"1"'), File(NEW, '"2"'), []),
    "another date": (File(OLD, "", DAYS[0]), File(NEW, "", DAYS[1]), []),
    "another size": (File(OLD, "", DAYS[0]), File(NEW + b"1,2\n", "", DAYS[0]), []),
    "shorter than what came": (File(OLD, '"1"'), File(b"a,b\n", '"1"'), [answer(416)]),
    "a server without ranges": (File(OLD, '"1"'), File(NEW, '"1"'), [answer(200, NEW)]),
    "the rest of another": (
        File(OLD, '"1"'),
        File(NEW, '"9"'),
        [answer(206, NEW[700_000:], **REST)],
    ),
}


@pytest.mark.parametrize("case", MIDWAY)
def test_a_file_that_changes_midway_is_never_spliced(lake: Settings, site: Site, case: str) -> None:
    before, after, faults = MIDWAY[case]
    site.files["/a.csv"] = before

    def drop_and_change(handler) -> bool:
        drop_after(700_000)(handler)
        site.files["/a.csv"] = after
        return True

    site.faults = [drop_and_change, *faults]
    assert fetch(lake, f"{site.url}/a.csv").path.read_bytes() == after.body
    assert site.headers("Range")[1] == "bytes=700000-"


def test_an_unchanged_source_is_not_downloaded_again(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, '"v1"')
    url = f"{site.url}/a.csv"
    raw = land(lake, fetch(lake, url))
    again = fetch(lake, url)
    assert site.headers("If-None-Match") == ["", '"v1"']
    assert again.facts["status"] == 304
    assert again.unchanged_sha256 == raw.sha256
    assert land(lake, again) == raw
    assert len(records(raw)) == 1


def test_a_server_that_knows_no_conditions_is_heard_out_early(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, "", DAYS[0])
    url = f"{site.url}/a.csv"
    raw = land(lake, fetch(lake, url))
    site.faults = [answer(200, OLD, Last_Modified=DAYS[0])]
    assert fetch(lake, url).unchanged_sha256 == raw.sha256
    site.faults = [answer(200, OLD + b"1,2\n", Last_Modified=DAYS[0])]
    assert fetch(lake, url).unchanged_sha256 is None


def test_a_new_version_lands_beside_the_old_and_a_return_is_noted(
    lake: Settings, site: Site
) -> None:
    url = f"{site.url}/a.csv"
    landed = []
    for tag, body in (("1", OLD), ("2", NEW), ("3", OLD)):
        site.files["/a.csv"] = File(body, f'"{tag}"')
        landed.append(land(lake, fetch(lake, url)))
    assert landed[0] == landed[2] != landed[1]
    assert [r["facts"]["headers"]["etag"] for r in records(landed[0])] == ['"1"', '"3"']
    assert fetch(lake, url).unchanged_sha256 == landed[0].sha256
    assert landing.find(lake, NAME, landed[1].sha256) == landed[1]
    assert landing.find(lake, NAME, "0" * 64) is None


def test_a_download_that_never_landed_is_used(lake: Settings, site: Site) -> None:
    site.files["/a.csv"] = File(OLD, '"v1"')
    fetch(lake, f"{site.url}/a.csv")
    again = fetch(lake, f"{site.url}/a.csv")
    assert again.facts["status"] == 304
    assert again.unchanged_sha256 is None
    assert Path(land(lake, again).path).read_bytes() == OLD


def test_a_page_instead_of_data_is_refused_and_not_kept(lake: Settings, site: Site) -> None:
    page = b"\xef\xbb\xbf\n <!DOCTYPE HTML><html><title>Mantenimiento</title></html>"
    site.files["/a.csv"] = File(page, '"v1"')
    with pytest.raises(TerminalError, match="HTML page came instead of the data") as error:
        land(lake, fetch(lake, f"{site.url}/a.csv"))
    assert "Mantenimiento" in str(error.value)
    site.files["/a.csv"] = File(OLD, '"v1"')
    assert Path(land(lake, fetch(lake, f"{site.url}/a.csv")).path).read_bytes() == OLD
    site.files["/page.html"] = File(page)
    assert land(lake, fetch(lake, f"{site.url}/page.html"), "object").size == len(page)


def test_credentials_are_used_and_never_told(lake: Settings, site: Site, caplog) -> None:
    caplog.set_level("DEBUG")
    site.files["/a.csv"] = File(OLD)
    url = site.url.replace("//", "//ana:s3cr%40t@") + "/a.csv?token=hushhush&year=2024"
    raw = land(lake, fetch(lake, url))
    login = base64.b64encode(b"ana:s3cr@t").decode()
    assert site.headers("Authorization") == [f"Basic {login}"]
    assert site.asked[0][0] == "/a.csv?token=hushhush&year=2024"
    text = json.dumps(records(raw)) + raw.model_dump_json()
    site.faults = [answer(404), *[answer(503)] * 9]
    for _ in range(2):
        with pytest.raises((TerminalError, TransientError)) as error:
            fetch(lake, url)
        text += str(error.value)
    logged = "".join(r.getMessage() for r in caplog.records if r.name != "httpcore.http11")
    for secret in ("ana", "s3cr", "hushhush"):
        assert secret not in text
        assert secret not in logged
    assert "year=2024" in text


def test_a_draft_holds_no_log_in(lake: Settings, site: Site) -> None:
    site.files["/cases.csv"] = File(b"hospital,beds\na,1\nb,2\n")
    address = f"{site.url}/cases.csv?api_key=K3y&year=2024".replace("//", "//ana:s3cret@")
    contract_draft = draft.draft(lake, address, "beds", Silent(), today=date(2024, 6, 1))
    assert f'location: "{site.url}/cases.csv?year=2024"' in contract_draft.text
    assert (
        "s3cret" not in contract_draft.text
        and "K3y" not in contract_draft.text
        and "ana:" not in contract_draft.text
    )
    (question,) = (q for q in contract_draft.questions if "log-in" in q)
    assert "--source" in question and f"# ask: {question}" in contract_draft.text


def test_a_file_name_is_made_safe(lake: Settings, site: Site) -> None:
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''..%2F..%2Fca%C3%B1a%5B1%5D.csv"}
    site.files["/download"] = File(OLD, headers=headers)
    assert Path(land(lake, fetch(lake, f"{site.url}/download?id=7")).path).name == "cana_1_.csv"


def test_a_full_disk_says_how_much_it_needs(lake: Settings, site: Site) -> None:
    site.faults = [vast]
    big = Settings(home=lake.home, max_download=1 << 60)
    with pytest.raises(TransientError, match=r"4,503,599,627\.4 MB are needed") as error:
        fetch(big, f"{site.url}/a.csv")
    assert str(lake.home / "landing" / NAME) in error.value.where
