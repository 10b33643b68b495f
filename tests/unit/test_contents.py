"""What a step leaves is compared with the hash in its event: tables, files, folders of files."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from yupana.config.settings import Settings
from yupana.core.errors import ContentError
from yupana.data.lake import delta, maintenance
from yupana.lineage import contents, events, steps
from yupana.trace import provenance
from yupana.trace.provenance import Station

ZONE, NAME = "forecasts", "outbreak"


def write(lake: Settings, cases: list[int], origin: str = "2020-06-06") -> str:
    """An origin's rows in place of earlier ones, as `yupana predict` writes them."""
    rows = pa.table({"origin": [origin] * len(cases), "cases": cases})
    return delta.replace(lake.lake, ZONE, NAME, rows, f"origin = '{origin}'", ()).ref


def step(lake: Settings, ref: str, *files: Path) -> None:
    events.append(lake, "forecast", NAME, status="done", outputs=(ref,), files=files)


def data_file(lake: Settings, version: int | None = None) -> Path:
    table = DeltaTable(str(lake.table(ZONE, NAME)), version=version)
    return Path(sorted(table.file_uris())[0])


def kinds(lake: Settings) -> dict[str, str]:
    return {fault.place: fault.what for fault in contents.faults(lake)}


def edit(path: Path) -> None:
    """Other bytes of the same length, with the modification time of before."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_what_is_as_its_step_left_it_passes(lake: Settings) -> None:
    page = lake.reports / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text("3 casos")
    step(lake, ref := write(lake, [3, 4]), page)
    contents.demand(lake, ref)
    assert contents.read(lake, page) == b"3 casos"
    assert kinds(lake) == {}


def test_a_rewritten_file_of_a_table_is_refused(lake: Settings) -> None:
    step(lake, ref := write(lake, [3, 4]))
    contents.demand(lake, ref)
    edit(data_file(lake))
    with pytest.raises(ContentError, match="not as the step of event"):
        contents.demand(lake, ref)
    assert kinds(lake) == {ref: "changed"}
    data_file(lake).unlink()
    assert kinds(lake) == {ref: "missing"}


def test_a_version_beside_the_steps_is_refused_and_never_vouched_for(lake: Settings) -> None:
    step(lake, write(lake, [3, 4]))
    table = str(lake.table(ZONE, NAME))
    write_deltalake(table, pa.table({"origin": ["x"], "cases": [300]}), mode="overwrite")
    assert kinds(lake) == {f"delta:{ZONE}/{NAME}@1": "unvouched"}
    with pytest.raises(ContentError, match="vouched for by no step"):
        contents.demand(lake, f"delta:{ZONE}/{NAME}@1")


def test_who_adds_to_a_changed_table_does_not_vouch_for_it(lake: Settings) -> None:
    step(lake, write(lake, [3, 4]))
    edit(data_file(lake))
    added = write(lake, [5], origin="2020-06-13")
    with pytest.raises(ContentError, match="changed beside its steps"):
        step(lake, added)
    assert kinds(lake) == {added: "unvouched"}


def test_a_table_that_was_put_back_to_an_earlier_version_is_missed(lake: Settings) -> None:
    earlier, newest = write(lake, [3]), ""
    step(lake, earlier)
    step(lake, newest := write(lake, [4]))
    contents.demand(lake, newest, newest=True)
    (lake.table(ZONE, NAME) / "_delta_log" / f"{1:020}.json").unlink()
    assert kinds(lake) == {newest: "missing"}
    contents.demand(lake, earlier)
    with pytest.raises(ContentError, match="@1 is not there any more"):
        contents.demand(lake, earlier, newest=True)


def test_a_table_that_was_moved_away_begins_anew(lake: Settings) -> None:
    for cases in ([3], [4], [5]):
        step(lake, write(lake, cases))
    table = lake.table(ZONE, NAME)
    table.rename(table.with_name("old"))
    (table.with_name("old") / "_delta_log").rename(lake.home / "log")
    assert kinds(lake) == {f"delta:{ZONE}/{NAME}@2": "missing"}
    for cases in ([6], [7]):
        step(lake, write(lake, cases))
        assert kinds(lake) == {}


def test_a_trace_says_which_table_was_changed(lake: Settings) -> None:
    step(lake, ref := write(lake, [3, 4]))
    stations = [Station("data", ref, {}), Station("source", "raw:ab", {})]
    assert provenance.faults(lake, stations) == []
    edit(data_file(lake))
    assert [fault.what for fault in provenance.faults(lake, stations)] == ["changed"]


def test_a_file_elsewhere_may_be_removed_but_not_changed(lake: Settings, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("ok")
    events.append(lake, "report", NAME, status="done", files=(page,))
    page.write_text("other")
    assert kinds(lake) == {f"file:{page}": "changed"}
    page.unlink()
    assert kinds(lake) == {}


def test_compaction_is_vouched_for_by_its_own_event(lake: Settings) -> None:
    for month in range(9):
        step(lake, write(lake, [month], origin=f"2020-0{month + 1}-01"))
    table = lake.table(ZONE, NAME)
    assert maintenance.compact(table, dry_run=False).files
    ref = f"delta:{ZONE}/{NAME}@{delta.version_of(table)}"
    assert kinds(lake) == {ref: "unvouched"}
    events.append(lake, "compact", f"{ZONE}/{NAME}", status="done", outputs=(ref,))
    assert kinds(lake) == {}


def test_a_step_is_done_again_when_what_it_left_was_changed(lake: Settings) -> None:
    page = lake.reports / "page.html"
    page.parent.mkdir(parents=True)

    def work() -> steps.Outcome:
        page.write_text("3 casos")
        return steps.Outcome(("report:page",), files=(page,))

    assert steps.run(lake, "make", "x", work).status == "done"
    assert steps.run(lake, "make", "x", work).status == "unchanged"
    page.write_text("300 casos")
    with pytest.raises(ContentError):
        contents.read(lake, page)
    assert kinds(lake) == {"file:reports/page.html": "changed"}
    assert steps.run(lake, "make", "x", work).status == "done"
    assert contents.read(lake, page) == b"3 casos"


def test_a_folder_is_vouched_for_with_all_that_is_in_it(lake: Settings) -> None:
    site = lake.reports / "site"
    site.mkdir(parents=True)
    (site / "index.html").write_text("ok")
    events.append(lake, "report", NAME, status="done", files=(site,))
    assert kinds(lake) == {}
    (site / "more.html").write_text("ok")
    assert kinds(lake) == {"file:reports/site": "changed"}
    (site / "more.html").unlink()
    assert kinds(lake) == {}
    (site / "index.html").rename(lake.home / "index.html")
    (site / "index.html").symlink_to(lake.home / "index.html")
    assert kinds(lake) == {"file:reports/site": "changed"}


def test_the_hash_is_over_partition_values_and_schema_too(lake: Settings) -> None:
    path = lake.table(ZONE, NAME)
    path.parent.mkdir(parents=True)
    write_deltalake(str(path), pa.table({"b": ["x"], "cases": [3]}), partition_by=["b"])
    step(lake, ref := f"delta:{ZONE}/{NAME}@0")
    log = next((path / "_delta_log").glob("*.json"))
    whole = log.read_text()
    for old, new in (('"b":"x"', '"b":"y"'), ('\\"long\\"', '\\"double\\"')):
        assert old in whole
        log.write_text(whole.replace(old, new))
        assert kinds(lake) == {ref: "changed"}
    log.write_text("{")
    assert kinds(lake) == {ref: "missing"}
    log.write_text(whole)
    assert kinds(lake) == {}
