"""Records and fields are cut once, with the number of their first line, whatever was written."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest

from yupana.core.errors import TerminalError
from yupana.data.parsing import delimited
from yupana.data.parsing.text import Text

Row = tuple[object, ...]


OPEN = "a quote is not closed"
AFTER = "text after a closing quote; a quote in a text is written twice"


def rows(data: bytes, encoding: str = "utf-8", skipped: int = 0) -> list[Row]:
    """(fields, line, torn or None) of each record, by line."""
    text = Text(io.BytesIO(data), encoding, "file.csv")
    heads, delimiter, line = delimited.header(text, ",;", (skipped + 1,), "file.csv")
    tables = delimited.Records(text, delimiter, len(heads[0]), line, "file.csv").tables()
    records = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    return sorted(records, key=lambda row: row[-2])  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n\n\n3,4\n", [("1", "2", 2, None), ("3", "4", 5, None)]),
        (b'a,b\n1,"x\n\ny"\r\n3,4\n', [("1", "x\n\ny", 2, None), ("3", "4", 5, None)]),
        (b'a,b\r\n1,"x\r\ny"\r\n3,4\r\n', [("1", "x\r\ny", 2, None), ("3", "4", 4, None)]),
        (b"a,b\n1\n1,2,3\n3,4\n", [("1", None, 2, "1 fields, not 2"),
                                   ("1", "2", 3, "3 fields, not 2"), ("3", "4", 4, None)]),
        (b"a;b\n1;2;\n1;2;;\n", [("1", "2", 2, "3 fields, not 2: ';' at the end"),
                                ("1", "2", 3, "4 fields, not 2")]),
        (b"a,b\n,\n   \n3,4\n", [(None, None, 2, None), ("3", "4", 4, None)]),
        (b'a,b\n1,"x ""y"""\n', [("1", 'x "y"', 2, None)]),
        (b"a,b\n1,one\rtwo\n3,4\n", [("1", "one\rtwo", 2, None), ("3", "4", 3, None)]),
        (b"a,b\r1,2\r3,4", [("1", "2", 2, None), ("3", "4", 3, None)]),
        (b"\xef\xbb\xbfa,b\n1,2", [("1", "2", 2, None)]),
        (b'"a\nx",b\n1,2\n7\n', [("1", "2", 3, None), ("7", None, 4, "1 fields, not 2")]),
        (b'a\n1\n\n""\n3\n', [("1", 2, None), ("", 4, None), ("3", 5, None)]),
        (b"a;b\n1;2\n", [("1", "2", 2, None)]),
        (b"a,b\n", []),
        (b"a,b", []),
    ],
)  # fmt: skip
def test_records_and_their_lines(data: bytes, expected: list[Row]) -> None:
    assert rows(data) == expected


@pytest.mark.parametrize("last", [b"1,2\n", b""])
def test_an_open_quote_costs_its_own_line_alone(last: bytes) -> None:
    records = rows(b'a,b\n0,0\n1,"x\n2,y\n3,z\n' + last)
    assert records[:2] == [("0", "0", 2, None), ("1", '"x', 3, OPEN)]
    assert records[2:4] == [("2", "y", 4, None), ("3", "z", 5, None)]
    assert len(records) == 4 + bool(last)


def test_a_quote_left_open_in_the_middle_of_a_record() -> None:
    assert rows(b'a,b,c\n1,"x,2\n3,4,5\n') == [
        ("1", '"x', "2", 2, OPEN),
        ("3", "4", "5", 3, None),
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig"])
def test_encodings(encoding: str) -> None:
    assert rows("a,b\nñ,ü\n".encode(encoding), encoding) == [("ñ", "ü", 2, None)]


def test_a_wrong_byte_is_told_by_line_and_place() -> None:
    with pytest.raises(TerminalError, match=r"line 3, byte 4 of the line"):
        rows(b"a,b\n1,2\n3,x" + b"\xff")


def test_a_quote_that_is_never_closed_in_a_big_file_costs_its_own_line_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 1 << 12)
    records = rows(b'a,b\n1,2\n1,"' + b"x,y\n" * 4000)
    assert records[1] == ("1", '"x', 3, OPEN)
    assert records[2:] == [("x", "y", line, None) for line in range(4, 4003)]


def test_a_record_that_no_block_holds_is_told_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 1 << 12)
    with pytest.raises(TerminalError, match="A record is longer"):
        rows(b"a,b\n1,2\n1," + b"x" * 40_000)


JOINS = "a quote joins lines that may each be a record"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # It would be closed by the next quote, three lines further down.
        (b'a,b\n1,"a\n2,b\n3,"c"\n', [("1", '"a', 2, OPEN), ("2", "b", 3, None),
                                      ("3", "c", 4, None)]),
        (b'a,b\n1,"a\n2,""\n3,x\n', [("1", '"a', 2, OPEN), ("2", "", 3, None),
                                      ("3", "x", 4, None)]),
        (b'a,b\n1,"a" b\n2,x\n', [("1", '"a" b', 2, AFTER), ("2", "x", 3, None)]),
        (b'a,b\n1,""x\n', [("1", '""x', 2, AFTER)]),
        (b'a,b\n1,"a" \n2,x\n', [("1", "a ", 2, None), ("2", "x", 3, None)]),
        (b'a,b\n1,5" pipe\n2,"Juan ""Pepe"" P"\n3,Juan "Pepe" P\n',
         [("1", '5" pipe', 2, None), ("2", 'Juan "Pepe" P', 3, None),
          ("3", 'Juan "Pepe" P', 4, None)]),
        (b'a,b,c\n1,"Ana,3\n2,Luis",4\n5,6,7\n',
         [("1", '"Ana', "3", 2, JOINS), ("2", 'Luis"', "4", 3, JOINS), ("5", "6", "7", 4, None)]),
        (b'a,b,c\n"1,,\n2,",x",\n', [('"1', None, None, 2, JOINS), ("2", '"', 'x"', 3, JOINS)]),
        (b'a,b,c\n1,"Ana\nEva, Lima",4\n', [("1", "Ana\nEva, Lima", "4", 2, None)]),
        (b'a,b\n1,"x\ny",z\n2,w\n', [("1", "x\ny", 2, "3 fields, not 2"), ("2", "w", 4, None)]),
    ],
)  # fmt: skip
def test_a_wrong_quote_joins_no_records(data: bytes, expected: list[Row]) -> None:
    assert rows(data) == expected


def test_lines_hold_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, torn records and empty lines on every side of a block's end."""
    monkeypatch.setattr(delimited, "BLOCK", 1 << 9)
    chance, lines, expected = random.Random(1), ["a,b"], []
    while len(lines) < 3000:
        line, kind = len(lines) + 1, chance.randrange(5)
        text = [f"{line},x", f'{line},"x\ny"', f"{line}", "", f"{line},é"][kind]
        lines += text.split("\n")
        if text:
            torn = (None, "1 fields, not 2")
            second: Any = [("x", None), ("x\ny", None), torn, None, ("é", None)][kind]
            expected.append((str(line), second[0], line, second[1]))
    assert rows("\n".join(lines).encode()) == expected


@pytest.mark.parametrize("more", ["", ",x"])
def test_a_field_of_some_hundred_kilobytes_is_a_field(more: str) -> None:
    """Outlines of districts in WKT; also in a record that is torn."""
    shape = ",".join(f"{n} {n}" for n in range(40_000))
    (row,) = rows(f'id,geom\n1,"{shape}"{more}\n'.encode())
    assert row == ("1", shape, 2, "3 fields, not 2" if more else None)
