"""Files and contracts that nobody wrote: both engines give the same table, refusals and audit."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import yaml
from compare import differences, pair
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from yupana.config.settings import ROOT
from yupana.core.progress import Silent
from yupana.orchestration.ingest import ingest

pytestmark = pytest.mark.spark
NAME = "generated"
# Texts that engines read each in their own way when nobody stops them.
NUMBERS = [
    "0", "-0", "+7", "007", "1.0", "1.", ".5", "1e3", "1E-2", "2147483647", "2147483648",
    "-2147483648", "9999999999", "5D", "7f", "0x1F", "NaN", "Infinity", "-inf", "1_000", "1,5",
    "１２", "٣", " 12 ", "12\u00a0", "1e400", "0.1", "123456789.123456789", "--1", "",
]  # fmt: skip
DATES = [
    "2020-02-29", "2021-02-29", "2021-2-3", "0021-01-01", "2021", "20210203", "2021-01-01T10:30",
    "2021-13-01", "31/12/2020", "1/2/21", "1/13/2020", "31/04/2020", "10:30", "epoch", "now",
    "2020-12-31 ", "3 de marzo de 2020", "3 de Setiembre de 2020", "44260", "",
]  # fmt: skip
TIMES = [
    "2020-02-29 23:59:59", "2020-02-29T00:00:00Z", "2020-02-29T10:30:00-05:00", "2020-02-29",
    "2020-02-29 24:00:00", "2020-02-29 10:30", "10:30", "2020-02-29 10:30:00.123456", "",
]  # fmt: skip
WORDS = [
    "SI", "si", "NO", "true", "T", "y", "0", "1", "MARAÑÓN", "marañon", " a  b ", "a\u00a0\u00a0b",
    "NA", "-9999", "línea\nuna", 'di "hola"', "a;b", "\u2003x", "İ", "ß", "ŉ", "\u0301e", "\t", "",
    # A letter and a digit that older versions of Unicode do not know.
    "\U00031e4e+", "\U0001fbf9",
]  # fmt: skip
PLACES = [("LORETO", "MAYNAS", "IQUITOS"), ("Loreto", " maynas", "Iquitos "), ("Áncash", "x", ""),
          ("LORETO", "MAYNAS", "NADA")]  # fmt: skip


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """A property of a contract; `more` are its custom properties."""
    custom = [{"property": k, "value": v} for k, v in more.items()]
    return {"name": name, "logicalType": kind, "customProperties": custom}


def contract(partition: bool, bounds: tuple[int, int], action: str) -> dict[str, Any]:
    """A contract with a column of every type, cleaning, derivation and rule."""
    base = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    base["customProperties"] = [{"property": "quarantineLimit", "value": 1}]
    low, high = bounds
    numbers = {**column("n", "number", unit="x"), "logicalTypeOptions": {"minimum": low}}
    outlier = {"minimum": low, "maximum": high, "action": action}
    base["schema"][0]["properties"] = [
        {**column("i", "integer", unit="x"), "required": True},
        numbers,
        column("o", "number", unit="x", outlier=outlier),
        column("b", "boolean"),
        column("d", "date"),
        column("f", "date", dateFormats=["d/M/yyyy", "d/M/yy", "d 'de' MMMM 'de' yyyy"]),
        column("t", "timestamp"),
        {**column("w", "string", missing=["NA", "-9999"], collapse=True),
         "logicalTypeOptions": {"pattern": r"^[\w\s]+$"}, "partitioned": partition},
        column("c", "string", codes={"SI": "yes", "NO": "no"}),
        {**column("p", "string", treatment="pseudonymise"), "classification": "personal"},
        *(column(x, "string") for x in ("department", "province", "district")),
        {"name": "ubigeo", "logicalType": "string", "transformLogic": "ubigeo_inei",
         "transformSourceObjects": ["department", "province", "district"]},
        {"name": "week_start", "logicalType": "date", "transformLogic": "epiweek_start",
         "transformSourceObjects": ["i", "i"]},
    ]  # fmt: skip
    return dict(base)


def words(vocabulary: list[str]) -> st.SearchStrategy[str]:
    # Â, Ã and â begin what text that was encoded twice looks like, and such a file is refused.
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0\rÂÃâ"), max_size=6)
    return st.sampled_from(vocabulary) | text


ROW = st.tuples(
    words(NUMBERS), words(NUMBERS), words(NUMBERS), words(WORDS), words(DATES), words(DATES),
    words(TIMES), words(WORDS), words(WORDS), words(WORDS), st.sampled_from(PLACES),
)  # fmt: skip


def compare(rows: list[Any], about: dict[str, Any]) -> list[str]:
    """Write file and contract, ingest them on each engine; what differs."""
    folder = Path(mkdtemp(prefix="parity-"))
    place = folder / "project" / "expectations" / NAME
    place.mkdir(parents=True)
    (place / "contract.yaml").write_text(yaml.safe_dump(about, allow_unicode=True))
    header = [p["name"] for p in about["schema"][0]["properties"] if "transformLogic" not in p]
    text = io.StringIO()
    csv.writer(text).writerows([header, *([*row[:-1], *row[-1]] for row in rows)])
    source = folder / "file.csv"
    source.write_bytes(text.getvalue().encode())
    lakes = pair(folder, folder / "project")
    results = [ingest(lake, NAME, str(source), Silent()) for lake in lakes]
    return differences((results[0], results[1]), lakes, NAME)


def examples(number: int) -> Any:
    """An ingest on Spark takes seconds: few examples, many rows in each, and no shrinking."""
    return hypothesis_settings(
        max_examples=number, deadline=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


MANY = {
    "rows": st.lists(ROW, min_size=30, max_size=80),
    "partition": st.booleans(),
    "bounds": st.tuples(st.integers(-5, 0), st.integers(1, 9)),
    "action": st.sampled_from(["flag", "null", "clip", "quarantine"]),
}


@examples(3)
@given(**MANY)
def test_generated(rows: list[Any], partition: bool, bounds: Any, action: str) -> None:
    assert not compare(rows, contract(partition, bounds, action))


@pytest.mark.long
@examples(40)
@given(**MANY)
def test_generated_long(rows: list[Any], partition: bool, bounds: Any, action: str) -> None:
    assert not compare(rows, contract(partition, bounds, action))


def test_every_text_that_is_read_in_two_ways() -> None:
    longest = max(map(len, (NUMBERS, DATES, TIMES, WORDS)))
    cells = [[texts[i % len(texts)] for i in range(longest)] for texts in (
        NUMBERS, NUMBERS, NUMBERS, WORDS, DATES, DATES, TIMES, WORDS, WORDS, WORDS
    )]  # fmt: skip
    places = [PLACES[i % len(PLACES)] for i in range(longest)]
    rows = list(zip(*cells, places, strict=True))
    assert not compare(rows, contract(False, (0, 5), "clip"))
