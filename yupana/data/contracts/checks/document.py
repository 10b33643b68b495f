"""What the standard's schema cannot say of a contract: each slip is one sentence with its line.

It looks at the file's own fields, before anything is made of them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

from yupana.core import patterns
from yupana.core.errors import TerminalError
from yupana.data.contracts import release_options
from yupana.data.contracts.checks import bounds, columns, neighbours, source, stream
from yupana.data.contracts.checks import options as options_check
from yupana.data.contracts.checks.columns import Fault, Slip
from yupana.data.contracts.file import ContractFile

Format = Literal["csv", "xlsx", "json", "parquet", "object"]
Publication = Literal["snapshot", "append", "merge", "replace-period"]
OPTIONS = {
    "licence", "subjectArea", "quarantineLimit", "publication", "encoding", "delimiter",
    "headerRow", "sheet", "member", "multiline", "widths", "skip", "records", "mojibake",
    "next", "period", "change",
}  # fmt: skip
# Rows of a workbook's sheet; a header further down is a slip.
MOST_LINES = 1 << 20
UNITS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("m", "month", "months"), "m"),
    **dict.fromkeys(("y", "year", "years"), "y"),
}
FREQUENCIES = {**dict.fromkeys(("h", "hour", "hours"), "h"), **UNITS}


def check(file: ContractFile, root: Path) -> None:
    """Refuse a contract at its first fault.

    Raises:
        TerminalError: names the fault, the line and the mend.
    """
    for fault in faults(file, root):
        raise fault


def faults(file: ContractFile, root: Path) -> Iterator[TerminalError]:
    """Each fault, with its line and mend."""
    others = neighbours.faults(file.label, file.content, root)
    for fault in chain(_faults(file.content, root), others):
        yield TerminalError(
            f"The contract has {fault.what}.", where=file.where(*fault.field), fix=fault.fix
        )


def _faults(content: dict[str, Any], root: Path) -> Iterator[Fault]:
    yield from _table(content)
    yield from _options(content)
    yield from source.faults(content, root)
    yield from _times(content)
    yield from release_options.faults(content)
    yield from options_check.faults(content)
    table = content["schema"][0]
    yield from columns.names(table)
    for number, column in enumerate(table.get("properties") or []):
        field = ("schema", 0, "properties", number)
        yield from columns.column(column, field, root)
        yield from bounds.faults(column, field)
    yield from columns.quality(table, ("schema", 0))
    yield from release_options.row_faults(table.get("quality") or [], ("schema", 0, "quality"))
    yield from stream.faults(content)


def _table(content: dict[str, Any]) -> Iterator[Fault]:
    if not (content.get("description") or {}).get("purpose"):
        fix = "State what the data set is for: description: {purpose: …}."
        yield Fault("no purpose", ("description",) if "description" in content else (), fix)
    if not content.get("servers"):
        yield Fault("no source", (), "State `servers`, with a path or location and a format.")
        return
    server = content["servers"][0]
    if not any(server.get(place) for place in ("path", "location", "host")):
        yield Fault("a source without place", ("servers", 0), "State its `path` or `location`.")
    if (format := server.get("format", "csv")) not in get_args(Format):
        what = f"the format '{format}'"
        yield Fault(what, ("servers", 0, "format"), "Use csv, xlsx, json, parquet or object.")
    if not content.get("schema"):
        yield Fault("no table", (), "State `schema`, with one table and its `properties`.")
        return
    if len(content["schema"]) > 1:
        yield Fault("two tables", ("schema", 1), "Write a contract for each.")
    if format != "object" and not content["schema"][0].get("properties"):
        yield Fault("a table without columns", ("schema", 0), "State its `properties`.")


def _options(content: dict[str, Any]) -> Iterator[Fault]:
    options = content.get("customProperties") or []
    names = [str(o.get("property")) for o in options]
    for number, option in enumerate(options):
        field = ("customProperties", number, "value")
        name, value = names[number], option.get("value")
        if name not in OPTIONS:
            what = f"the option '{name}' among its customProperties, which does not exist"
            yield Fault(what, field, f"Options are {', '.join(sorted(OPTIONS))}.")
        elif names.count(name) > 1:
            yield Fault(f"the option '{name}' twice", field, "Keep one of them.")
        elif slip := _wrong_option(name, value):
            yield slip.at(*field)
    values = {o["property"]: o.get("value") for o in options}
    keyed = any(p.get("primaryKey") for p in content["schema"][0].get("properties") or [])
    if values.get("publication") == "merge" and not keyed:
        yield Fault(
            "publication: merge and no primaryKey",
            ("customProperties", names.index("publication")),
            "Mark the columns of the key.",
        )


def _wrong_option(name: str, value: Any) -> Slip | None:
    if name == "quarantineLimit" and (
        isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1
    ):
        return Slip(f"the quarantineLimit '{value}'", "It is a share from 0 to 1: 2 % is 0.02.")
    if name == "publication" and value not in get_args(Publication):
        return Slip(f"the publication '{value}'", f"Use {', '.join(get_args(Publication))}.")
    if name == "change":
        return release_options.wrong_change(value)
    if name == "headerRow" and value != 0 and not _rising(value):
        fix = "It is a line's number, [2, 3] where names stand in two, 0 where there are none."
        return Slip(f"the headerRow '{value}'", fix)
    if name == "widths" and not (isinstance(value, list) and value and all(map(_positive, value))):
        return Slip(f"the widths '{value}'", "State each field's characters: [6, 4, 10].")
    if name == "skip" and (wrong := patterns.fault(str(value))):
        return Slip(f"the skip '{value}', which cannot be used: {wrong}", columns.PATTERN)
    if name == "records" and not re.fullmatch(r"[^.]+(\.[^.]+)*", str(value)):
        fix = "Name the objects that hold the records: result.records."
        return Slip(f"records: '{value}'", fix)
    if name == "mojibake" and value not in ("refuse", "repair"):
        return Slip(f"mojibake: '{value}'", "Use repair, or take it out: it is refused.")
    if name == "multiline" and value is not True:
        fix = "Line breaks inside quotes are always read: take it out."
        return Slip(f"multiline: {value}", fix)
    if name == "encoding":
        return _wrong_encoding(str(value))
    if name == "delimiter":
        return _wrong_delimiter(str(value if value is not None else ""))
    return None


def _positive(value: Any) -> bool:
    return type(value) is int and 0 < value <= MOST_LINES


def _rising(value: Any) -> bool:
    numbers = value if isinstance(value, list) else [value]
    return bool(numbers) and all(map(_positive, numbers)) and numbers == sorted(set(numbers))


def _wrong_encoding(value: str) -> Slip | None:
    try:
        codecs.lookup(value)
        codecs.getincrementaldecoder(value)().decode(b"")
    # Some names are of other things than texts' encodings: rot13, base64.
    except (LookupError, ValueError, AttributeError, TypeError):
        fix = "Use a name that Python knows: UTF-8, latin-1, cp1252 (Windows, 'ANSI'), utf-16."
        return Slip(f"the encoding '{value}', which does not exist", fix)
    return None


def _wrong_delimiter(value: str) -> Slip | None:
    if not value or any(c.isalnum() or c in '"\\\r\n' or c > "~" for c in value):
        fix = 'Write it as ";" or "|"; a tab as "\\t" in double quotes.'
        return Slip(f"the delimiter '{value}'", fix)
    return None


def _times(content: dict[str, Any]) -> Iterator[Fault]:
    for number, entry in enumerate(content.get("slaProperties") or []):
        name, value, unit = (entry.get(k) for k in ("property", "value", "unit"))
        if name not in ("latency", "frequency", "retention"):
            continue
        field = ("slaProperties", number)
        if str(unit) not in (FREQUENCIES if name == "frequency" else UNITS):
            fix = f"Use {'h, ' if name == 'frequency' else ''}d, w, m or y."
            yield Fault(f"a {name} in '{unit}'", (*field, "unit"), fix)
        elif not re.fullmatch(r"0*[1-9][0-9]{0,3}", str(value)):
            fix = "Use a whole number of units, up to 9999: 1.5 w is 11 d."
            yield Fault(f"a {name} of {value}", (*field, "value"), fix)
        elif name == "frequency" and str(value) != "1":
            what = f"a frequency of {value}, which no schedule has"
            yield Fault(what, (*field, "value"), "State 1 h, 1 d, 1 w, 1 m or 1 y.")
