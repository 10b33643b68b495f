"""The same publication by DuckDB and delta-rs: no JVM, no Great Expectations.

Run: python -m tests.benchmark.duck FILE FOLDER. The last line printed is a JSON object.

The file is parsed once into a table on disk, so that the audit decides before anything is
published; both writes are streams.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import write_deltalake

from tests.benchmark.rulebook import broken, rules_of
from yupana.config.settings import settings
from yupana.data.contracts import contract
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import MALFORMED
from yupana.data.national import calendar
from yupana.data.national import places as national_places

NAME = "dengue_linelist"
TYPES = {"string": "VARCHAR", "integer": "INTEGER", "date": "DATE"}


def stage(about: Contract, source: str, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A table `staged` with typed and derived columns and the rules that each row breaks."""
    connection = duckdb.connect(scratch / "staged.duckdb")
    connection.execute("SET preserve_insertion_order = false")
    codes = national_places.ubigeos().items()
    places = list(zip(*((*names, code) for names, code in codes), strict=True))
    weeks = list(zip(*calendar.epiweek_starts(1990, 2040), strict=True))
    connection.register("places", pa.table(dict(zip("abcu", map(list, places), strict=True))))
    connection.register("weeks", pa.table(dict(zip("yws", map(list, weeks), strict=True))))
    connection.execute(f"CREATE TABLE staged AS {_query(about)}", [source])
    return connection


def _query(about: Contract) -> str:
    with_text = [c for c in about.columns if c.published and not c.personal]
    texts = ", ".join(f"""nullif(trim("{c.published}"), '') AS "{c.name}" """ for c in with_text)
    typed = ", ".join(f'try_cast("{c.name}" AS {TYPES[c.type]}) AS "{c.name}"' for c in with_text)
    unread = ", ".join(
        f"""CASE WHEN "{c.name}" IS NOT NULL AND try_cast("{c.name}" AS {TYPES[c.type]}) IS NULL
        THEN '{c.name}' END"""
        for c in with_text
        if c.type != "string"
    )
    names = ", ".join(
        f"CASE WHEN {broken(r, 'duckdb')} THEN '{r.name}' END" for r in rules_of(about)
    )
    bare = "translate(upper({}), 'ÁÉÍÓÚÜ', 'AEIOUU')"
    return f"""
        WITH text AS (
            SELECT {texts} FROM read_csv(?, header = true, all_varchar = true, delim = ',')
        ), typed AS (
            SELECT {typed}, nullif(concat_ws(', ', {unread}), '') AS "{MALFORMED}" FROM text
        ), whole AS (
            SELECT typed.*, u AS ubigeo, s AS week_start FROM typed
            LEFT JOIN places ON a = {bare.format("department")}
                AND b = {bare.format("province")} AND c = {bare.format("district")}
            LEFT JOIN weeks ON y = year AND w = week
        )
        SELECT *, list_filter([{names}], lambda name: name IS NOT NULL) AS broken_rules FROM whole
    """


def validate(about: Contract, staged: duckdb.DuckDBPyConnection) -> tuple[int, dict[str, int]]:
    """Rows read, and how many break each rule; stops over the contract's limit."""
    (count,) = staged.execute("SELECT count(*) FROM staged").fetchone() or (0,)
    names = "SELECT unnest(broken_rules) AS name FROM staged"
    results = dict(staged.execute(f"SELECT name, count(*) FROM ({names}) GROUP BY 1").fetchall())
    rules = {r.name: results.get(r.name, 0) for r in rules_of(about)}
    if count == 0 or max(rules.values()) > count * about.limit:
        raise SystemExit("the validation failed")
    return count, rules


def write(staged: duckdb.DuckDBPyConnection, folder: Path) -> None:
    good = f'SELECT * EXCLUDE (broken_rules, "{MALFORMED}") FROM staged WHERE broken_rules = []'
    bad = "SELECT * FROM staged WHERE broken_rules != []"
    for name, query in {"published": good, "quarantine": bad}.items():
        write_deltalake(folder / name, staged.execute(query).to_arrow_reader(200_000))


def main() -> None:
    source, folder = sys.argv[1], Path(sys.argv[2])
    # The day on which the file lands for yupana too.
    about, seconds = contract.load(settings().root, NAME).at(datetime.now(UTC).date()), {}

    @contextmanager
    def timed(part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[part] = round(time.perf_counter() - began, 2)

    with timed("read"):
        staged = stage(about, source, folder)
    with timed("validate"):
        count, rules = validate(about, staged)
    with timed("write"):
        write(staged, folder)
    print(json.dumps({"read": count, "rules": rules, "stages": seconds}))


if __name__ == "__main__":
    main()
