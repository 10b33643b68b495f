"""JSON as portals send it: a list of records, a record a line (NDJSON), or GeoJSON's features.

RFC 8259; https://github.com/ndjson/ndjson-spec; RFC 7946.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from yupana.core.errors import TerminalError
from yupana.data.parsing.documents import geometry, json_text
from yupana.data.parsing.text_table import NamedTexts, text_table

Record = dict[str, Any]
_LINE_END = re.compile(r"\r\n?|\n")


class Records(NamedTuple):
    """The records of a text.

    Attributes:
        place: what their numbers count: `line` or `record`.
    """

    place: str
    numbers: Sequence[int]
    records: list[Record]


def texts(
    content: bytes, encoding: str, source: str, path: str | None, fields: Iterable[str]
) -> NamedTexts:
    """All records: the names of their fields in the order of appearance, and texts by place.

    A field that is itself an object or a list is handed on as JSON, and what is wanted of its
    inside (`place.lat`) as a field of its own.

    Args:
        path: names of the objects that hold the records (`result.records`); None: the whole.
        fields: the published names that the contract reads.

    Returns:
        A record's line is the one it stands on where each has its own, else its number; the
        first is 1.

    Raises:
        TerminalError: other bytes than the encoding's, no JSON, no record, or one that no table
            can hold; names the line, or the record.
    """
    fields = list(fields)
    try:
        records = _records(_decode(content, encoding, source), source, path)
        return _table(records, fields, source)
    except RecursionError as error:
        raise _unfit("objects inside of objects, too deep", source) from error


def _table(of: Records, fields: list[str], source: str) -> NamedTexts:
    import pyarrow as pa

    records = of.records
    if not any(records):
        raise TerminalError(
            "The JSON's records have no field." if records else "The JSON has no record.",
            where=source,
            fix="Fetch it again from the publisher; if the records stand inside of an object, "
            "`records` in the contract names it.",
        )
    torn = geometry.add(records, fields)
    names = list(dict.fromkeys(name for record in records for name in record))
    inside = [name for name in fields if "." in name and name not in names]
    names += [name for name in inside if any(_inside(r, name) is not None for r in records)]
    try:
        "".join(names).encode()
        columns = [pa.array([_text(_inside(r, n)) for r in records], pa.string()) for n in names]
    except UnicodeEncodeError as error:
        number = next(n for n, r in zip(of.numbers, records, strict=True) if _half(r))
        raise _unfit("half a character", f"{source}, {of.place} {number}") from error
    return NamedTexts(names, text_table(of.numbers, torn, columns))


def _unfit(reason: str, where: str) -> TerminalError:
    return TerminalError(
        f"The JSON holds what no table can: {reason}.",
        where=where,
        fix="Look at it by hand, and ask the publisher: this is not what one means to send.",
    )


def _half(record: Record) -> bool:
    """Whether a text in it holds one half of a character of two (a lone surrogate)."""
    return any("\ud800" <= c <= "\udfff" for c in json_text.text(record))


def _decode(content: bytes, encoding: str, source: str) -> str:
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


def _records(text: str, source: str, path: str | None) -> Records:
    try:
        whole, faults = json_text.parse(text)
    except json.JSONDecodeError as error:
        if path:
            raise _no_json(error.msg, source, error) from error
        return _lines(text, error, source)
    for name in path.split(".") if path else ():
        whole = _member(whole, name, str(path), source)
    if isinstance(whole, dict) and whole.get("type") == "FeatureCollection":
        whole = [_properties(feature) for feature in whole.get("features") or []]
    whole = whole if isinstance(whole, list) else [whole]
    places = (f"{source}, record {n}" for n in range(1, len(whole) + 1))
    records = [_record(r, where, bool(faults)) for r, where in zip(whole, places, strict=True)]
    if faults:
        raise _unfit(faults[0].reason, source)
    return Records("record", range(1, len(records) + 1), records)


def _member(of: Any, name: str, path: str, source: str) -> Any:
    if isinstance(of, dict) and name in of:
        return of[name]
    if isinstance(of, json_text.Fault):
        raise _unfit(of.reason, source)
    there = ", ".join(list(of)[:20]) if isinstance(of, dict) else f"a {type(of).__name__}"
    raise TerminalError(
        f"The JSON has no '{name}', which the contract's `records: {path}` names.",
        where=f"{source}; there is: {there}",
        fix="Mend `records`, or take it out where the records are the whole file.",
    )


def _lines(text: str, whole: json.JSONDecodeError, source: str) -> Records:
    """A record a line; where the first line is none, the file is no JSON at all."""
    numbers: list[int] = []
    records: list[Record] = []
    # Not `splitlines`: a text may hold marks that it takes for the end of a line.
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        try:
            value, faults = json_text.parse(line)
        except json.JSONDecodeError as error:
            if not records:
                raise _no_json(whole.msg, source, whole) from error
            error.lineno = number
            raise _no_json(error.msg, source, error) from error
        records.append(_record(value, f"{source}, line {number}", bool(faults)))
        numbers.append(number)
    return Records("line", numbers, records)


def _no_json(what: str, source: str, at: json.JSONDecodeError) -> TerminalError:
    return TerminalError(
        f"The file is no JSON: {what}.",
        where=f"{source}, line {at.lineno}, column {at.colno}",
        fix="Fetch it again, or mend it.",
    )


def _properties(feature: Any) -> Any:
    """A feature's properties, with its geometry as a field of its own."""
    properties = (feature.get("properties") or {}) if isinstance(feature, dict) else feature
    if not isinstance(properties, dict):
        return properties
    return {**properties, "geometry": feature.get("geometry")}


def _inside(record: Record, name: str) -> Any:
    """A field by its name, or by the names of the objects that hold it."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _record(value: Any, where: str, faulty: bool) -> Record:
    """A record.

    Args:
        faulty: somewhere in the text is a fault.
    """
    for fault in json_text.inside(value) if faulty else ():
        raise _unfit(fault.reason, where)
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
    if isinstance(value, Decimal):
        # Programs that know one kind of number write 5 as 5.0.
        whole = value.as_tuple().exponent == -1 and value == value.to_integral_value()
        return str(int(value)) if whole else str(value)
    return json_text.text(value)
