"""Values that a type or a rule does not fit, and releases that follow each other."""

from __future__ import annotations

from datetime import UTC, date, datetime

from case_steps import Case, Ingest, changes, fails_audit, publishes, refuses

PARSED = "row.parsed"
ALL_ALLOWED = "quarantineLimit, value: 0 → quarantineLimit, value: 1"

DATES: list[Case] = [
    fails_audit(
        "D-date-loose", "3 of 3 rows", "line 2", "d: 9999",
        aside=tuple((line, "row.parsed d.required") for line in (2, 3, 4)),
    ),
    refuses("D-datefmt-DD", "'DD/MM/YYYY' on the column 'd'", "line 21", "Write dd/MM/yyyy"),
    publishes(
        "D-datefmt-DD", (1, date(2021, 3, 5)), (2, date(2021, 12, 28)),
        text="DD/MM/YYYY → dd/MM/yyyy",
    ),
    publishes(
        "D-datefmt-ENE", (1, date(2020, 1, 27)), (2, date(2020, 3, 16)), (3, date(2020, 4, 16)),
        (4, date(2020, 12, 31)), (5, date(2020, 4, 16)),
    ),
    refuses("D-datefmt-mm", "column 'd'", "m is the minute", "line 21", "Write dd/MM/yyyy"),
    publishes(
        "D-datefmt-mm", (1, date(2021, 3, 5)), (2, date(2021, 12, 28)),
        text="dd/mm/yyyy → dd/MM/yyyy",
    ),
    fails_audit("D-timestamp-clock", "line 3", "reported_at: 99:99", aside=((3, PARSED),)),
    publishes(
        "D-timestamp-clock", (1, datetime(2021, 3, 5, 10, tzinfo=UTC)), aside=((3, PARSED),),
        text=ALL_ALLOWED,
    ),
]  # fmt: skip

NUMBERS_AND_CODES: list[Case] = [
    publishes(
        "D-decimal-comma", (3, 1.234), aside=((2, PARSED), (3, PARSED)),
        notice=("rain", "comma", "`decimal`"),
    ),
    publishes(
        "D-decimal-comma", (1, 1.5), (2, 1234.56), (3, 1234.0),
        text="customProperties: [{property: unit → customProperties: [{property: decimal, "
        "value: ','}, {property: thousands, value: .}, {property: unit",
    ),
    refuses("D-range-on-text", "'age' is of type string", "minimum", "line 21", "for numbers"),
    publishes(
        "D-range-on-text", (1, 5), (2, None),
        text="logicalType: string, → logicalType: integer, "
        "customProperties: [{property: missing, value: [S/D]}],",
    ),
    publishes("D-ubigeo-5", ("160101", 6), aside=((2, "ubigeo.codes"),)),
    publishes(
        "D-ubigeo-5", ("010101", 5), ("160101", 6),
        text="name: ubigeo, → name: ubigeo, customProperties: [{property: pad, value: 6}],",
    ),
    publishes("D-yaml-no", (1, "SI"), (2, "NO"), (3, "NO")),
    publishes("D-yaml-no-codes", (1, "Y"), (2, "N"), (3, "N")),
    fails_audit("D-quality-ignored", "2 rows", "at least 1,001", "rowCount"),
    publishes(
        "D-quality-ignored", (1, 5), (2, 6),
        text="mustBeGreaterThan: 1000 → mustBeGreaterThan: 1",
    ),
    fails_audit(
        "E-limit-words", "2 of 201 rows", "allows 0.5%", "line 201, cases: a",
        aside=((201, PARSED), (202, PARSED)),
    ),
]  # fmt: skip

GOOD, ERROR = ((1, 10), (2, 20), (3, 30)), ((1, 999), (2, 999), (3, 999))
JANUARY = (("2024-01", "A", 5), ("2024-01", "B", 7))
REVISED = (("2024-01", "A", 6), ("2024-01", "B", 7))
TWICE = ((2, "key.unique"), (3, "key.unique"))
MARCH_5, MARCH_6 = date(2021, 3, 5), date(2021, 3, 6)

RELEASES: list[Case] = [
    Case("C5-rollback", (
        Ingest("a_good.csv", rows=GOOD),
        Ingest("b_error.csv", rows=ERROR),
        Ingest("a_good.csv", rows=GOOD),
        "history {name}",
    )),
    Case("D-append-key", (
        Ingest("2024-01.csv", "contract_v1.yaml", JANUARY),
        Ingest("2024-01_rev.csv", "contract_v1.yaml", JANUARY, TWICE, ("key.unique", "2 of 2")),
        "quality {name}",
        "quarantine {name}",
        Ingest("2024-02.csv", rows=(
            ("2024-01", "A", 5, None), ("2024-02", "A", 6, 1),
            ("2024-01", "B", 7, None), ("2024-02", "B", 7, 0),
        ), aside=TWICE),
        "maintain --dry-run",
    )),
    Case("D-append-key", (
        Ingest("2024-01.csv", "contract_v1.yaml", JANUARY),
        Ingest("2024-01_rev.csv", "contract_v1.yaml", REVISED),
        "quality {name}",
        Ingest("2024-02.csv", rows=(
            ("2024-01", "A", 6, None), ("2024-02", "A", 6, 1),
            ("2024-01", "B", 7, None), ("2024-02", "B", 7, 0),
        )),
        "maintain --dry-run",
    ), changes(text="value: append → value: merge")),
    Case("D-serial-date", (
        Ingest(rows=((1, MARCH_5, 4),), aside=((3, PARSED),)),
        "quarantine {name}",
        Ingest("mended.csv", rows=((1, MARCH_5, 4), (2, MARCH_6, 5)), aside=((3, PARSED),)),
        "quality {name}",
        "maintain --dry-run",
    )),
    Case("D-serial-quarantine", (
        Ingest(rows=((1, MARCH_5, 4),), aside=((3, PARSED),)),
        Ingest("mended.csv", rows=((1, MARCH_5, 4), (2, MARCH_6, 5)), aside=((3, PARSED),)),
        Ingest(
            "next.csv", rows=((1, MARCH_5, 4), (2, MARCH_6, 5)),
            aside=((3, PARSED), (4, PARSED)),
        ),
        "quarantine {name}",
        "quality {name}",
        "maintain --dry-run",
    )),
]  # fmt: skip
