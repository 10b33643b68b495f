"""What came instead of the data is named by its first bytes, with what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct

import pytest

from yupana.core.errors import TerminalError
from yupana.data.files import signature
from yupana.data.parsing.text import Text

DBF = struct.pack("<BBBBIHH", 3, 124, 3, 5, 10, 65, 20) + b"\0" * 20
WORDS = {
    "bzip2": (bz2.compress(b"a,b"), "csv"),
    "xz": (lzma.compress(b"a,b"), "csv"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "csv"),
    "RAR": (b"Rar!\x1a\x07\0", "csv"),
    "PDF": (b"%PDF-1.7\n", "csv"),
    "SQLite": (b"SQLite format 3\0", "csv"),
    "dBase": (DBF, "csv"),
    "Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "csv"),
    "packed twice": (gzip.compress(b"a,b"), "csv"),
    "zip inside": (b"PK\x03\x04", "json"),
    "Parquet": (b"PAR1\x15", "json"),
    "table in HTML": (b"<table><tr><td>id</td></tr></table>", "xlsx"),
    "HTML page": (b"\xef\xbb\xbf\n<!DOCTYPE html><title>503</title>", "csv"),
}


@pytest.mark.parametrize("word", WORDS)
def test_a_file_of_another_kind_is_named(word: str) -> None:
    head, format = WORDS[word]
    with pytest.raises(TerminalError, match=word) as error:
        signature.refuse_other(head, format=format, label="in.csv")
    assert error.value.where == "in.csv" and error.value.fix
    signature.refuse_other(head, format="object", label="in.csv")


@pytest.mark.parametrize(
    "head", [b"id,cases\n1,2\n", b"", b"\x03", "Año,casos\n".encode("latin-1")]
)
def test_a_text_is_none_of_them(head: bytes) -> None:
    signature.refuse_other(head, format="csv", label="in.csv")


def read(content: bytes, encoding: str) -> str:
    return Text(io.BytesIO(content), encoding, "in").read().decode()


def test_a_mark_of_utf_8_is_believed_and_another_is_told() -> None:
    assert read(b"\xef\xbb\xbfid\n\xc3\x91\n", "latin-1").startswith("id\nÑ\n")
    assert read("id\nÑ\n".encode("utf-16"), "utf-16").startswith("id\nÑ\n")
    with pytest.raises(TerminalError, match="utf-16 by its first bytes"):
        read("id\n".encode("utf-16"), "UTF-8")
    with pytest.raises(TerminalError, match="utf-32 by its first bytes"):
        read("id\n".encode("utf-32"), "utf-16")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf_8_under_another_name_is_told(encoding: str) -> None:
    with pytest.raises(TerminalError, match="UTF-8 from end to end"):
        read("distrito\nMARAÑÓN\n".encode() * 3, encoding)
    assert "MARAÑÓN" in read("distrito\nMARAÑÓN\n".encode(encoding), encoding)
    assert "MARANON" in read(b"distrito\nMARANON\n", encoding)
    # One letter that is no UTF-8, late in the file, is proof of the other.
    assert read(("ñ\n" * 9).encode() + "Ñ\n".encode(encoding), encoding)
