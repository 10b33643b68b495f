"""What a stream's contract must state beyond a file's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from yupana.core.errors import UsageError
from yupana.data.contracts import stream_address
from yupana.data.contracts.checks.columns import Fault
from yupana.data.contracts.stream_address import FIELDS, Address

_OF_FILES = frozenset((
    "change", "period", "delimiter", "encoding", "headerRow", "sheet", "member", "widths", "skip",
    "records", "mojibake", "next",
))  # fmt: skip


def location(server: dict[str, Any], table: dict[str, Any]) -> str:
    """A server's location; Kafka's is made of its `host` and the table's `physicalName`."""
    if server.get("type") == "kafka":
        return f"kafka://{server.get('host')}/{table.get('physicalName') or table.get('name')}"
    return str(server.get("path") or server.get("location"))


def faults(content: dict[str, Any]) -> Iterator[Fault]:
    """Slips of a stream's contract; nothing for a file's."""
    server, table = content["servers"][0], content["schema"][0]
    place = location(server, table)
    columns = table.get("properties") or []
    options = {o.get("property"): o.get("value") for o in content.get("customProperties") or []}
    if not stream_address.is_stream(place):
        for number, column in enumerate(columns):
            if str(column.get("physicalName", "")).startswith("@"):
                what = f"the column '{column['physicalName']}', which only messages have"
                field = ("schema", 0, "properties", number, "physicalName")
                yield Fault(what, field, "Name the file's own column.")
        return
    try:
        yield from _drop(stream_address.parse(place))
    except UsageError as error:
        yield Fault(f"the stream's address '{error.where}'", ("servers", 0), error.fix)
    if server.get("format", "json") != "json":
        fix = "A message is one JSON object: format: json."
        yield Fault(f"a stream of {server['format']}", ("servers", 0, "format"), fix)
    if options.get("publication") != "append":
        fix = "State {property: publication, value: append} among the customProperties."
        yield Fault("a stream that is not appended", ("customProperties",), fix)
    if not any(c.get("primaryKey") for c in columns):
        fix = "Mark its columns as primaryKey: brokers and sensors may send a message twice."
        yield Fault("a stream without a key", ("schema", 0), fix)
    for number, option in enumerate(content.get("customProperties") or []):
        if option.get("property") in _OF_FILES:
            what = f"{option['property']}, which is for files"
            yield Fault(what, ("customProperties", number), "Take it out.")
    for number, rule in enumerate(table.get("quality") or []):
        if rule.get("type") != "text":
            fix = "Take it out: a stream cannot wait, and all that is good in it is published."
            yield Fault("a rule for a whole file", ("schema", 0, "quality", number), fix)
    fields = [f"@{field}" for field in FIELDS]
    for number, column in enumerate(columns):
        name = str(column.get("physicalName", ""))
        if name.startswith("@") and name not in fields:
            field = ("schema", 0, "properties", number, "physicalName")
            yield Fault(f"the column '{name}'", field, f"Messages have {', '.join(fields)}.")


def _drop(place: Address) -> Iterator[Fault]:
    """Files that were taken are deleted, so a contract may name no folder that holds others: not
    `inbox` itself, where files of all data sets lie."""
    parts = PurePosixPath(place.topic).parts
    if place.kind == "drop" and (parts[:1] != ("inbox",) or ".." in parts or len(parts) < 2):
        fix = "Write drop:inbox/<folder>; a link in inbox/ may lead to another disk."
        yield Fault(f"the drop folder '{place.topic}'", ("servers", 0), fix)
