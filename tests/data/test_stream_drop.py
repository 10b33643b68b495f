"""A file drop by whoever may write there: names, links and sizes that stop or betray nothing."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest
import yaml
from command import Notices, yupana
from streams import NAME, Crash, broken_rules, dropped, published, put, reading, readings

from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.data.streams import drop
from yupana.orchestration import stream as streaming
from yupana.orchestration.stream import stream


def test_a_file_name_that_is_not_utf8_is_taken_like_any(tmp_path: Path) -> None:
    """Also after a crash between the batch and the file's end."""
    lake, folder = dropped(tmp_path, file="@topic")
    for first in (0, 2):
        put(folder, os.fsdecode(b"b\xff\xc3\xb1.json"), readings(first, 2))
        with pytest.MonkeyPatch.context() as patch:
            if first:
                patch.setattr(streaming, "ingest_batch", lambda *_: (_ for _ in ()).throw(Crash()))
                patch.setattr(Path, "unlink", lambda *_, **__: None)
                with pytest.raises(Crash):
                    stream(lake, NAME, Silent())
                assert list(folder.iterdir())
        stream(lake, NAME, Silent())
        assert not list(folder.iterdir())
    assert published(lake) == dict.fromkeys(range(4), 1)
    rows = delta.read(lake.table("published", NAME))
    assert rows["file"].unique().to_list() == ["b\\xffñ.json"]


def test_links_and_what_memory_may_not_hold_are_left_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, folder = dropped(tmp_path)
    put(tmp_path, "secret", readings(90, 1))
    (folder / "link.json").symlink_to(tmp_path / "secret")
    put(folder, "a.json", readings(0, 3))
    put(folder, "big.json", readings(10, 30))
    monkeypatch.setattr(drop, "_MOST_BYTES", 1 << 10)
    progress = Notices()
    stream(lake, NAME, progress)
    assert published(lake) == dict.fromkeys(range(3), 1)
    assert sorted(p.name for p in folder.iterdir()) == ["big.json", "link.json"]
    assert "1 file left: links are not followed" in progress.lines
    assert any("1 file left: a file has 0.000976562 MiB at most" in line for line in progress.lines)
    monkeypatch.undo()
    stream(lake, NAME, Silent())
    assert published(lake) == dict.fromkeys([*range(3), *range(10, 40)], 1)


def test_a_batch_holds_no_more_than_it_may_but_for_one_file_alone(tmp_path: Path) -> None:
    lake, folder = dropped(tmp_path)
    put(folder, "0.json", [])
    for n, count in enumerate((20, 20, 50, 5, 10), 1):
        put(folder, f"{n}.json", readings(100 * n, count))
    progress = Notices()
    stream(lake, NAME, progress, most=30)
    batches = [line.split()[2] for line in progress.lines if "are on this disk" in line]
    assert batches == ["20", "20", "50", "15"]
    assert len(published(lake)) == 105


@pytest.mark.parametrize("change", ["link", "grows"])
def test_a_file_that_changes_when_it_is_opened_is_left(tmp_path: Path, change: str) -> None:
    folder = dropped(tmp_path)[1]
    put(tmp_path, "secret", readings(90, 1))
    put(folder, "a.json", readings(0, 1))
    source = drop.FolderSource(folder, Silent())
    source.look()
    if change == "link":
        (folder / "a.json").unlink()
        (folder / "a.json").symlink_to(tmp_path / "secret")
    else:
        put(folder, "a.json", readings(0, 2))
    assert list(source.lines(10)) == [] and source.state() == {"files": []}


def test_a_place_that_is_a_personal_column_is_not_shown(tmp_path: Path) -> None:
    lake, folder = dropped(tmp_path, patient="@topic", plain="@offset")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    content["schema"][0]["properties"][-2].update(classification="personal")
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    put(folder, "PEREZ-40112233.json", [*readings(0, 30), reading(level_m=99)])
    progress = Notices()
    stream(lake, NAME, progress)
    told = yupana(lake, "quarantine", NAME)
    assert "  (personal: not shown), line 31, column level_m" in told.stdout
    told = told.stdout + yupana(lake, "quarantine", NAME, "--json").stdout + "".join(progress.lines)
    assert "PEREZ" not in told


def test_a_byte_order_mark_costs_no_reading(tmp_path: Path) -> None:
    """At the head of a file, and before a message."""
    lake, folder = dropped(tmp_path)
    first, *others = readings(0, 3)
    mark = codecs.BOM_UTF8
    put(folder, "a.json", [mark + first, *others])
    put(folder, "b.json", [mark, readings(3, 1)[0], mark + readings(4, 1)[0]])
    run = stream(lake, NAME, Silent())
    assert run.metrics["rows"] == {"read": 5, "published": 5, "quarantined": 0}
    assert published(lake) == dict.fromkeys(range(5), 1)


def test_what_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    """It is not also empty where a value is required."""
    lake, folder = dropped(tmp_path)
    text, empty = reading(level_m="high", station="IT-001"), reading(level_m=None)
    put(folder, "a.json", [b"no JSON", text, empty, b"{}", *readings(1, 90)])
    broken = stream(lake, NAME, Silent()).metrics["broken"]
    assert broken == {
        "row.parsed": 2, "level.required": 2, "station.required": 1, "measured_at.required": 1,
    }  # fmt: skip
    assert broken_rules(lake)[:3] == [["row.parsed"], ["row.parsed"], ["level.required"]]
