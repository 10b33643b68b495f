"""CKAN and DKAN portals: real answers replayed, and the odd forms that portals send."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from replay import File, Site, serving

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.data import sources
from yupana.data.files import landing
from yupana.data.files.landing import SourceFile
from yupana.data.sources import portals

SOON = 0.01
GOLD = "gold-prices-london-1950-2008-monthly-test"
CSV = b"date,price\n1950-01,34.73\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def fetch(lake: Settings, location: str) -> SourceFile:
    return sources.fetch(lake, "gold", location, Silent(), first_wait=SOON)


def resolve(lake: Settings, location: str) -> portals.Resource:
    return portals.resolve(lake, location, first_wait=SOON)


def says(site: Site, replies: dict[str, Callable[[dict[str, str]], Any]]) -> None:
    """Answer each path with what its function makes of the query; None is a 404."""

    def api(target: str) -> tuple[int, bytes] | None:
        parts = urlsplit(target)
        if parts.path not in replies:
            return None
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        reply = replies[parts.path](query)
        missing = json.dumps({"success": False, "error": {"message": "Not found"}}).encode()
        return (404, missing) if reply is None else (200, json.dumps(reply).encode())

    site.api = api


@pytest.fixture
def real(site: Site, shared: Callable[[str], Path]) -> Site:
    """A portal that answers what real ones did, its files on itself."""
    folder = shared("ckan_dkan_api")

    def reply(name: str) -> Any:
        path = folder / name
        if not path.exists():
            return None
        text = path.read_text("utf-8")
        for host in ("http:\\/\\/dkan.7.x-1.x", "https://www.envidat.ch"):
            text = text.replace(host, site.url)
        return json.loads(text)

    def datastore(query: dict[str, str]) -> Any:
        at_end = "_past_end_empty_records" if int(query["offset"]) else "_limit1"
        page = reply(f"dkan7_datastore_search_mas{at_end}.json")
        page["result"]["total"] = "1"
        return page

    show = "ckan_envidat_package_show.json"
    avalanches = "fatal-avalanche-accidents-in-switzerland-since-1936-37"
    says(
        site,
        {
            "/api/3/action/package_list": lambda q: reply("dkan7_package_list.json"),
            "/api/3/action/package_show": lambda q: reply(f"dkan7_package_show__id_{q['id']}.json"),
            "/api/action/datastore/search.json": datastore,
            "/ckan/api/3/action/package_show": lambda q: (
                reply(show) if q["id"] == avalanches else None
            ),
        },
    )
    return site


def test_a_dkan_file_is_found_by_its_package(lake: Settings, real: Site) -> None:
    real.files["/sites/default/files/data_0.csv"] = File(CSV, '"1"')
    location = f"dkan+{real.url}/dataset/{GOLD}#csv"
    raw = landing.land(lake, "gold", fetch(lake, location), format="csv")
    assert Path(raw.path).read_bytes() == CSV
    facts = json.loads((Path(raw.path).parent / "landed.json").read_text("utf-8"))[0]["facts"]
    assert facts["requested"] == location
    assert facts["url"] == f"{real.url}/sites/default/files/data_0.csv"
    assert facts["package"] == "Gold Prices in London 1950-2008 (Monthly) Test"
    assert facts["resource"] == "Table of Gold Prices"
    assert facts["resource_id"] == "5fea3bdb-3138-4867-a7e8-fa1bcc182a7f"
    assert facts["licence"] == "odc-pddl"
    assert facts["modified"] == "2015-05-13T04:56:00"
    assert fetch(lake, location).unchanged_sha256 == raw.sha256


def test_a_ckan_package_with_three_csv_files_asks_which(lake: Settings, real: Site) -> None:
    location = f"ckan+{real.url}/ckan/fatal-avalanche-accidents-in-switzerland-since-1936-37"
    for phrase in ("", "#csv", "#Versión 7"):
        with pytest.raises(TerminalError, match="id or name after the #") as error:
            resolve(lake, location + phrase)
        assert "47e8085b-592d-4580-8d4c-3c832a9c5dee 'Version 2 Fatal" in str(error.value)
    by_id = resolve(lake, f"{location}#47e8085b-592d-4580-8d4c-3c832a9c5dee")
    by_name = resolve(lake, f"{location}#VERSIÓN 2 fatal avalanche accidents in Switzerland *")
    assert by_id.url.endswith(
        "/download/version2_avalanche_accidents_fatal_switzerland_since_1936.csv"
    )
    assert by_id.publisher == "Snow Avalanches and Prevention"
    assert by_id.modified == "2025-12-15T14:57:00"
    assert by_name.id == "47e8085b-592d-4580-8d4c-3c832a9c5dee"


def test_an_unknown_package_names_its_neighbours(lake: Settings, real: Site) -> None:
    with pytest.raises(TerminalError, match="no package 'gold-prices-london'") as error:
        resolve(lake, f"dkan+{real.url}/gold-prices-london")
    assert GOLD in error.value.fix


def test_a_real_dkan_datastore_becomes_csv(lake: Settings, real: Site) -> None:
    table = "5f2b18a8-0883-4769-a635-879c63d3caac"
    fetched = fetch(lake, f"dkan+{real.url}/{GOLD}#datastore:{table}")
    assert fetched.label == f"{real.url}#datastore:{table}"
    header, row = list(csv.reader(fetched.path.open(encoding="utf-8", newline="")))
    assert header[:3] == ["end_of_month", "preliminary", "prime_lending_rate"]
    assert header[-1] == "fc_savings_deposits"
    assert row == [
        "1983-01", "", "9.53", "6.75", "6.80", "7.13", "6.50", "12.67", "12.42", "7.15", "7.30",
        "7.70", "7.21",
    ]  # fmt: skip


SLUG = "vigilancia-epidemiológica-de-dengue"
PACKAGE = {
    "name": SLUG,
    "title": "Vigilancia epidemiológica de dengue",
    "license_title": "Open Data Commons Attribution License",
    "groups": [{"title": "Centro Nacional de Epidemiología"}],
    "resources": [
        {
            "id": "r1",
            "name": "Casos año_2024",
            "format": "csv",
            "url": "/sites/default/files/casos año.csv",
            "last_modified": "Date changed\tMiércoles, 08/02/2023 - 15:41",
        },
        {"id": "r2", "name": "Diccionario", "format": "", "url": "/files/dic.XLSX"},
        {"id": "r3", "name": "Tabla", "format": "api", "url": ""},
        {"id": "r4", "name": "Diccionario", "format": "pdf", "url": "/files/dic.pdf"},
    ],
}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda p: {"success": True, "result": p},
        lambda p: {"success": True, "result": [p]},
        lambda p: [p],
    ],
    ids=["object", "list of one", "body is the list"],
)
def test_every_form_of_a_package(lake: Settings, site: Site, wrap) -> None:
    says(site, {"/api/3/action/package_show": lambda q: wrap(PACKAGE) if q["id"] == SLUG else None})
    site.files["/sites/default/files/casos año.csv"] = File(CSV)
    fetched = fetch(lake, f"dkan+{site.url}/{SLUG}#casos ano 2024")
    assert fetched.path.read_bytes() == CSV
    assert fetched.facts["publisher"] == "Centro Nacional de Epidemiología"
    assert fetched.facts["modified"] == "2023-02-08T15:41:00"
    assert site.asked[0][0].endswith("id=vigilancia-epidemiol%C3%B3gica-de-dengue")


def test_a_resource_by_id_name_pattern_or_format(lake: Settings, site: Site) -> None:
    says(site, {"/api/3/action/package_show": lambda q: {"success": True, "result": [PACKAGE]}})
    at = f"dkan+{site.url}/{SLUG}"
    assert resolve(lake, at).id == "r1"
    assert resolve(lake, f"{at}#r2").format == "xlsx"
    assert resolve(lake, f"{at}#Casos año_*").id == "r1"
    assert resolve(lake, f"{at}#xlsx").id == "r2"
    assert resolve(lake, f"{at}#PDF").id == "r4"
    with pytest.raises(TerminalError, match="2 resources 'Diccionario'"):
        resolve(lake, f"{at}#Diccionario")
    with pytest.raises(TerminalError, match="no resource 'parquet'"):
        resolve(lake, f"{at}#parquet")


@pytest.mark.parametrize("body", [[], [{"x": 1}], {"success": True, "result": []}, ["Not found"]])
def test_no_package_in_any_form(lake: Settings, site: Site, body) -> None:
    says(site, {"/api/3/action/package_show": lambda q: body})
    with pytest.raises(TerminalError, match="no package 'nada'"):
        resolve(lake, f"dkan+{site.url}/nada")


def test_an_api_that_fails_or_is_none(lake: Settings, site: Site) -> None:
    failed = {"success": False, "error": {"message": "Access denied"}}
    says(site, {"/api/3/action/package_show": lambda q: failed})
    with pytest.raises(TerminalError, match="Access denied"):
        resolve(lake, f"ckan+{site.url}/nada")
    site.api = lambda target: (200, b"<html>Mantenimiento</html>")
    with pytest.raises(TerminalError, match="did not answer with JSON"):
        resolve(lake, f"ckan+{site.url}/nada")
    with pytest.raises(UsageError, match="address of a portal"):
        resolve(lake, "ckan+https:nada")


def datastore(site: Site, path: str, total: Any, rows: int, most: int, own: list[str]) -> None:
    """A table of `rows` rows of which a page gives `most`."""
    package = {"success": True, "result": PACKAGE}

    def page(query: dict[str, str]) -> Any:
        start = int(query["offset"])
        end = min(start + int(query["limit"]), start + most, rows)
        fields = [{"id": c} for c in (*own[:1], "semana", "distrito")]
        records = [
            {"semana": str(i), "distrito": f'S. J. "A", {i}', **dict.fromkeys(own, "9")}
            for i in range(start, end)
        ]
        return {"success": True, "result": {"fields": fields, "total": total, "records": records}}

    says(site, {"/api/3/action/package_show": lambda q: package, path: page})


DKAN_OWN = ["feeds_flatstore_entry_id", "timestamp", "feeds_entity_id"]


@pytest.mark.parametrize(
    ("kind", "path", "total", "own"),
    [
        ("dkan", "/api/action/datastore/search.json", "2345", DKAN_OWN),
        ("ckan", "/api/3/action/datastore_search", 2345, ["_id"]),
    ],
)
def test_a_table_without_a_file_is_read_in_pages(
    lake: Settings, site: Site, kind: str, path: str, total: Any, own: list[str]
) -> None:
    datastore(site, path, total, rows=2345, most=500, own=own)
    fetched = fetch(lake, f"{kind}+{site.url}/{SLUG}#Tabla")
    header, *rows = list(csv.reader(fetched.path.open(encoding="utf-8", newline="")))
    assert header == ["semana", "distrito"]
    assert rows == [[str(i), f'S. J. "A", {i}'] for i in range(2345)]
    assert fetched.facts["resource_id"] == "r3"
    assert landing.land(lake, "gold", fetched, format="csv").size > 40_000


def test_a_table_that_comes_short_or_is_not_there(lake: Settings, site: Site) -> None:
    path = "/api/action/datastore/search.json"
    datastore(site, path, "2345", rows=2000, most=1000, own=DKAN_OWN)
    with pytest.raises(TransientError, match="2,000 of 2,345 rows"):
        fetch(lake, f"dkan+{site.url}/{SLUG}#Tabla")
    says(site, {"/api/3/action/package_show": lambda q: {"success": True, "result": PACKAGE}})
    with pytest.raises(TerminalError, match="no table in the portal's datastore"):
        fetch(lake, f"dkan+{site.url}/{SLUG}#datastore:r1")
