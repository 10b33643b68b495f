"""A column of a contract: its names, type, unit, cleaning and what is done with personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from open_data_contract_standard.model import SchemaProperty

from yupana.core.errors import TerminalError
from yupana.core.patterns import AROUND
from yupana.data.national import changes

Treatment = Literal["none", "drop", "pseudonymise", "mask"]
Negative = Literal["minus", "parentheses", "trailing"]
Action = Literal["flag", "null", "clip", "quarantine"]


@dataclass(frozen=True)
class Outlier:
    """Plausible bounds (inclusive, in the column's unit) and what happens outside of them."""

    minimum: float | None
    maximum: float | None
    action: Action


@dataclass(frozen=True)
class Column:
    """A column: `published` is its name in the file, None when it is derived.

    Attributes:
        missing: texts that mean "no value" (`NA`, `-9999.0`).
        codes: published text → standard code.
        date_formats: patterns (java.time) tried in this order; `MMMM` reads Spanish months.
        collapse: runs of blanks become one.
        pad: digits that a code has; zeros that a spreadsheet took away are put back.
        decimal, thousands: marks that a number is written with.
        negative: how a number below zero is written where it has no minus before it.
        fill: an empty cell takes what stands above it.
        long: whole numbers of 64 bits.
        relation: `<data set>.<column>` that holds the allowed values, None when free.
    """

    name: str
    published: str | None
    type: str
    description: str = ""
    unit: str = ""
    required: bool = False
    personal: bool = False
    treatment: Treatment = "none"
    derive: str | None = None
    derive_from: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    codes: dict[str, str] = field(default_factory=dict, hash=False)
    outlier: Outlier | None = None
    date_formats: tuple[str, ...] = ()
    collapse: bool = False
    pad: int = 0
    decimal: str = "."
    thousands: str = ""
    negative: Negative = "minus"
    fill: bool = False
    long: bool = False
    relation: str | None = None

    @property
    def flag(self) -> str | None:
        """Name of the flag that a cleaned value leaves in `quality_flags`."""
        if self.outlier is None or self.outlier.action == "quarantine":
            return None
        return f"{self.name}.outlier_{self.outlier.action}"


def column_of(p: SchemaProperty, where: str) -> Column:
    """Read one property of the contract's schema.

    Raises:
        TerminalError: an option that does not exist; names the column and the options.
    """
    options = {c.property: c.value for c in p.customProperties or []}
    unknown = set(map(str, options)) - {
        "unit", "treatment", "missing", "codes", "outlier", "notAfter", "dateFormats", "collapse",
        "pad", "decimal", "thousands", "negative", "fill",
    }  # fmt: skip
    if unknown:
        raise _wrong(p, where, f"unknown customProperties: {', '.join(sorted(unknown))}")
    if "notAfter" in options and (
        options["notAfter"] != "release" or p.logicalType not in ("integer", "date", "timestamp")
    ):
        what = f"notAfter '{options['notAfter']}': use release, on a year (integer) or a date"
        raise _wrong(p, where, what)
    personal = p.classification == "personal"
    relations = p.relationships or []
    return Column(
        name=str(p.name),
        published=None if p.transformLogic else p.physicalName or p.name,
        type=p.logicalType or "string",
        description=p.description or "",
        unit=str(options.get("unit") or ""),
        required=bool(p.required),
        personal=personal,
        treatment=_treatment(p, options, where),
        derive=p.transformLogic,
        derive_from=tuple(p.transformSourceObjects or ()),
        missing=tuple(str(m).strip(AROUND) for m in _list(options.get("missing"))),
        codes=_codes(p, options.get("codes")),
        outlier=_outlier(p, options.get("outlier"), where),
        date_formats=tuple(map(str, _list(options.get("dateFormats")))),
        collapse=bool(options.get("collapse")),
        pad=int(options.get("pad") or 0),
        decimal=str(options.get("decimal") or "."),
        thousands=str(options.get("thousands") or ""),
        negative=options.get("negative", "minus"),  # type: ignore[arg-type]
        fill=options.get("fill") == "down",
        long=(p.logicalTypeOptions or {}).get("format") == "i64",
        relation=str(relations[0].to) if relations else None,
    )


def _codes(p: SchemaProperty, stated: Any) -> dict[str, str]:
    """The stated ones, and where rows count events, withdrawn codes of the country as well: in a
    table of a row a code, the successor would stand twice."""
    relation = str(p.relationships[0].to) if p.relationships else None
    own = {str(k).strip(AROUND): str(v) for k, v in dict(stated or {}).items()}
    follows = not p.primaryKey and not p.unique and not p.transformLogic
    return {**(changes.successors(relation) if follows else {}), **own}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _treatment(p: SchemaProperty, options: dict[Any, Any], where: str) -> Treatment:
    personal = p.classification == "personal"
    treatment = str(options.get("treatment", "drop" if personal else "none"))
    if treatment not in get_args(Treatment) or personal == (treatment == "none"):
        what = f"treatment '{treatment}': use drop, pseudonymise or mask, on personal columns alone"
        raise _wrong(p, where, what)
    if treatment == "mask" and (p.logicalType or "string") != "string":
        raise _wrong(p, where, f"treatment 'mask' on {p.logicalType}: it is for texts")
    return treatment  # type: ignore[return-value]


def _outlier(p: SchemaProperty, value: Any, where: str) -> Outlier | None:
    if value is None:
        return None
    action = value.get("action")
    if action not in ("flag", "null", "clip", "quarantine"):
        raise _wrong(p, where, f"outlier action '{action}': use flag, null, clip or quarantine")
    return Outlier(value.get("minimum"), value.get("maximum"), action)


def _wrong(p: SchemaProperty, where: str, what: str) -> TerminalError:
    return TerminalError(
        f"The contract's column '{p.name}' has {what}.",
        where=where,
        fix="docs/contracts.md lists what a column may state.",
    )
