"""What the standard's schema cannot say of a contract's columns and quality rules."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from yupana.core import patterns
from yupana.data.contracts import date_patterns
from yupana.data.contracts.checks import sql

BOUNDS = ("mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
          "mustBe", "mustBeBetween")  # fmt: skip
_ENFORCED_OPTIONS = {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "format",
}  # fmt: skip
_METRICS = ("nullValues", "missingValues", "duplicateValues", "invalidValues")
PATTERN = 'Write it without look-around and back-references: "^(TOTAL|Fuente:)".'
# Names that yupana gives to columns of its own.
_OWN = ("source_line", "source_sha256", "quality_flags", "broken_rules", "value_classes")


class Fault(NamedTuple):
    """What is wrong, the field's path, and what to do."""

    what: str
    field: tuple[str | int, ...]
    fix: str


class Slip(NamedTuple):
    """What is wrong with an option's value, and what to do; where it stands is known elsewhere."""

    what: str
    fix: str

    def at(self, *field: str | int) -> Fault:
        """The fault of a field."""
        return Fault(self.what, field, self.fix)


def names(table: dict[str, Any]) -> Iterator[Fault]:
    """Names that engines cannot take, or would take for one another."""
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


def column(
    column: dict[str, Any], field: tuple[str | int, ...], root: Path
) -> Iterator[Fault]:
    """Options of a column that are not enforced, lead nowhere or stand in another form."""
    name = column["name"]
    for option in sorted(set(column.get("logicalTypeOptions") or {}) - _ENFORCED_OPTIONS):
        yield Fault(
            f"the option '{option}' on the column '{name}', which is not enforced",
            (*field, "logicalTypeOptions", option),
            "Say it by minimum, maximum or pattern, or take it out.",
        )
    width = (column.get("logicalTypeOptions") or {}).get("format", "i32")
    if width not in ("i32", "i64") or (width == "i64" and column.get("logicalType") != "integer"):
        what = f"the format '{width}' on the column '{name}', which is not enforced"
        fix = "i64 gives whole numbers 64 bits; say others by pattern or dateFormats."
        yield Fault(what, (*field, "logicalTypeOptions", "format"), fix)
    yield from _bounds(column, (*field, "logicalTypeOptions"))
    yield from _patterns(column, field)
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
    marks = [o.get("value") for o in column.get("customProperties") or []
             if o.get("property") in ("decimal", "thousands")]  # fmt: skip
    if marks and (column.get("logicalType") not in ("integer", "number") or marks == ["."]):
        what = f"decimal or thousands on the column '{name}' that no number can have"
        fix = "They are for numbers, and differ: decimal ',' with thousands '.'."
        yield Fault(what, (*field, "customProperties"), fix)
    elif len(marks) == 2 and marks[0] == marks[1]:
        what = f"one mark for decimal and thousands on the column '{name}'"
        yield Fault(what, (*field, "customProperties"), "Give each its own.")
    yield from quality(column, field)


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
        "codes": (pairs, "{NEUMONIA: J18}"),
        "outlier": (bounds, "{minimum: 0, maximum: 300, action: flag}"),
        "pad": (lambda of: type(of) is int and 0 < of <= 30, "6, on a column of type string"),
        "decimal": (lambda of: of in (".", ","), '","'),
        "thousands": (lambda of: of in (".", ",", " ", "'"), '"."'),
        "negative": (lambda of: of in ("parentheses", "trailing"), "parentheses, for (12)"),
        "fill": (lambda of: of == "down", "down"),
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


def _bounds(column: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    options, name = column.get("logicalTypeOptions") or {}, column["name"]
    lows, highs = ("minimum", "exclusiveMinimum", "minLength"), ("maximum", "exclusiveMaximum",
                                                                 "maxLength")  # fmt: skip
    for low, high in itertools.product(lows, highs):
        if low not in options or high not in options or ("Length" in low) != ("Length" in high):
            continue
        ends = options[low], options[high]
        one_kind = all(map(_number, ends)) or all(isinstance(e, str) for e in ends)
        strict = "exclusive" in low + high
        if one_kind and (ends[0] > ends[1] or (strict and ends[0] == ends[1])):
            what = f"a {low} above the {high} on the column '{name}'"
            yield Fault(what, (*field, low), "No value could keep it: mend one of them.")
    for end in ("minimum", "maximum"):
        if end in options and f"exclusive{end.title()}" in options:
            what = f"two bounds for the {end} of the column '{name}'"
            yield Fault(what, (*field, end), "Keep one of them.")


def _patterns(column: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    places: dict[tuple[str | int, ...], dict[str, Any]] = {
        ("logicalTypeOptions", "pattern"): column.get("logicalTypeOptions") or {}
    }
    for number, rule in enumerate(column.get("quality") or []):
        places["quality", number] = rule.get("arguments") or {}
    listed: list[tuple[str | int, ...]] = [("enum",)] if column.get("enum") else []
    listed += [place for place, options in places.items() if "validValues" in options]
    for several, kind in (
        (listed, "lists of allowed values"),
        ([p for p, o in places.items() if o.get("pattern") is not None], "patterns"),
    ):
        if len(several) > 1:
            what = f"several {kind} on the column '{column['name']}'"
            yield Fault(what, (*field, *several[1]), "One of each is enforced: put them in one.")
    for place, options in places.items():
        pattern = options.get("pattern")
        if pattern is not None and (wrong := patterns.fault(str(pattern))):
            what = f"a pattern on the column '{column['name']}', which cannot be used: {wrong}"
            yield Fault(what, (*field, *place), f"{PATTERN} Or name the allowed values (`enum`).")


def quality(of: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    """Quality rules of a table or a column that are not enforced."""
    table = "properties" in of
    for number, rule in enumerate(of.get("quality") or []):
        metric = rule.get("metric") or rule.get("rule") or rule.get("type")
        stated = [b for b in BOUNDS if b in rule and _numbers(rule[b])]
        if rule.get("type") == "text" or (table and metric == "rowCount" and len(stated) == 1):
            continue
        if table and rule.get("type") == "sql":
            if wrong := sql.fault(rule, of):
                what = f"the quality rule '{rule.get('name')}', which cannot be asked: {wrong}"
                fix = "Write one SELECT of one number (COUNT(*)) FROM ${table}, and its bound."
                yield Fault(what, (*field, "quality", number), fix)
            continue
        zero = metric in _METRICS and rule.get("mustBe") == 0
        if not table and zero and _has_its_arguments(rule):
            continue
        yield Fault(
            f"the quality rule '{rule.get('name') or metric}', which is not enforced",
            (*field, "quality", number),
            "Enforced are a table's rowCount with one bound and `type: sql`, and a column's "
            f"{', '.join(_METRICS)} with mustBe: 0 (`quarantineLimit` says how many rows may "
            "break it); as prose it has `type: text`.",
        )


def _has_its_arguments(rule: dict[str, Any]) -> bool:
    arguments = set(rule.get("arguments") or {})
    required = {"validValues", "pattern"} if rule.get("metric") == "invalidValues" else set()
    return arguments <= required and bool(arguments) == bool(required)


def _numbers(value: Any) -> bool:
    return all(map(_number, value if isinstance(value, list) else [value]))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
