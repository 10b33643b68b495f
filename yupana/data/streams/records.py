"""Kept messages → texts by column. What is no JSON object is a row that says why, never a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from yupana.data.streams.message import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

    from yupana.data.contract import Contract

_CHUNK = 50_000
Record = dict[str, Any]


class UnreadableError(ValueError):
    """Why a message is no record; says nothing of what it holds."""


def tables(contract: Contract, stream: BinaryIO, line: str, torn: str) -> Iterator[pa.Table]:
    """The messages of a batch, in parts: number of the line, why it is none, a text a column.

    A field that a message lacks is null. `@topic`, `@partition`, `@offset`, `@time` and `@key`
    are what the broker says of it.

    Args:
        line, torn: names of the first two columns.
    """
    import pyarrow as pa

    columns = {c.name: str(c.published) for c in contract.used}
    first = 1
    while chunk := list(islice(stream, _CHUNK)):
        records, why = [], []
        for kept in map(json.loads, chunk):
            record, fault = _read(kept)
            records.append({**record, **{f"@{f}": kept[f] for f in FIELDS if f in kept}})
            why.append(fault)
        numbers = pa.array(range(first, first + len(chunk)), pa.int64())
        faults = pa.array(why, pa.string())
        texts = [
            pa.array([_text(record.get(published)) for record in records], pa.string())
            for published in columns.values()
        ]
        yield pa.table([numbers, faults, *texts], names=[line, torn, *columns])
        first += len(chunk)


def _read(kept: Record) -> tuple[Record, str | None]:
    """A message's fields, or none and why."""
    try:
        if "value_base64" in kept:
            raise UnreadableError("its bytes are not UTF-8")
        if kept["value"] is None:
            raise UnreadableError("it is empty")
        return _fields(kept["value"]), None
    except UnreadableError as fault:
        return {}, str(fault)
    except RecursionError:
        return {}, "it is nested too deep"
    except json.JSONDecodeError as error:
        return {}, f"it is no JSON at character {error.pos + 1}"
    except ValueError:
        return {}, "it holds a number without end"


def _fields(text: str) -> Record:
    # Numbers stay as they are written: `1.50` has two decimals, and no number is too long.
    value = json.loads(
        text, parse_float=str, parse_int=str, parse_constant=_refused, object_pairs_hook=_once
    )
    if not isinstance(value, dict):
        found = "a list" if isinstance(value, list) else "a single value"
        raise UnreadableError(f"an object is expected, not {found}")
    if any(isinstance(v, dict | list) for v in value.values()):
        plain = json.loads(text)
        nested = {k: plain[k] for k, v in value.items() if isinstance(v, dict | list)}
        value = {**value, **nested}
    if "\\u" in text and not _whole(json.dumps(value, ensure_ascii=False)):
        raise UnreadableError("it holds half a character")
    return value


def _once(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("it names a field twice")
    return found


def _refused(constant: str) -> Any:
    raise UnreadableError(f"it holds {constant}, which is no number of JSON")


def _whole(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
