"""Quality rules in SQL, asked of rows: one number or a sentence, and never what stands in a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import BOTH_ENGINES

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data import engine as engines
from yupana.data.contracts import sql_rules

ROWS = [("Ana Quispe", 0, None), ("B", -7, None), ("Luz Rojas", 5, "n.range")]
WRONG = {
    "SELECT SUM(CAST(id AS INT)) FROM ${table}": "a value cannot be read as the type",
    "SELECT COUNT(*) / (COUNT(*) - 2) FROM ${table}": "it divides by zero",
    "SELECT nosuch FROM (SELECT n FROM ${table})": "it names what the table does not have",
    "SELECT n FROM (SELECT n FROM ${table})": "gives several rows, and must give one number",
    "SELECT n FROM (SELECT n FROM ${table} WHERE n > 100)": "gives no row",
    "SELECT MAX(n) FROM ${table} WHERE n > 100": "gives nothing",
    "SELECT MAX(id) FROM ${table}": "gives something else",
    "SELECT COUNT(*) > 1 FROM ${table}": "gives something else",
    "SELECT CAST('NaN' AS DOUBLE) FROM (SELECT COUNT(*) FROM ${table})": "no finite number",
    "SELECT COUNT(*) FROM ${table}": "gives 2, and must be 0",
    "SELECT CAST(1.5 AS DECIMAL(9, 2)) FROM (SELECT COUNT(*) FROM ${table})": "gives 1.5, and",
}
RIGHT = ("SELECT COUNT(*) FROM ${table} WHERE n > 0", "SELECT SUM(n) + 7 FROM ${table};")


@BOTH_ENGINES
def test_a_query_gives_one_number_or_a_sentence(tmp_path: Path, engine: str) -> None:
    settings = Settings(root=tmp_path, home=tmp_path / "home", engine=engine)
    session = engines.session(settings, Silent(), 0)
    rows = session.createDataFrame(ROWS, "id STRING, n INT, _broken STRING")
    for query, why in WRONG.items():
        rule = sql_rules.rule_of({"name": "few", "query": query, "mustBe": 0})
        with pytest.raises(TerminalError) as error:
            sql_rules.require(session, (rule,), rows, "in.csv")
        message = str(error.value)
        assert why in error.value.what, query
        assert message.count("\n") == 2 and "in.csv" in message
        assert not any(name in message for name in ("Ana", "Quispe", "Luz"))
        assert error.value.__cause__ is None
    for query in RIGHT:
        rule = sql_rules.rule_of({"name": "few", "query": query, "mustBe": 0})
        sql_rules.require(session, (rule,), rows, "in.csv")
