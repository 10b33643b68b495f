"""Tables and files of a home, tampered with at random: each change is found and named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import late_lake
import polars as pl
import pyarrow as pa
import pytest
import used_home
from deltalake import DeltaTable, write_deltalake

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data.files import landing
from yupana.data.files.landing import SourceFile
from yupana.data.lake import delta, maintenance
from yupana.features import store
from yupana.lineage import contents, events, sole_writer
from yupana.trace import audit, provenance

TIMES = 120


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home after ordinary work: publications, features, forecasts of days, upkeep, reports."""
    settings = late_lake.make(tmp_path_factory.mktemp("used"), 3, late_lake.true_counts(140))
    frame = pl.DataFrame({"ubigeo": ["160101"], "cases": [3.0]})
    for _ in range(2):
        ref = store.write_table(settings, "weekly", frame, ())
        events.append(settings, "features", "x", status="done", outputs=(ref.ref,))
    for week in range(10):
        origin = str(late_lake.FIRST + timedelta(weeks=week))
        rows = pa.table({"origin": [origin], "cases": [week]})
        sole_writer.put_back(settings, "forecasts/x")
        ref = delta.replace(settings.lake, "forecasts", "x", rows, f"origin = '{origin}'", ())
        report = settings.reports / "x" / f"watch-{week}.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(f'{{"week": {week}}}')
        events.append(settings, "x", "x", status="done", outputs=(ref.ref,), files=(report,))
    table = settings.table("forecasts", "x")
    assert maintenance.compact(table, dry_run=False).files
    ref = f"delta:forecasts/x@{delta.version_of(table)}"
    events.append(settings, "compact", "forecasts/x", status="done", outputs=(ref,))
    site = settings.reports / "site"
    site.mkdir()
    for name in ("index", "deriva"):
        (site / f"{name}.html").write_text(name)
    events.append(settings, "report", "x", status="done", files=(site,))
    return settings


def _flip(path: Path, rng: Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(7)
    stat = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _cut(path: Path, rng: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def _remove(path: Path, rng: Random) -> None:
    path.unlink()


def _swap(path: Path, rng: Random) -> None:
    others = [p for p in path.parent.glob(f"*{path.suffix}")
              if p != path and p.read_bytes() != path.read_bytes()]  # fmt: skip
    path.write_bytes(rng.choice(others).read_bytes() if others else b"{}")


EDITS: tuple[Callable[[Path, Random], None], ...] = (_flip, _cut, _remove, _swap)


def _places(settings: Settings) -> list[Path]:
    """Every file of the newest versions, the commits that they are, and every report."""
    places: list[Path] = []
    for zone, name in maintenance.tables(settings):
        table = DeltaTable(str(settings.table(zone, name)))
        places += [Path(uri) for uri in table.file_uris()]
        places.append(settings.table(zone, name) / "_delta_log" / f"{table.version():020}.json")
    return places + [path for path in settings.reports.rglob("*") if path.is_file()]


def test_every_change_is_found_and_named(used: Settings) -> None:
    assert not [*contents.faults(used)], "ordinary work raises no alarm"
    rng, places = Random(5), sorted(_places(used))
    for turn in range(TIMES):
        path, edit = rng.choice(places), rng.choice(EDITS)
        backup = used.home.parent / "backup"
        shutil.copy2(path, backup)
        edit(path, rng)
        where = [contents._place(used, fault.place) for fault in contents.faults(used)]
        assert any(path.is_relative_to(place) for place in where), (turn, edit, path)
        shutil.copy2(backup, path)
        assert not [*contents.faults(used)], (turn, edit, path)


def test_a_landed_file_is_compared_with_its_address(tmp_path: Path) -> None:
    settings, source = used_home.make(tmp_path), tmp_path / "cases.csv"
    source.write_text("ubigeo,cases\n160101,3\n")
    raw = landing.land(settings, "cases", SourceFile(source, "cases.csv"), format="csv")
    assert audit.verify(settings, Silent()).ok
    Path(raw.path).write_text("ubigeo,cases\n160101,9\n")
    (fault,) = audit.verify(settings, Silent()).faults
    assert (fault.what, fault.place) == ("changed", f"raw:{raw.sha256}")
    source_of_a_trace = provenance.Station("source", f"raw:{raw.sha256}", {})
    assert provenance.faults(settings, [source_of_a_trace]) == [fault]


def test_rows_from_elsewhere_and_earlier_states_are_found(used: Settings) -> None:
    table = used.table("forecasts", "x")
    shutil.copytree(table, used.home.parent / "whole")
    newest = f"delta:forecasts/x@{delta.version_of(table)}"
    last = table / "_delta_log" / f"{delta.version_of(table):020}.json"

    def add() -> None:
        write_deltalake(str(table), pa.table({"origin": ["z"], "cases": [300]}), mode="append")

    def delete() -> None:
        DeltaTable(str(table)).delete("cases = 3")

    for tamper, kind in (
        (add, "unvouched"), (delete, "unvouched"), (last.unlink, "missing"),
        (lambda: shutil.rmtree(table), "missing"),
    ):  # fmt: skip
        tamper()
        (fault,) = contents.faults(used)
        assert fault.what == kind and fault.place.startswith("delta:forecasts/x@")
        assert kind != "missing" or fault.place == newest
        shutil.rmtree(table, ignore_errors=True)
        shutil.copytree(used.home.parent / "whole", table)
        assert not [*contents.faults(used)]
    stranger = used.table("published", "stranger")
    write_deltalake(str(stranger), pa.table({"a": [1]}))
    assert [str(fault) for fault in contents.faults(used)] == [
        "unvouched: delta:published/stranger@0: is vouched for by no step"
    ]
