"""JSON as portals send it: a list of records, a record a line (NDJSON), or GeoJSON's features.

RFC 8259; https://github.com/ndjson/ndjson-spec; RFC 7946.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.data.parsing.documents import geometry, nested
from yupana.data.parsing.text_table import NamedTexts, text_table

if TYPE_CHECKING:
    pass

Record = dict[str, Any]
_LINE_END = re.compile(r"\r\n?|\n")


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
        TerminalError: other bytes than the encoding's, no JSON, or no records; names the line.
    """
    import pyarrow as pa

    text = _decode(content, encoding, source)
    fields = list(fields)
    try:
        lines, records = _records(text, source, path)
        torn = geometry.add(records, fields)
        names = list(dict.fromkeys(name for record in records for name in record))
        inside = [name for name in fields if "." in name and name not in names]
        names += [name for name in inside if any(_inside(r, name) is not None for r in records)]
        columns = [pa.array([_text(_inside(r, n)) for r in records], pa.string()) for n in names]
    # Too deep, a number without end, half a character: JSON's grammar allows them.
    except (RecursionError, ValueError) as error:
        raise TerminalError(
            "The JSON holds what no table can.",
            where=source,
            detail=str(error)[:200],
            fix="Look at it by hand: this is not what a publisher means to send.",
        ) from error
    return NamedTexts(names, text_table(lines, torn, columns))


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


def _parse(text: str) -> Any:
    """JSON's value; numbers keep their digits.

    Raises:
        ValueError: an object names a field twice, or a number is none (RFC 8259, 4 and 6).
    """
    return json.loads(
        text, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_object
    )


def _number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise ValueError(f"a number of {len(digits)} characters is beyond all bounds") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _object(pairs: list[tuple[str, Any]]) -> Record:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field '{twice}' stands twice in one object")
    return fields


def _records(
    text: str, source: str, path: str | None
) -> tuple[Sequence[int], list[Record]]:
    """The records, and the line or number of each."""
    try:
        whole = _parse(text)
    except json.JSONDecodeError as error:
        if path:
            raise _no_json(error.msg, source, error) from error
        return _lines(text, error, source)
    for name in path.split(".") if path else ():
        whole = _member(whole, name, str(path), source)
    if isinstance(whole, dict):
        whole = _features(whole) if whole.get("type") == "FeatureCollection" else [whole]
    whole = whole if isinstance(whole, list) else [whole]
    records = [_record(r, f"{source}, record {n}") for n, r in enumerate(whole, 1)]
    return range(1, len(records) + 1), records


def _member(of: Any, name: str, path: str, source: str) -> Any:
    if isinstance(of, dict) and name in of:
        return of[name]
    there = ", ".join(list(of)[:20]) if isinstance(of, dict) else f"a {type(of).__name__}"
    raise TerminalError(
        f"The JSON has no '{name}', which the contract's `records: {path}` names.",
        where=f"{source}; there is: {there}",
        fix="Mend `records`, or take it out where the records are the whole file.",
    )


def _lines(
    text: str, whole: json.JSONDecodeError, source: str
) -> tuple[list[int], list[Record]]:
    """A record a line; where the first line is none, the file is no JSON at all."""
    numbers: list[int] = []
    records: list[Record] = []
    # Not `splitlines`: a text may hold marks that it takes for the end of a line.
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        try:
            records.append(_record(_parse(line), f"{source}, line {number}"))
            numbers.append(number)
        except json.JSONDecodeError as error:
            if not records:
                raise _no_json(whole.msg, source, whole) from error
            error.lineno = number
            raise _no_json(error.msg, source, error) from error
    return numbers, records


def _no_json(what: str, source: str, at: json.JSONDecodeError) -> TerminalError:
    return TerminalError(
        f"The file is no JSON: {what}.",
        where=f"{source}, line {at.lineno}, column {at.colno}",
        fix="Fetch it again, or mend it.",
    )


def _features(collection: Record) -> list[Any]:
    """Properties of each feature, with its geometry as a field of its own."""
    return [
        {**(feature.get("properties") or {}), "geometry": feature.get("geometry")}
        for feature in collection.get("features") or []
    ]


def _inside(record: Record, name: str) -> Any:
    """A field by its name, or by the names of the objects that hold it."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


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
    if isinstance(value, Decimal):
        # Programs that know one kind of number write 5 as 5.0.
        whole = value.as_tuple().exponent == -1 and value == value.to_integral_value()
        return str(int(value)) if whole else str(value)
    return nested.text(value)
