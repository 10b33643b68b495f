"""A table with a day that Python cannot hold, as older releases let in, is mended by what comes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from conftest import ENGINES, SPARK_LATER, on
from deltalake import CommitProperties, DeltaTable, write_deltalake
from test_agencies import NAME, project, publish

from yupana.data.lake import delta, history

HEADER = "id,code,ill,day,at\n"
YEAR_43038 = 15_000_000  # days since 1970: an Excel serial read as one of them


# Of the table only a merge reads the other columns.
@pytest.mark.parametrize(
    ("engine", "publication"),
    [
        *on(SPARK_LATER, "snapshot"),
        *on(SPARK_LATER, "append"),
        *on(ENGINES, "merge"),
    ],
    indirect=["engine"],
)
def test_the_next_file_is_published_beside_or_in_place_of_it(
    tmp_path: Path, engine: str, publication: str
) -> None:
    lake = project(tmp_path, engine, publication=publication)
    publish(lake, f"{HEADER}1,,,05/03/2021,\n")
    table = lake.table("published", NAME)
    rows = DeltaTable(table).to_pyarrow_table()
    for name, value in {"id": 2, "day": YEAR_43038}.items():
        place = rows.column_names.index(name)
        cells = pa.array([value], pa.int32()).cast(rows.schema.field(name).type)
        rows = rows.set_column(place, name, cells)
    known_on = str(history.at_version(table).known_on)
    facts = delta.commit_metadata(source_sha256="ab" * 32, known_on=known_on)
    origin = CommitProperties(custom_metadata={"userMetadata": facts})
    write_deltalake(table, rows, mode="append", commit_properties=origin)
    # Where files add up, the key of a row that is there would be refused.
    again = "" if publication == "append" else "2,,,07/03/2021,\n"
    publish(lake, f"{HEADER}3,,,06/03/2021,\n{again}")
    expected = {"snapshot": [2, 3], "merge": [1, 2, 3], "append": [1, 2, 3]}[publication]
    assert sorted(delta.read(table)["id"]) == expected
