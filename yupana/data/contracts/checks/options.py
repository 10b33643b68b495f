"""Options of a contract that would do nothing, or another thing than they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yupana.data.contracts import stream_address
from yupana.data.contracts.checks import stream
from yupana.data.contracts.checks.columns import Fault

# A word that is nearly `personal` would publish names and documents in clear.
CLASSIFICATIONS = ("personal", "restricted", "public")
# What an option of the file is for.
FORMATS = {
    "encoding": ("csv", "json"),
    "headerRow": ("csv", "xlsx"),
    "delimiter": ("csv",),
    "widths": ("csv",),
    "sheet": ("xlsx",),
    "records": ("json",),
    "skip": ("csv", "xlsx", "json", "parquet"),
    "mojibake": ("csv", "xlsx", "json", "parquet"),
}
_NUMBERS = ("integer", "number")
_OF_NUMBERS = ("negative", "outlier")
# They say how a cell of the file is read; a derived column has none.
_OF_CELLS = (
    "missing", "codes", "dateFormats", "collapse", "pad", "decimal", "thousands", "negative",
    "fill",
)  # fmt: skip


def faults(content: dict[str, Any]) -> Iterator[Fault]:
    """Options of the file and of the columns, in that order."""
    yield from _of_file(content)
    yield from _twice(content.get("slaProperties") or [], ("slaProperties",), "")
    for number, server in enumerate(content["servers"][1:], 1):
        what = f"a second source, '{server.get('server')}', which is never read"
        yield Fault(what, ("servers", number), "Keep one; several files are a folder or a pattern.")
    for number, column in enumerate(content["schema"][0].get("properties") or []):
        field = ("schema", 0, "properties", number)
        yield from _of_personal(column, field)
        yield from _of_column(column, field)


def _of_file(content: dict[str, Any]) -> Iterator[Fault]:
    server = content["servers"][0]
    if stream_address.is_stream(stream.location(server, content["schema"][0])):
        return  # A stream's contract has none of them.
    format = server.get("format", "csv")
    names = [str(o.get("property")) for o in content.get("customProperties") or []]
    for number, name in enumerate(names):
        right = FORMATS.get(name)
        if right is None or format in right or (name == "delimiter" and "skip" in names):
            continue
        yield Fault(
            f"the option '{name}', which does nothing for a file of format {format}",
            ("customProperties", number, "value"),
            f"Take it out; it is for {', '.join(right)}.",
        )


def _twice(
    listed: list[dict[str, Any]], field: tuple[str | int, ...], of: str
) -> Iterator[Fault]:
    names = [str(o.get("property")) for o in listed]
    for number, name in enumerate(names):
        if name in names[:number]:
            what = f"the option '{name}' twice{of}"
            yield Fault(what, (*field, number), "Keep one of them: the other would be lost.")


def _of_personal(column: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    name, word = column["name"], column.get("classification")
    if word is not None and word not in CLASSIFICATIONS:
        what = f"the classification '{word}' on the column '{name}', which yupana does not know"
        fix = f"Write one of {', '.join(CLASSIFICATIONS)}; personal alone keeps it from the table."
        yield Fault(what, (*field, "classification"), fix)
    stated = {o.get("property"): o.get("value") for o in column.get("customProperties") or []}
    treatment = stated.get("treatment", "drop")
    if word != "personal" or treatment not in ("drop", "mask"):
        return
    # Of masked texts, different ones may become equal.
    done, flags = "dropped", ["primaryKey", "partitioned"]
    if treatment == "mask":
        done, flags = "masked", [*flags, "unique"]
    for flag in flags:
        if column.get(flag):
            what = f"{flag} on the column '{name}', which is personal and {done}"
            fix = "Keep it by {property: treatment, value: pseudonymise}, or name other columns."
            yield Fault(what, (*field, flag), fix)


def _of_column(column: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    name, listed = column["name"], column.get("customProperties") or []
    place = (*field, "customProperties")
    yield from _twice(listed, place, f" on the column '{name}'")
    for number, option in enumerate(o.get("property") for o in listed):
        if option in _OF_NUMBERS and column.get("logicalType") not in _NUMBERS:
            what = f"{option} on the column '{name}', which is no number"
            yield Fault(what, (*place, number), "Give it logicalType: number, or take it out.")
        elif option in _OF_CELLS and column.get("transformLogic"):
            what = f"{option} on the column '{name}', which is derived and no cell of the file"
            yield Fault(what, (*place, number), "State it on the columns that it is made of.")
    outliers = [o.get("value") or {} for o in listed if o.get("property") == "outlier"]
    bounds = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    if bounds & set(column.get("logicalTypeOptions") or {}) and any(
        isinstance(outlier, dict) and outlier.get("action") == "quarantine" for outlier in outliers
    ):
        what = f"two ranges that set rows aside on the column '{name}'"
        fix = "Keep minimum and maximum alone; an outlier's action may be flag, null or clip."
        yield Fault(what, (*field, "logicalTypeOptions"), fix)
