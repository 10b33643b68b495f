"""Packed files: read as they stream, stopped when damaged, cut short or made to fill a disk."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.files import archive

LINES = b"".join(b"%d,%d\n" % (i, i * i) for i in range(100_000))
NOISE = random.Random(1).randbytes(3 << 20)


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def content(path: Path, lake: Settings, member: str | None = None) -> bytes:
    with archive.open_content(path, lake, member) as stream:
        return stream.read()


def in_blocks(path: Path, lake: Settings, size: int) -> bytes:
    with archive.open_content(path, lake, None) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("body", [LINES, NOISE, b"x"], ids=["text", "noise", "one byte"])
def test_what_went_in_comes_out(lake: Settings, tmp_path: Path, body: bytes) -> None:
    packings = [
        write(tmp_path / "plain.csv", body),
        write(tmp_path / "named_wrongly.csv", gzip.compress(body)),
        write(tmp_path / "two.gz", gzip.compress(body[:7]) + gzip.compress(body[7:])),
        write(tmp_path / "padded.gz", gzip.compress(body) + b"\0" * 2_000_000),
        zipped(tmp_path / "named_wrongly.dat", {"a/b/c.csv": body}),
        zipped(tmp_path / "stored.zip", {"c.csv": body, "__MACOSX/c.csv": b"."}, 0),
    ]
    for path in packings:
        assert content(path, lake) == body, path.name
        assert in_blocks(path, lake, 1 << 20) == body, path.name
        assert archive.check(path, lake, "it").head == body[:4096], path.name
    assert [archive.kind(p) for p in packings] == ["plain", *["gzip"] * 3, "zip", "zip"]


def test_lines_can_be_read_as_text(lake: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", gzip.compress(LINES))
    with archive.open_content(path, lake, None) as stream:
        assert list(io.TextIOWrapper(stream, "utf-8", newline=""))[-1] == "99999,9999800001\n"


def test_a_zip_of_several_asks_which(lake: Settings, tmp_path: Path) -> None:
    members = {"2023/cases.csv": b"1", "2024/cases.csv": b"2", "dictionary.pdf": b"3"}
    path = zipped(tmp_path / "many.zip", members)
    assert content(path, lake, "2024/*.csv") == b"2"
    assert content(path, lake, "dict*") == b"3"
    for member, says in ((None, "3 files"), ("cases.csv", "2 files"), ("*.txt", "0 files")):
        with pytest.raises(TerminalError, match=says) as error:
            content(path, lake, member)
        assert "2023/cases.csv, 2024/cases.csv, dictionary.pdf" in str(error.value)
        assert "many.zip" in str(error.value)
        assert "`member`" in str(error.value)
    with pytest.raises(TerminalError, match="no file"):
        content(zipped(tmp_path / "none.zip", {}), lake)


@pytest.mark.parametrize("kind", ["gzip", "zip"])
@pytest.mark.parametrize("fault", ["cut", "flipped"])
def test_damage_is_found_and_placed(lake: Settings, tmp_path: Path, kind: str, fault: str) -> None:
    if kind == "gzip":
        whole = gzip.compress(LINES)
    else:
        whole = zipped(tmp_path / "whole.zip", {"a.csv": LINES}).read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    path = write(tmp_path / "bad.bin", whole[:middle] if fault == "cut" else flipped)
    for read in (lambda: content(path, lake), lambda: archive.check(path, lake, str(path))):
        with pytest.raises(TerminalError, match="cut short or damaged") as error:
            read()
        assert "bytes of content" in error.value.where
        assert "bad.bin" in error.value.where


def test_what_follows_a_gzip_is_damage(lake: Settings, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="cut short or damaged"):
        content(write(tmp_path / "a.gz", gzip.compress(LINES) + b"garbage"), lake)


def test_a_file_may_not_unpack_to_more_than_the_limit(tmp_path: Path) -> None:
    small = Settings(home=tmp_path, max_unpacked=1_000_000)
    halves = {"a.csv": LINES[:600_000], "b.csv": LINES[:600_000]}
    for path in (
        write(tmp_path / "a.gz", gzip.compress(LINES)),
        zipped(tmp_path / "a.zip", {"a.csv": LINES}),
        zipped(tmp_path / "together.zip", halves),
        zipped(tmp_path / "a.xlsx", {"[Content_Types].xml": b"", "sheet.xml": LINES}),
    ):
        with pytest.raises(TerminalError, match="more than 1,000,000 bytes") as error:
            archive.check(path, small, path.name)
        assert "YUPANA_MAX_UNPACKED" in error.value.fix
        assert path.name in error.value.where
    assert content(tmp_path / "together.zip", small, "a.csv") == halves["a.csv"]


def test_a_bomb_is_stopped(lake: Settings, tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\0" * (10 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(12)) + packer.flush()
    path = write(tmp_path / "bomb.gz", bomb)
    with pytest.raises(TerminalError, match="200 times its size"):
        archive.check(path, lake, "bomb.gz")
    # Below 100 MB even such a file may pass: a column of zeros is no attack.
    assert len(content(write(tmp_path / "thin.gz", gzip.compress(zeros)), lake)) == len(zeros)


def test_a_workbook_is_one_file(lake: Settings, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx", {"[Content_Types].xml": b"<x/>", "xl/sheet1.xml": LINES})
    assert archive.kind(path) == "document"
    assert content(path, lake) == path.read_bytes()


def test_a_name_that_is_not_the_utf8_it_claims_is_damage(lake: Settings, tmp_path: Path) -> None:
    body = zipped(tmp_path / "a.zip", {"ñ.csv": b"1,2"}).read_bytes()
    with pytest.raises(TerminalError, match="cut short or damaged"):
        content(write(tmp_path / "b.zip", body.replace("ñ".encode(), b"\xff\xff")), lake)


def test_a_locked_zip_says_so(lake: Settings, tmp_path: Path) -> None:
    body = bytearray(zipped(tmp_path / "a.zip", {"a.csv": b"1,2"}, 0).read_bytes())
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(TerminalError, match="locked with a password"):
        content(write(tmp_path / "locked.zip", bytes(body)), lake)
