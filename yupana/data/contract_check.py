"""What the standard's schema cannot say of a contract: each slip is one sentence with its line.

It looks at the file's own fields, before anything is made of them.
"""

from __future__ import annotations

import codecs
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from yupana.core.errors import TerminalError
from yupana.data import date_patterns
from yupana.data.contract_file import ContractFile

FORMATS = ("csv", "xlsx", "json", "parquet", "object")
PUBLICATIONS = ("snapshot", "append", "merge")
OPTIONS = {
    "licence", "subjectArea", "quarantineLimit", "publication", "encoding", "delimiter",
    "headerRow", "sheet", "member", "multiline",
}  # fmt: skip
UNITS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("m", "month", "months"), "m"),
    **dict.fromkeys(("y", "year", "years"), "y"),
}
BOUNDS = ("mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
          "mustBe", "mustBeBetween")  # fmt: skip
_ENFORCED_OPTIONS = {"minimum", "maximum", "pattern"}
# Names that yupana gives to columns of its own.
_OWN = ("source_line", "source_sha256", "quality_flags", "broken_rules", "value_classes")


class Fault(NamedTuple):
    """What is wrong, the field's path, and what to do."""

    what: str
    field: tuple[str | int, ...]
    fix: str


def check(found: ContractFile, root: Path) -> None:
    """Refuse a contract at its first fault.

    Raises:
        TerminalError: names the fault, the line and the mend.
    """
    for fault in _faults(found.content, root):
        raise TerminalError(
            f"The contract has {fault.what}.", where=found.where(*fault.field), fix=fault.fix
        )


def _faults(content: dict[str, Any], root: Path) -> Iterator[Fault]:
    yield from _table(content)
    yield from _options(content)
    yield from _times(content)
    table = content["schema"][0]
    yield from _names(table)
    for number, column in enumerate(table.get("properties") or []):
        yield from _column(column, ("schema", 0, "properties", number), root)
    yield from _quality(table, ("schema", 0))


def _table(content: dict[str, Any]) -> Iterator[Fault]:
    if not content.get("servers"):
        yield Fault("no source", (), "State `servers`, with a path or location and a format.")
        return
    server = content["servers"][0]
    if not server.get("path") and not server.get("location"):
        yield Fault("a source without place", ("servers", 0), "State its `path` or `location`.")
    if (format := server.get("format", "csv")) not in FORMATS:
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
        elif wrong := _wrong_option(name, value):
            yield Fault(wrong[0], field, wrong[1])
    chosen = {o["property"]: o.get("value") for o in options}
    keyed = any(p.get("primaryKey") for p in content["schema"][0].get("properties") or [])
    if chosen.get("publication") == "merge" and not keyed:
        yield Fault(
            "publication: merge and no primaryKey",
            ("customProperties", names.index("publication")),
            "Mark the columns of the key.",
        )


def _wrong_option(name: str, value: Any) -> tuple[str, str] | None:
    if name == "quarantineLimit" and (
        isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1
    ):
        return f"the quarantineLimit '{value}'", "It is a share from 0 to 1: 2 % is 0.02."
    if name == "publication" and value not in PUBLICATIONS:
        return f"the publication '{value}'", f"Use {', '.join(PUBLICATIONS)}."
    if name == "headerRow" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        return f"the headerRow '{value}'", "It is the number of a line; the first is 1."
    if name == "multiline" and value is not True:
        return f"multiline: {value}", "Line breaks inside quotes are always read: take it out."
    if name == "encoding":
        return _wrong_encoding(str(value))
    if name == "delimiter":
        return _wrong_delimiter(str(value if value is not None else ""))
    return None


def _wrong_encoding(value: str) -> tuple[str, str] | None:
    try:
        codecs.lookup(value)
        codecs.getincrementaldecoder(value)().decode(b"")
    except (LookupError, ValueError, AttributeError):
        fix = "Use a name that Python knows: UTF-8, latin-1, cp1252 (Windows, 'ANSI'), utf-16."
        return f"the encoding '{value}', which does not exist", fix
    return None


def _wrong_delimiter(value: str) -> tuple[str, str] | None:
    if not value or any(c.isalnum() or c in '"\\\r\n' for c in value):
        fix = 'Write it as ";" or "|"; a tab as "\\t" in double quotes.'
        return f"the delimiter '{value}'", fix
    return None


def _times(content: dict[str, Any]) -> Iterator[Fault]:
    for number, entry in enumerate(content.get("slaProperties") or []):
        name, value, unit = (entry.get(k) for k in ("property", "value", "unit"))
        if name not in ("latency", "frequency", "retention"):
            continue
        field = ("slaProperties", number)
        if str(unit) not in UNITS:
            yield Fault(f"a {name} in '{unit}'", (*field, "unit"), "Use d, w, m or y.")
        elif not str(value).isdigit() or int(str(value)) < 1:
            fix = "Use a whole number of units: 1.5 w is 11 d."
            yield Fault(f"a {name} of {value}", (*field, "value"), fix)
        elif name == "frequency" and str(value) != "1":
            what = f"a frequency of {value}, which no schedule has"
            yield Fault(what, (*field, "value"), "State 1 d, 1 w, 1 m or 1 y.")


