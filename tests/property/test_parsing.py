"""Whatever a publisher writes into a field, staging reads back: quotes, delimiters, accents,
line breaks, blanks; mapping and dates do what the contract says and change nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import yaml
from conftest import BOTH_ENGINES
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from yupana.config.settings import ROOT, Settings
from yupana.core.hashing import file_sha256
from yupana.core.types import RawObject
from yupana.data import engine as engines
from yupana.data import parsing
from yupana.data.contracts import contract as contracts
from yupana.data.staging import cleaning

pytestmark = BOTH_ENGINES
# Each example is a Spark job of about a second: few examples, many rows in each.
FEW = hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
# Â, Ã and â begin what text that was encoded twice looks like, and such a file is refused.
TEXT = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"),
        exclude_characters="ÂÃâ",
    )
    | st.just(" "),
    max_size=12,
)
MONTHS = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
SHAPES: dict[str, Callable[[date], str]] = {
    "d/M/yyyy": lambda d: f"{d.day}/{d.month}/{d.year}",
    "d/M/yy": lambda d: f"{d.day}/{d.month}/{d.year % 100:02}",
    "yyyy-M-d": lambda d: f"{d.year}-{d.month}-{d.day}",
    "d 'de' MMMM 'de' yyyy": lambda d: f"{d.day} de {MONTHS[d.month - 1].title()} de {d.year}",
}


def a_contract(root: Path, properties: list[dict], **custom: object) -> contracts.Contract:
    """A contract of its own for a test, in a project of its own."""
    base = yaml.safe_load((ROOT / "expectations" / "iquitos_weekly" / "contract.yaml").read_text())
    base["schema"][0]["properties"] = properties
    base["customProperties"] = [{"property": k, "value": v} for k, v in custom.items()]
    folder = root / "expectations" / "one"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(base))
    return contracts.load(root, "one")


def read_back(
    engine: str, contract: contracts.Contract, rows: list[list[str]], tmp_path: Path
) -> list[list[object]]:
    """Write rows as a publisher would, and read them as staging does, in the file's order."""
    text = io.StringIO()
    csv.writer(text).writerows([[str(c.published) for c in contract.read], *rows])
    path = tmp_path / "file.csv"
    path.write_bytes(text.getvalue().encode())
    raw = RawObject(
        dataset="one", path=str(path), sha256=file_sha256(path), size=1, source="file.csv"
    )
    settings = Settings(home=tmp_path, engine=engine)
    parsed = parsing.parse(settings, contract, raw, tmp_path / "work")
    texts = engines.session(settings).read.parquet(str(parsed))
    typed = cleaning.values(texts, contract).orderBy("source_line").collect()
    assert all(row["_malformed"] is None for row in typed)
    return [[row[c.name] for c in contract.read] for row in typed]


def trim(text: str) -> str | None:
    """What trimming leaves of a field; nothing is null."""
    return text.strip(" ") or None


@FEW
@given(rows=st.lists(st.tuples(TEXT, TEXT, st.integers(0, 99)), min_size=1, max_size=60))
def test_any_text_in_one_line(engine: str, tmp_path: Path, rows: list) -> None:
    contract = a_contract(
        tmp_path,
        [
            {"name": n, "logicalType": t}
            for n, t in (("a", "string"), ("b", "string"), ("n", "integer"))
        ],
    )
    fields = read_back(engine, contract, [[a, b, str(n)] for a, b, n in rows], tmp_path)
    assert fields == [[trim(a), trim(b), n] for a, b, n in rows]


@FEW
@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=60))
def test_line_breaks_inside_fields(engine: str, tmp_path: Path, rows: list) -> None:
    contract = a_contract(
        tmp_path, [{"name": n, "logicalType": "string"} for n in "ab"]
    )
    broken = [[f"x{a}\n{b}\r\ny", "z"] for a, b in rows]
    assert read_back(engine, contract, broken, tmp_path) == broken


@FEW
@given(days=st.lists(st.dates(date(2000, 1, 1), date(2068, 12, 31)), min_size=1, max_size=60))
def test_every_shape_of_a_date_is_the_same_day(
    engine: str, tmp_path: Path, days: list[date]
) -> None:
    formats = {"property": "dateFormats", "value": list(SHAPES)}
    contract = a_contract(
        tmp_path, [{"name": "day", "logicalType": "date", "customProperties": [formats]}]
    )
    texts = [shape(day) for day in days for shape in SHAPES.values()]
    fields = read_back(engine, contract, [[text] for text in texts], tmp_path)
    assert [row[0] for row in fields] == [day for day in days for _ in SHAPES]


@FEW
@given(
    mapping=st.dictionaries(TEXT.map(str.strip).filter(bool), TEXT.filter(trim), max_size=6),
    others=st.lists(TEXT, min_size=1, max_size=20),
)
def test_mapping_changes_mapped_codes_alone(
    engine: str, tmp_path: Path, mapping: dict[str, str], others: list[str]
) -> None:
    codes = {"property": "codes", "value": mapping}
    missing = {"property": "missing", "value": ["NA"]}
    options = [codes, missing] if mapping else [missing]
    contract = a_contract(
        tmp_path, [{"name": "c", "logicalType": "string", "customProperties": options}]
    )
    texts = [*mapping, *others, "NA"]
    # A line with nothing in it is no row: a second way to be sure that the field is there.
    fields = read_back(engine, contract, [[f" {t or 'x'} "] for t in texts], tmp_path)
    expected = [(t or "x").strip(" ") or None for t in texts]
    assert [row[0] for row in fields] == [
        None if t == "NA" else mapping.get(t, t) if t else None for t in expected
    ]
