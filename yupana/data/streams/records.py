"""Kept messages → texts by column. What is no JSON object is a row that says why, never a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from yupana.data.contracts.stream_address import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

    from yupana.data.contracts.contract import Contract

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
        for message in map(json.loads, chunk):
            record, fault = _read(message)
            records.append({**record, **{f"@{f}": message[f] for f in FIELDS if f in message}})
            why.append(fault)
        numbers = pa.array(range(first, first + len(chunk)), pa.int64())
        faults = pa.array(why, pa.string())
        texts = [
            pa.array([_text(record.get(published)) for record in records], pa.string())
            for published in columns.values()
        ]
        yield pa.table([numbers, faults, *texts], names=[line, torn, *columns])
        first += len(chunk)


def _read(message: Record) -> tuple[Record, str | None]:
    """A message's fields, or none and why."""
    try:
        if "value_base64" in message:
            raise UnreadableError("its bytes are not UTF-8")
        if message["value"] is None:
            raise UnreadableError("it is empty")
        # A byte order mark, which some write before each text.
        return _fields(message["value"].removeprefix("\ufeff")), None
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
        form = "a list" if isinstance(value, list) else "a single value"
        raise UnreadableError(f"an object is expected, not {form}")
    if any(isinstance(v, dict | list) for v in value.values()):
        plain = json.loads(text)
        nested = {k: plain[k] for k, v in value.items() if isinstance(v, dict | list)}
        value = {**value, **nested}
    if "\\u" in text and not _whole(json.dumps(value, ensure_ascii=False)):
        raise UnreadableError("it holds half a character")
    return value


def _once(pairs: list[tuple[str, Any]]) -> Record:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise UnreadableError("it names a field twice")
    return fields


def _refused(constant: str) -> Any:
    raise UnreadableError(f"it holds {constant}, which is no number of JSON")


def _whole(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