def _names(table: dict[str, Any]) -> Iterator[Fault]:
    names = [str(p.get("name")) for p in table.get("properties") or []]
    count = Counter(n.casefold() for n in names)
    for number, name in enumerate(names):
        field = ("schema", 0, "properties", number, "name")
        if not name.isidentifier() or name.startswith("_"):
            fix = "Write it like week_start; the file's own name is `physicalName`."
            yield Fault(f"the column name '{name}'", field, fix)
        elif name.casefold() in _OWN:
            fix = "That is a column of yupana's own; give it another name."
            yield Fault(f"the column name '{name}'", field, fix)
        elif count[name.casefold()] > 1:
            same = [n for n in names if n.casefold() == name.casefold()]
            fix = "Engines tell no upper from lower case: give one another name."
            yield Fault(f"the columns {' and '.join(same)}, which are one name", field, fix)


def _column(column: dict[str, Any], field: tuple[str | int, ...], root: Path) -> Iterator[Fault]:
    name = column["name"]
    for option in sorted(set(column.get("logicalTypeOptions") or {}) - _ENFORCED_OPTIONS):
        yield Fault(
            f"the option '{option}' on the column '{name}', which is not enforced",
            (*field, "logicalTypeOptions", option),
            "Say it by minimum, maximum or pattern, or take it out.",
        )
    if column.get("unique") and not column.get("primaryKey"):
        fix = "Mark the columns of the key as `primaryKey`, or take it out."
        yield Fault(f"unique on the column '{name}', not enforced", (*field, "unique"), fix)
    for number, relation in enumerate(column.get("relationships") or []):
        target = str(relation.get("to"))
        if not (root / "expectations" / target.split(".")[0] / "contract.yaml").exists():
            yield Fault(
                f"a relation of '{name}' to '{target}', which is no data set",
                (*field, "relationships", number),
                "Write it as <data set>.<column>; `yupana datasets` lists them.",
            )
    for number, option in enumerate(column.get("customProperties") or []):
        place = (*field, "customProperties", number)
        if form := _wrong_form(option.get("property"), option.get("value")):
            what = f"the option '{option.get('property')}' on the column '{name}' in another form"
            yield Fault(what, place, f"Write it like {form}.")
        elif option.get("property") == "pad" and column.get("logicalType", "string") != "string":
            what = f"pad on the column '{name}', which is no text"
            yield Fault(what, place, "Give it logicalType: string.")
        elif option.get("property") == "dateFormats":
            yield from _dates(column, option.get("value"), place)
    yield from _quality(column, field)


def _wrong_form(option: Any, value: Any) -> str | None:
    """How a column's option is written, where it is written in another form."""

    def text(of: Any) -> bool:
        return isinstance(of, str | int | float) and not isinstance(of, bool)

    def texts(of: Any) -> bool:
        return text(of) or (isinstance(of, list) and bool(of) and all(map(text, of)))

    def bounds(of: Any) -> bool:
        if not isinstance(of, dict) or not set(of) <= {"minimum", "maximum", "action"}:
            return False
        ends = [of[end] for end in ("minimum", "maximum") if of.get(end) is not None]
        numbers = all(text(e) and not isinstance(e, str) and math.isfinite(e) for e in ends)
        return bool(ends) and numbers and ends == sorted(ends)

    def pairs(of: Any) -> bool:
        return isinstance(of, dict) and bool(of) and all(map(text, of.values()))

    forms: dict[str, tuple[Any, str]] = {
        "missing": (texts, '[NA, "-9999.0"]'),
        "dateFormats": (texts, "[d/M/yyyy]"),
        "codes": (pairs, "{DENGUE GRAVE: A97.2}"),
        "outlier": (bounds, "{minimum: 0, maximum: 300, action: flag}"),
        "pad": (lambda of: type(of) is int and 0 < of <= 30, "6, on a column of type string"),
        "collapse": (lambda of: isinstance(of, bool), "true"),
        "unit": (text, "mm"),
    }
    right, example = forms.get(str(option), (lambda of: True, ""))
    return None if right(value) else example


def _dates(
    column: dict[str, Any], patterns: Any, field: tuple[str | int, ...]
) -> Iterator[Fault]:
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        if wrong := date_patterns.fault(str(pattern), column.get("logicalType", "string")):
            what = f"the date pattern '{pattern}' on the column '{column['name']}': {wrong.what}"
            yield Fault(what, field, wrong.fix)


def _quality(of: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    for number, rule in enumerate(of.get("quality") or []):
        if rule.get("type") == "text":
            continue
        metric = rule.get("metric") or rule.get("rule") or rule.get("type")
        stated = [b for b in BOUNDS if b in rule]
        if metric != "rowCount" or "properties" not in of or len(stated) != 1:
            yield Fault(
                f"the quality rule '{rule.get('name') or metric}', which is not enforced",
                (*field, "quality", number),
                "Of `quality`, a table's rowCount with one bound is enforced. Say it by required, "
                "enum, minimum, pattern or primaryKey; as prose it has `type: text`.",
            )
