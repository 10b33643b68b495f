"""Give this home's features a country of districts: copies of those that it has.

Run: python -m tests.benchmark.serve_country DISTRICTS, with YUPANA_HOME set to a home that may be
spoiled; prints the codes as JSON. The copies have no history, so they are forecast by the pool.
"""

from __future__ import annotations

import json
import sys

import polars as pl

from feature_repo.outbreak.definitions import OBJECTS
from yupana.config.settings import settings
from yupana.data.lake import delta
from yupana.features import store
from yupana.lineage import events

USE_CASE, TABLE = "outbreak", "outbreak_weekly"


def codes(districts: int) -> list[str]:
    """Codes that look like INEI's, twenty-five departments of many districts."""
    return [f"{1 + i % 25:02}{1 + i // 25:04}" for i in range(districts)]


def main() -> None:
    config = settings()
    before = store.online_ref(config, USE_CASE)
    table = delta.read(config.table("features", TABLE))
    newest = table.filter(pl.col("event_timestamp") == table["event_timestamp"].max())
    districts = codes(int(sys.argv[1]))
    rows = pl.concat([newest] * (len(districts) // len(newest) + 1)).head(len(districts))
    rows = rows.with_columns(ubigeo=pl.Series(districts))
    # Real districts that share a code keep their own row.
    fresh = rows.filter(~pl.col("ubigeo").is_in(newest["ubigeo"].implode()))
    # As the step leaves them: of rows that no event vouches for a service says nothing.
    ref = store.write_table(config, TABLE, pl.concat([table, fresh]), [before]).ref
    events.append(
        config, "features", USE_CASE, status="done", inputs=(before,), outputs=(ref,)
    )
    store.publish_online(config, TABLE, OBJECTS)
    print(json.dumps(districts))


if __name__ == "__main__":
    main()
