"""Sources that answer page by page or day by day: one release, nothing lost, nothing spliced."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from command import Notices
from many_lake import HEADER, NAME, project, put
from replay import File, Site, answer, serving

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Progress, Silent
from yupana.data import sources
from yupana.data.contracts import contract as contracts
from yupana.data.files import landing
from yupana.data.lake import delta, history
from yupana.orchestration.ingest import ingest

ROWS = [(f"h{n}", n, 'a "quoted"\nname' if n % 2 else "Ana") for n in range(7)]
TODAY = date(2024, 3, 5)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def text(rows: list[tuple[str, int, str]], end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(HEADER.strip().split(","))
    writer.writerows(rows)
    return out.getvalue().encode()


def objects(rows: list[tuple[str, int, str]]) -> list[dict[str, object]]:
    return [dict(zip(HEADER.strip().split(","), row, strict=True)) for row in rows]


def paged(site: Site, make, size: int = 3, cap: int | None = None) -> None:
    """Answer /rows by `$offset` and `$limit`, or by `page`."""

    def api(target: str) -> tuple[int, bytes] | None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
        limit = min(int(query.get("$limit", size)), cap or 99)
        start = int(query.get("$offset", (int(query.get("page", 1)) - 1) * limit))
        return 200, make(ROWS[start : start + limit], start + limit)

    site.api = api


def fetched(lake: Settings, location: str, progress: Progress | None = None) -> Path:
    contract, says = contracts.load(lake.root, NAME), progress or Silent()
    return sources.fetch(lake, NAME, location, says, contract=contract, first_wait=0.01).path


def lake_of(tmp_path: Path, publication: str = "snapshot", **options: object) -> Settings:
    return project(tmp_path, publication, "in.csv", **options)


@pytest.mark.parametrize("query", ["?$order=:id&$limit=3&$offset={offset}", "?page={page}"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_pages_of_csv_are_one_file(tmp_path: Path, site: Site, query: str, end: str) -> None:
    lake = lake_of(tmp_path)
    paged(site, lambda rows, _: text(rows, end))
    content = fetched(lake, f"{site.url}/rows.csv{query}").read_bytes()
    read = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert [tuple(r) for r in read[1:]] == [(h, str(n), who) for h, n, who in ROWS]
    assert len(site.asked) == 4, "an empty page ends it"


def test_a_server_that_gives_fewer_rows_than_asked_loses_none(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path)
    paged(site, lambda rows, _: text(rows), cap=2)
    content = fetched(lake, f"{site.url}/rows.csv?$limit=5&$offset={{offset}}").read_bytes()
    assert content == text(ROWS)


def test_pages_of_json_keep_their_texts(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path, format="json")
    body = '[{"hospital": "a",\n "beds": 1.50, "reporter": "x\\ny"}, {"hospital": "b"}]'
    site.api = lambda target: (200, body.encode() if target.endswith("0") else b"[]")
    content = fetched(lake, f"{site.url}/rows?offset={{offset}}").read_text()
    assert '"beds": 1.50, "reporter": "x\\ny"' in content
    assert json.loads(content) == json.loads(body)


def test_pages_of_json_hold_their_records_where_the_contract_says(
    tmp_path: Path, site: Site
) -> None:
    lake = lake_of(tmp_path, format="json", records="result.records")

    def make(rows: list[tuple[str, int, str]], end: int) -> bytes:
        result = {"fields": [{"id": "hospital"}], "records": objects(rows)}
        return json.dumps({"warnings": [], "result": result}).encode()

    paged(site, make)
    result = ingest(lake, NAME, f"{site.url}/rows?page={{page}}", Silent())
    assert result.metrics["rows"]["published"] == 7


def test_pages_without_a_header_are_all_rows(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path, headerRow=0)
    paged(site, lambda rows, _: text(rows).split(b"\n", 1)[1])
    result = ingest(lake, NAME, f"{site.url}/rows.csv?page={{page}}", Silent())
    assert result.metrics["rows"]["published"] == 7


def test_odata_names_its_next_page(tmp_path: Path, site: Site) -> None:
    lake = project(tmp_path, "snapshot", "https://h/x", format="json", next="@odata.nextLink")

    def make(rows: list[tuple[str, int, str]], end: int) -> bytes:
        page: dict[str, object] = {"@odata.context": "c", "value": objects(rows)}
        if end < len(ROWS):
            # As behind a proxy: another scheme, and no port.
            page["@odata.nextLink"] = f"http://127.0.0.1/odata/Casos?$limit=3&$offset={end}"
        return json.dumps(page).encode()

    paged(site, make)
    address = f"{site.url}/odata/Casos".replace("://", "://ana:secret@")
    result = ingest(lake, NAME, address, Silent())
    assert result.metrics["rows"]["published"] == 7 and len(site.asked) == 3
    assert "secret" not in json.dumps(result.model_dump(), default=str)
    assert all(site.headers("Authorization"))
    assert ingest(lake, NAME, address, Silent()).status == "unchanged"
    rows = delta.read(lake.table("published", NAME))
    assert sorted(rows["hospital"]) == [h for h, _, _ in ROWS]


@pytest.mark.parametrize(
    "there", ["http://elsewhere.example/2", "http://127.0.0.1:1/2", "http://127.0.0.1:99999/2"]
)
def test_a_next_page_elsewhere_is_not_asked(tmp_path: Path, site: Site, there: str) -> None:
    lake = project(tmp_path, "snapshot", "https://h/x", format="json", next="links.next")
    page = {"results": objects(ROWS), "links": {"next": there}}
    site.api = lambda target: (200, json.dumps(page).encode())
    with pytest.raises(TerminalError, match="another server"):
        fetched(lake, f"{site.url}/rows")
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("following", "rows", "why"),
    [
        (lambda n: "/rows?p=2", 0, "this address came before"),
        (lambda n: f"/rows?p={n % 3}", 1, "this address came before"),
        (lambda n: f"/rows?p={n}", 0, "100 pages hold nothing"),
    ],
)
def test_next_pages_that_never_end_are_refused(
    tmp_path: Path, site: Site, following, rows: int, why: str
) -> None:
    lake = project(tmp_path, "snapshot", "https://h/x", format="json", next="next")

    def api(_: str) -> tuple[int, bytes]:
        n = len(site.asked)
        page = {"value": [{"hospital": f"h{n}", "beds": n}] * rows, "next": following(n + 1)}
        return (200, json.dumps(page).encode()) if n < 300 else (410, b"")

    site.api = api
    with pytest.raises(TerminalError, match=f"The pages never end: {why}"):
        fetched(lake, f"{site.url}/rows?p=1")


def test_geojson_pages_stay_geojson(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path, format="json")

    def make(rows: list[tuple[str, int, str]], end: int) -> bytes:
        features = [{"type": "Feature", "properties": p, "geometry": None} for p in objects(rows)]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()

    paged(site, make)
    report = json.loads(fetched(lake, f"{site.url}/rows?page={{page}}").read_text())
    assert [f["properties"] for f in report["features"]] == objects(ROWS)


@pytest.mark.parametrize("query", ["?$limit=3&$offset={offset}", "?page={page}"])
def test_pages_end_with_404_or_are_tried_again(tmp_path: Path, site: Site, query: str) -> None:
    lake, progress = lake_of(tmp_path), Notices()
    paged(site, lambda rows, _: text(rows))
    good = [lambda h: False] * 3
    site.faults = [answer(503), *good, answer(404), answer(404)]
    assert fetched(lake, f"{site.url}/rows{query}", progress).read_bytes() == text(ROWS)
    assert progress.lines == ["3 pages, 7 rows: the next two are not there (404)"]
    assert len({target for target, _ in site.asked}) == 5, "the page after it is asked for"


@pytest.mark.parametrize("status", [404, 410, 403])
@pytest.mark.parametrize("query", ["?$limit=3&$offset={offset}", "?page={page}&day={date}"])
def test_a_page_that_is_missing_in_the_middle_is_not_the_end(
    tmp_path: Path, site: Site, query: str, status: int
) -> None:
    """Nor is it a day without a file."""
    lake = lake_of(tmp_path)
    paged(site, lambda rows, _: text(rows))
    site.faults = [lambda h: False, answer(status)]
    with pytest.raises(TerminalError, match="Rows would be lost"):
        ingest(lake, NAME, f"{site.url}/rows{query}", Silent(), as_of=TODAY, today=TODAY)
    assert not delta.exists(lake.table("published", NAME))


def test_the_end_of_pages_is_told(tmp_path: Path, site: Site) -> None:
    lake, progress = lake_of(tmp_path), Notices()
    paged(site, lambda rows, _: text(rows))
    fetched(lake, f"{site.url}/rows?page={{page}}", progress)
    assert progress.lines == ["3 pages, 7 rows: the next one holds no record"]


def test_an_address_that_gives_the_same_page_for_ever_is_refused(
    tmp_path: Path, site: Site
) -> None:
    lake = lake_of(tmp_path)
    site.api = lambda target: (200, text(ROWS))
    with pytest.raises(TerminalError, match="same page came twice"):
        fetched(lake, f"{site.url}/rows?page={{page}}")


def test_columns_that_change_between_pages_publish_nothing(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path)
    pages = {"1": text(ROWS), "2": b"hospital,camas\nx,1\n"}
    site.api = lambda target: (200, pages[target[-1]])
    with pytest.raises(TransientError, match="columns changed"):
        ingest(lake, NAME, f"{site.url}/rows?page={{page}}", Silent())
    assert not delta.exists(lake.table("published", NAME))
    assert landing.find(lake, NAME, "") is None


def test_days_of_an_address(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path)
    location = f"{site.url}/cases_{{date}}.csv"
    for day in (1, 2, 4):
        site.files[f"/cases_2024-03-0{day}.csv"] = File(text([("a", day, "Ana")]))
    with pytest.raises(UsageError, match="No file is there"):
        ingest(lake, NAME, location, Silent(), today=TODAY)
    site.asked.clear()
    result = ingest(lake, NAME, location, Silent(), since=date(2024, 3, 1), today=TODAY)
    assert result.metrics["files"]["absent_days"] == 2 and len(site.asked) == 5
    versions = history.published_versions(lake.table("published", NAME))
    assert [str(p.known_on) for p in versions] == ["2024-03-01", "2024-03-02", "2024-03-04"]
    site.asked.clear()
    site.files["/cases_2024-03-05.csv"] = File(text([("a", 5, "Ana")]))
    ingest(lake, NAME, location, Silent(), today=TODAY)
    # A day that had no file may have one by now.
    assert [target[-14:] for target, _ in site.asked] == ["2024-03-03.csv", "2024-03-05.csv"]
    # Nothing is due, or the day's file is not out yet: neither is an error.
    assert ingest(lake, NAME, location, Silent(), today=TODAY).status == "unchanged"
    later = ingest(lake, NAME, location, Silent(), today=date(2024, 3, 7))
    assert later.status == "unchanged" and later.metrics["files"]["absent_days"] == 3
    site.files["/cases_2024-03-03.csv"] = File(text([("a", 3, "Ana")]))
    ingest(lake, NAME, location, Silent(), today=TODAY)
    table = lake.table("published", NAME)
    assert [p.known_on.day for p in history.published_versions(table)] == [1, 2, 3, 4, 5]
    assert delta.read(table)["beds"].to_list() == [5], "the newest stays current"


def test_a_day_that_cannot_be_had_now_is_worth_a_retry(tmp_path: Path, site: Site) -> None:
    lake = lake_of(tmp_path).model_copy(update={"http_retries": 0})
    for day in (3, 4, 5):
        site.files[f"/cases_2024-03-0{day}.csv"] = File(text([("a", day, "Ana")]))
    site.faults = [lambda h: False, answer(503)]
    span = {"since": date(2024, 3, 3), "today": TODAY}
    location = f"{site.url}/cases_{{date}}.csv"
    with pytest.raises(TransientError):
        ingest(lake, NAME, location, Silent(), **span)
    ingest(lake, NAME, location, Silent(), today=TODAY)
    versions = history.published_versions(lake.table("published", NAME))
    assert [str(p.known_on) for p in versions] == ["2024-03-03", "2024-03-04", "2024-03-05"]


@pytest.mark.parametrize(
    ("location", "options", "says"),
    [
        ("https://h/x?page={page}&o={offset}", {}, "two places"),
        ("https://h/x?page={page}", {"format": "parquet"}, "pages of parquet"),
        ("https://h/x?page={page}", {"format": "json", "next": "n"}, "another way"),
        ("https://h/x", {"next": "n"}, "another way"),
        ("in.csv", {"next": "n"}, "no address with pages"),
        ("https://h/x", {"format": "json", "next": 3}, "next: 3"),
    ],
)
def test_slips_in_a_contract(
    tmp_path: Path, location: str, options: dict[str, object], says: str
) -> None:
    lake = project(tmp_path, "snapshot", location, **options)
    with pytest.raises(TerminalError, match=says):
        contracts.load(lake.root, NAME)


def test_a_file_is_still_a_file(tmp_path: Path) -> None:
    lake = lake_of(tmp_path)
    assert fetched(lake, str(put(lake, "in {page}.csv", "a,1,Ana"))).name == "in {page}.csv"
