"""A kept message is what came, and its fields are texts as they were written."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streams import NAME, project

from yupana.data.contracts.contract import Contract, load
from yupana.data.streams import message, records
from yupana.data.streams.message import Message

WHEN = datetime(2026, 1, 4, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def contract(tmp_path_factory) -> Contract:
    server = {"type": "custom", "location": "drop:inbox/gauges"}
    lake = project(tmp_path_factory.mktemp("unit"), server, topic="@topic", extra="extra")
    return load(lake.root, NAME)


def read(contract: Contract, *values: bytes | None) -> list[dict[str, str | None]]:
    data = b"".join(Message("rivers", 0, n, WHEN, None, v).line() for n, v in enumerate(values))
    parts = records.tables(contract, io.BytesIO(data), "line", "torn")
    return [row for part in parts for row in part.to_pylist()]


@given(some.binary() | some.none(), some.binary() | some.none())
def test_a_message_is_one_line_that_keeps_its_bytes(key, value) -> None:
    import base64

    line = Message("a/b\u2028", None, None, WHEN, key, value).line()
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    document = json.loads(line)
    for name, original in (("key", key), ("value", value)):
        if f"{name}_base64" in document:
            assert base64.b64decode(document[f"{name}_base64"]) == original
        else:
            assert document[name] == (None if original is None else original.decode())
    assert message.place(line, {}) == "a/b\u2028, received 2026-01-04T10:00:00.000Z"


def test_values_stay_as_they_are_written(contract: Contract) -> None:
    (row,) = read(
        contract,
        b'{"station": "PI-001", "level_m": 1.50, "rain_mm": 12345678901234567890,'
        b' "extra": {"a": [1.5, "\xc3\xb1"]}}',
    )
    assert row["torn"] is None and row["line"] == 1 and row["topic"] == "rivers"
    assert (row["level"], row["rain"]) == ("1.50", "12345678901234567890")
    assert row["extra"] == '{"a": [1.5, "ñ"]}' and row["measured_at"] is None
    assert row["received_at"] == "2026-01-04T10:00:00.000Z"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "it is empty"),
        (b"", "no JSON at character 1"),
        (b'{"a": 1', "no JSON at character 8"),
        (b"\xff{}", "not UTF-8"),
        (b"3", "not a single value"),
        (b"[1]", "not a list"),
        (b"null", "not a single value"),
        (b'{"a": 1, "a": 1}', "a field twice"),
        (b'{"x": {"a": 1, "a": 1}}', "a field twice"),
        (b'{"a": -Infinity}', "no number of JSON"),
        (b'{"a": "\\udc00"}', "half a character"),
        (b'{"a": ["\\udc00"]}', "half a character"),
        (b'{"a": [' + b"9" * 5000 + b"]}", "a number without end"),
        (b"[" * 200_000, "nested too deep"),
    ],
)
def test_what_is_no_record_says_why_and_holds_nothing(contract, value, why: str) -> None:
    good, bad, after = read(contract, b'{"level_m": 1}', value, b'{"level_m": 2}')
    assert why in bad["torn"]
    assert {k for k, v in bad.items() if v is not None} == {"line", "torn", "topic", "received_at"}
    assert (good["level"], after["level"], after["line"]) == ("1", "2", 3)


@given(some.binary(max_size=60))
def test_no_bytes_stop_a_batch(contract: Contract, value: bytes) -> None:
    rows = read(contract, value, b'{"level_m": 7}')
    assert len(rows) == 2 and rows[1]["level"] == "7"
