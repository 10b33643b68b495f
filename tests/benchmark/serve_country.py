"""Give the online store of this home a country of districts: copies of those that it has.

Run: python -m tests.benchmark.serve_country DISTRICTS, with YUPANA_HOME set to a home that may be
spoiled; prints the codes as JSON. The copies have no history, so they are forecast by the pool.
"""

from __future__ import annotations

import json
import sys

import pandas as pd

from yupana.config.settings import settings
from yupana.data.lake import delta
from yupana.features.store import feature_store

TABLE = "outbreak_weekly"


def codes(districts: int) -> list[str]:
    """Codes that look like INEI's, twenty-five departments of many districts."""
    return [f"{1 + i % 25:02}{1 + i // 25:04}" for i in range(districts)]


def main() -> None:
    config = settings()
    table = delta.read(config.table("features", TABLE)).to_pandas()
    newest = table[table["event_timestamp"] == table["event_timestamp"].max()]
    districts = codes(int(sys.argv[1]))
    rows = pd.concat([newest] * (len(districts) // len(newest) + 1), ignore_index=True)
    rows = rows.head(len(districts)).assign(ubigeo=districts)
    # Real districts that share a code keep their own row.
    fresh = rows[~rows["ubigeo"].isin(newest["ubigeo"])]
    feature_store(config).write_to_online_store(TABLE, fresh)
    print(json.dumps(districts))


if __name__ == "__main__":
    main()
