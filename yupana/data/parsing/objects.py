"""JSON as portals send it: a list of records, a record a line (NDJSON), or GeoJSON's features.

RFC 8259; https://github.com/ndjson/ndjson-spec; RFC 7946.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import pyarrow as pa

Record = dict[str, Any]


def texts(content: bytes, encoding: str, source: str) -> tuple[list[str], pa.Table]:
    """All records: the names of their fields in the order of appearance, and texts by place.

    A field that is itself an object or a list is handed on as JSON.

    Raises:
        TerminalError: other bytes than the encoding's, no JSON, or no records; names the line.
    """
    import pyarrow as pa

    text = _decoded(content, encoding, source)
    try:
        records = _records(text, source)
        names = list(dict.fromkeys(name for record in records for name in record))
        columns = [pa.array([_text(r.get(name)) for r in records], pa.string()) for name in names]
    # Too deep, a number without end, half a character: JSON's grammar allows them.
    except (RecursionError, ValueError) as error:
        raise TerminalError(
            f"The JSON holds what no table can: {str(error)[:200]}.",
            where=source,
            fix="Look at it by hand: this is not what a publisher means to send.",
        ) from error
    return names, pa.table(columns, names=[f"c{i}" for i in range(len(names))])


def _decoded(content: bytes, encoding: str, source: str) -> str:
    name = "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else encoding
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TerminalError(
            f"The file is not {encoding}: {error.reason}.",
            where=f"{source}, line {line}",
            fix="Set the contract's `encoding` to the file's own (often latin-1 or cp1252).",
        ) from error


def _records(text: str, source: str) -> list[Record]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        return _lines(text, error, source)
    if isinstance(whole, dict):
        whole = _features(whole) if whole.get("type") == "FeatureCollection" else [whole]
    whole = whole if isinstance(whole, list) else [whole]
    return [_record(r, f"{source}, record {n}") for n, r in enumerate(whole, 1)]


def _lines(text: str, whole: json.JSONDecodeError, source: str) -> list[Record]:
    """A record a line; where the first line is none, the file is no JSON at all."""
    records: list[Record] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{source}, line {number}"
        try:
            records.append(_record(json.loads(line), where))
        except json.JSONDecodeError as error:
            what = error.msg
            if not records:
                where, what = f"{source}, line {whole.lineno}, column {whole.colno}", whole.msg
            raise TerminalError(
                f"The file is no JSON: {what}.", where=where, fix="Fetch it again, or mend it."
            ) from error
    return records


def _features(collection: Record) -> list[Any]:
    """Properties of each feature, with its geometry as a field of its own."""
    return [
        {**(feature.get("properties") or {}), "geometry": feature.get("geometry")}
        for feature in collection.get("features") or []
    ]


def _record(value: Any, where: str) -> Record:
    if not isinstance(value, dict):
        raise TerminalError(
            f"A record is expected, and a {type(value).__name__} stands here.",
            where=where,
            fix='The file should be a list of objects: [{"id": 1}, …], or one object a line.',
        )
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
