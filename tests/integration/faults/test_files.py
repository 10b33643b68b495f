"""Files as publishers get them wrong: each stops with the file, the place and the mend, and
the last good version stays readable."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import BOTH_ENGINES, SAMPLE, SPARK_LATER, engine_or_skip

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.identity import activity
from yupana.orchestration.ingest import ingest

NAME = "dengue_linelist"
LINES = gzip.decompress(SAMPLE.read_bytes()).decode().split("\r\n")[:501]
COLUMNS = LINES[0].split(",")


def text(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()


def without(place: int) -> list[str]:
    return [",".join(f for i, f in enumerate(x.split(",")) if i != place) for x in LINES]


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a.csv", "w") as f:
        for _ in range(400):
            f.write(b"0" * (1 << 20))


def many_columns() -> bytes:
    more = ",".join(f"x{i}" for i in range(10_000))
    return text([f"{LINES[0]},{more}", *(f"{x}{',1' * 10_000}" for x in LINES[1:20])])


PAGE = b"<!DOCTYPE html>\n<html><body>503 Servicio no disponible</body></html>\n"
FAULTS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "truncated.csv.gz": (
        lambda p: p.write_bytes(gzip.compress(text(LINES))[:-400]),
        ["cut short", "after", "Fetch it again"],
    ),
    "latin1.csv": (
        lambda p: p.write_bytes("\r\n".join(LINES).encode("latin-1")),
        ["not UTF-8", "line 1", "encoding"],
    ),
    "late_latin1.csv": (
        lambda p: p.write_bytes(text(LINES) + "LORETO,MARAÑON".encode("latin-1")),
        ["not UTF-8", "line 502, byte 12 of the line", "encoding"],
    ),
    "renamed.csv": (
        lambda p: p.write_bytes(text([LINES[0].replace("Semana,Tipo", "SE,Tipo"), *LINES[1:]])),
        ["'Semana' is not in the file", "line 1", "'SE'", "physicalName"],
    ),
    "missing.csv": (
        lambda p: p.write_bytes(text(without(COLUMNS.index("Semana")))),
        ["'Semana' is not in the file", "line 1", "Say what replaced it"],
    ),
    "doubled.csv": (
        lambda p: p.write_bytes(text([f"{x},{x.split(',')[3]}" for x in LINES])),
        ["'Ano' is in the file 2 times", "columns 4, 10"],
    ),
    "empty.csv": (lambda p: p.touch(), ["is empty", "Fetch it again"]),
    "header_only.csv": (lambda p: p.write_bytes(text(LINES[:1])), ["no row", "last good version"]),
    "only_bad_rows.csv": (
        lambda p: p.write_bytes(text([LINES[0], *(x.replace("LORETO", "X") for x in LINES[1:])])),
        ["500 of 500 rows break 'ubigeo.required'", "line 2", "column ubigeo", "contract.yaml"],
    ),
    "wide.csv": (
        lambda p: p.write_bytes(many_columns()),
        ["10,009 columns", "line 1", "delimiter"],
    ),
    "bomb.zip": (bomb, ["unpacks to more than 200 times", "by hand"]),
    "page.csv": (lambda p: p.write_bytes(PAGE), ["HTML", "instead of the data"]),
    "semicolons.csv": (
        lambda p: p.write_bytes(text([x.replace(",", ";") for x in LINES])),
        ["header is one field", "line 1", "Departamnento;Provincia", "delimiter"],
    ),
}


@pytest.fixture(scope="module", params=SPARK_LATER)
def home(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Settings:
    """A lake with one good version, on each engine."""
    engine = engine_or_skip(request.param)
    folder = tmp_path_factory.mktemp("faults")
    lake = Settings(home=folder, max_unpacked=300 << 20, engine=engine)
    good = lake.home / "good.csv"
    good.write_bytes(text(LINES))
    ingest(lake, NAME, str(good), Silent())
    return lake


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_the_last_good_version_stays(home: Settings, name: str) -> None:
    before = delta.read(home.table("published", NAME))
    make, message = FAULTS[name]
    make(home.home / name)
    with pytest.raises(TerminalError) as error:
        ingest(home, NAME, str(home.home / name), Silent())
    for words in [name, *message]:
        assert words in str(error.value)
    assert delta.read(home.table("published", NAME)).equals(before)


@pytest.mark.parametrize("change", ["reordered", "extra", "bom", "zipped"])
def test_a_harmless_change_gives_the_same_rows(home: Settings, change: str) -> None:
    rows = [x.split(",") for x in LINES]
    if change == "reordered":
        rows = [row[::-1] for row in rows]
    elif change == "extra":
        rows = [[*row, "new" if i == 0 else "1"] for i, row in enumerate(rows)]
    content = text([",".join(row) for row in rows])
    if change == "bom":
        content = b"\xef\xbb\xbf" + content
    path = home.home / f"{change}.csv"
    path.write_bytes(content)
    if change == "zipped":
        with zipfile.ZipFile(path.with_suffix(".zip"), "w") as z:
            z.write(path, path.name)
        path = path.with_suffix(".zip")
    before = delta.read(home.table("published", NAME)).drop("source_sha256")
    ingest(home, NAME, str(path), Silent())
    after = delta.read(home.table("published", NAME)).drop("source_sha256")
    assert after.sort("source_line").equals(before.sort("source_line"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB, which only the system's administrator can mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"no right to mount a small disk: {mount.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@BOTH_ENGINES
def test_a_full_disk_is_worth_a_retry_and_harms_nothing(small_disk: Path, engine: str) -> None:
    lake = Settings(home=small_disk, engine=engine)
    good = small_disk / "good.csv"
    good.write_bytes(text(LINES))
    ingest(lake, NAME, str(good), Silent())
    before = delta.read(lake.table("published", NAME))
    wall = small_disk / "wall"
    wall.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - (300 << 10)))
    with pytest.raises(TransientError) as error:
        ingest(lake, NAME, str(SAMPLE), Silent())
    assert "disk is full" in str(error.value) and "YUPANA_HOME" in str(error.value)
    assert delta.read(lake.table("published", NAME)).equals(before)
    wall.unlink()
    result = ingest(lake, NAME, str(good), Silent())
    assert result.status == "unchanged"


@pytest.mark.parametrize("room", [0, 64 << 10])
def test_a_disk_without_room_for_the_ledger_is_called_full(small_disk: Path, room: int) -> None:
    """The commands find the database's own words there: full, an I/O error, a file not opened."""
    lake = Settings(home=small_disk)
    good = small_disk / "good.csv"
    good.write_bytes(text(LINES))
    activity.note_access(lake, "quarantine", "quarantine/x", rows=1)
    (small_disk / "wall").write_bytes(b"0" * (shutil.disk_usage(small_disk).free - room))
    with pytest.raises(TransientError) as error:
        for _ in range(1000):
            activity.note_access(lake, "quarantine", "quarantine/x", rows=1)
    assert "disk is full" in str(error.value) and "Start it" not in str(error.value)
    end = subprocess.run(
        [sys.executable, "-m", "yupana.cli.main", "ingest", NAME, "--source", str(good)],
        env=lake.environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert end.returncode == 3 and "disk is full" in end.stderr and "Start it" not in end.stderr


def test_line_numbers_hold_across_the_parts_of_a_big_file(lake: Settings) -> None:
    """A big file is parsed in blocks and read in parts; each row must still know its line."""
    rows = 400_000  # 23 MB: two blocks
    path = lake.home / "big.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(text([LINES[0], *(LINES[1 + i % 500] for i in range(rows))]))
    ingest(lake, NAME, str(path), Silent())
    table = delta.read(lake.table("published", NAME)).sort("source_line")
    assert table["source_line"].to_list() == list(range(2, rows + 2))
    districts = [LINES[1 + i % 500].split(",")[2] for i in range(rows)]
    assert table["district"].to_list() == districts
