"""The conventions that every data set keeps: names, types, places, weeks, units, codes, relations.

English snake_case names (ISO/IEC 11179-5 asks for one naming convention, PostgreSQL sets the
length), ISO 8601 dates, INEI codes for places, PAHO epidemiological weeks, a unit for every
measure and a list for every code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from yupana.core import names
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.national import columns
from yupana.data.national.columns import CodeColumn


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TYPES = ("string", "integer", "number", "date", "timestamp", "boolean")
# Words of published headers that are easily left untranslated.
_SPANISH = _words(
    "ano anio fecha semana mes dia hora distrito provincia departamento sexo edad casos nombre "
    "apellido codigo tipo clase estado descripcion diagnostico enfermedad poblacion direccion "
    "telefono correo entidad reclamo denuncia"
)
_YEAR = re.compile(r"(19|20)\d\d|2100")
_CALENDAR = _words("year month week day hour quarter season") | columns.CALENDAR
_CODE_WORDS = _words("code type class category status sex severity")
_DIRECT_IDENTIFIERS = _words(
    "dni passport first_name last_name full_name surname given_name person_name patient_name "
    "phone phone_number email home_address birth_date date_of_birth"
)


@dataclass(frozen=True)
class Lake:
    """All contracts, for conventions that look beyond one of them.

    Attributes:
        areas: the known subject areas and their Spanish titles.
    """

    contracts: dict[str, Contract]
    areas: dict[str, str]


# (column, what breaks the convention, how to mend it); an empty column means the table.
Finding = tuple[str, str, str]
Check = Callable[[Contract, Lake], Iterator[Finding]]
CONVENTIONS: dict[str, tuple[str, Check]] = {}


def convention(name: str, says: str) -> Callable[[Check], Check]:
    """Enter a check under the name that reports use."""

    def enter(check: Check) -> Check:
        CONVENTIONS[name] = (says, check)
        return check

    return enter


@convention("name.snake_case", "Names are ASCII snake_case of at most 63 characters.")
def _snake_case(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for column, name in [("", contract.name), *((c.name, c.name) for c in contract.columns)]:
        if not names.is_snake_case(name):
            yield column, f"'{name}' is not snake_case", "Write it like week_start."


@convention("name.english", "Names are English; the published name stays in physicalName.")
def _english(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for column in contract.columns:
        if foreign := sorted(_SPANISH & set(column.name.split("_"))):
            yield column.name, f"Spanish words: {', '.join(foreign)}", "Translate the name."


@convention("type.allowed", f"Types are {', '.join(TYPES)}.")
def _types(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for column in contract.columns:
        if column.type not in TYPES:
            yield column.name, f"type '{column.type}'", f"Use one of: {', '.join(TYPES)}."


@convention("type.date", "A column named as a day (…_date, …_start, …_on) is a date or timestamp.")
def _dates(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for column in contract.columns:
        is_day = re.search(r"(^|_)date$|^date_|_(start|end|on)$", column.name)
        if is_day and column.type not in ("date", "timestamp"):
            fix = "Use logicalType: date, with dateFormats if the file writes it otherwise."
            yield column.name, f"a day of type {column.type}", fix


def _listed(code: CodeColumn) -> Check:
    """The check of columns that hold codes of one of the country's lists."""
    dataset = code.relation.split(".")[0]

    def check(contract: Contract, lake: Lake) -> Iterator[Finding]:
        for column in contract.columns:
            if code.word not in column.name.split("_") or contract.name == dataset:
                continue
            if column.type != "string":
                fix = "Use logicalType: string."
                yield column.name, f"type {column.type} loses leading zeros", fix
            if not (column.relation or "").startswith(f"{dataset}."):
                fix = f"Add relationships: [{{type: foreignKey, to: {code.relation}}}]."
                yield column.name, f"not tied to {code.list_name}", fix

    return check


for _code in columns.CODES:
    _rule = f"A {_code.word} is text, tied to {_code.list_name} ({_code.relation})."
    convention(f"place.{_code.word}", _rule)(_listed(_code))


@convention("time.week", "A week is a whole number of 1-53 beside its year.")
def _week(contract: Contract, lake: Lake) -> Iterator[Finding]:
    by_name = {c.name: c for c in contract.columns}
    for week in (c for c in contract.columns if c.name in ("week", "epidemiological_week")):
        if week.type != "integer":
            yield week.name, f"type {week.type}", "Use logicalType: integer."
        elif not _within(contract, week, 1, 53):
            fix = "Add logicalTypeOptions: {minimum: 1, maximum: 53}."
            yield week.name, "may hold weeks that no year has", fix
        if not any(n in by_name and by_name[n].type == "integer" for n in ("year", "epi_year")):
            yield week.name, "stands without its year", "Add the column `year` (integer)."


def _within(contract: Contract, column: Column, low: int, high: int) -> bool:
    """Whether a range rule keeps the column inside [low, high]."""
    bounds = [r.values for r in contract.rules if (r.kind, r.column) == ("range", column.name)]
    return any(
        a is not None and b is not None and low <= a and b <= high
        for a, b in ((v[0], v[1]) for v in bounds)
    )


@convention("time.relative", "The latest year or day is that of the release, never a literal.")
def _relative(contract: Contract, lake: Lake) -> Iterator[Finding]:
    file = f"expectations/{contract.name}/contract.yaml"
    fix = f"In {file}, put customProperties: [{{property: notAfter, value: release}}] in its place."
    for column in contract.columns:
        for rule, low, high in _upper_bounds(contract, column):
            if high is not None and _of_time(column, low, high):
                yield column.name, f"{rule} ends at {high}: a later release breaks it", fix


def _upper_bounds(contract: Contract, column: Column) -> Iterator[tuple[str, Any, Any]]:
    """(rule or flag, minimum, maximum) of the literals that bound a column."""
    for rule in (r for r in contract.rules if r.column == column.name):
        if rule.kind == "range":
            yield rule.name, *rule.bounds
        # A related code list is a data set of its own, and grows by itself.
        elif rule.kind == "codes" and column.relation is None and all(map(_is_year, rule.values)):
            yield rule.name, min(rule.values), max(rule.values)
    if column.flag and column.outlier:
        yield column.flag, column.outlier.minimum, column.outlier.maximum


def _of_time(column: Column, low: Any, high: Any) -> bool:
    """Whether bounds are days or calendar years: by type, name, or values of 1900-2100."""
    if column.type in ("date", "timestamp"):
        return True
    counts_years = column.unit in ("", "year", "years")
    looks = column.type == "integer" and _is_year(high) and (low is None or _is_year(low))
    return counts_years and (looks or "year" in column.name.split("_"))


def _is_year(value: Any) -> bool:
    return _YEAR.fullmatch(str(value)) is not None


@convention("measure.unit", "A measure has a unit (cases, mm, °C, PEN …).")
def _units(contract: Contract, lake: Lake) -> Iterator[Finding]:
    coded = {r.column for r in contract.rules if r.kind == "codes"}
    for c in contract.columns:
        if c.type not in ("integer", "number") or c.unit or c.name in coded or c.relation:
            continue
        # Whole numbers that count or order rather than measure need none.
        words = set(c.name.split("_"))
        ordinal = words & (_CALENDAR | _CODE_WORDS | {"id", "number", "order"})
        if c.type == "number" or not (ordinal or c.name in contract.key):
            yield c.name, "a number without a unit", "Add customProperties: unit."


@convention("code.tied", "A column of codes has an enum or a code list.")
def _codes(contract: Contract, lake: Lake) -> Iterator[Finding]:
    tied = {r.column for r in contract.rules if r.kind == "codes"}
    for c in contract.columns:
        # The key of a code list defines codes rather than using them.
        defines = c.personal or c.name in contract.key
        explained = c.name in tied or c.relation is not None
        if c.name.split("_")[-1] in _CODE_WORDS and not defines and not explained:
            fix = "List its values in enum, or relate it to a code list."
            yield c.name, "codes that no list explains", fix


@convention("code.quoted", "A code that YAML may take for something else stands in quotes.")
def _quoted(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for line, text in contract.unquoted:
        what = f"'{text}' in line {line} stands without quotes; it is read as text"
        yield "", what, f"Write '{text}' in quotes, for other readers of the file."


@convention("relation.exists", "A relation leads to a column of a data set, of the same type.")
def _relations(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for c in contract.columns:
        if c.relation is None:
            continue
        name, _, target = c.relation.partition(".")
        other = lake.contracts.get(name)
        target_column = {o.name: o for o in other.columns}.get(target) if other else None
        if target_column is None:
            yield c.name, f"leads to '{c.relation}', which is not there", "Mend `relationships`."
        elif target_column.type != c.type:
            what = f"{c.type}, but {c.relation} is {target_column.type}"
            yield c.name, what, "Give both the same logicalType."


@convention("personal.treated", "Names, documents, phones and birth dates are personal data.")
def _personal(contract: Contract, lake: Lake) -> Iterator[Finding]:
    for c in contract.columns:
        if c.name in _DIRECT_IDENTIFIERS and not c.personal:
            fix = "Add classification: personal and a treatment (drop, pseudonymise, mask)."
            yield c.name, "names a person and is not marked as personal", fix


@convention("table.key", "A table states its key, or in words what one row is.")
def _key(contract: Contract, lake: Lake) -> Iterator[Finding]:
    if not contract.key and not contract.granularity:
        yield "", "no key and no statement of what one row is", "Add dataGranularityDescription."


@convention("about.stated", "Title, publisher, licence and purpose are stated.")
def _about(contract: Contract, lake: Lake) -> Iterator[Finding]:
    stated = {
        "name": contract.title if contract.title != "None" else "",
        "tenant (publisher)": contract.publisher if contract.publisher != "None" else "",
        "customProperties licence": contract.licence if contract.licence != "none stated" else "",
        "description.purpose": contract.purpose,
    }
    for field, value in stated.items():
        if not value:
            fix = f"State `{field}`; where the publisher states no licence, say so in words."
            yield "", f"{field} is not stated", fix


@convention("about.complete", "Nothing that a draft left for a person to write is left.")
def _complete(contract: Contract, lake: Lake) -> Iterator[Finding]:
    stated = {
        "name": contract.title,
        "tenant (publisher)": contract.publisher,
        "customProperties licence": contract.licence,
        "description.purpose": contract.purpose,
        "description.limitations": contract.limitations,
        "dataGranularityDescription": contract.granularity,
    }
    for field, value in stated.items():
        if value.startswith("TODO"):
            yield "", f"{field} still says '{value}'", "Write it; a draft cannot know it."


@convention("about.area", "The subject area is one of expectations/subject_areas.csv.")
def _area(contract: Contract, lake: Lake) -> Iterator[Finding]:
    if contract.subject_area not in lake.areas:
        what = f"'{contract.subject_area}' is not a known subject area"
        yield "", what, f"Use one of: {', '.join(lake.areas)}."
