"""One peer's forecasts of all origins, in the environment of the peers: no yupana there.

Run by tests/benchmark/skill.py: python -m tests.benchmark.skill_peers PEER FOLDER. The folder holds
`counts.parquet` (week, a column a district, cases) and `job.json` (`Job`); the forecasts go to
`PEER.parquet`. The last line on standard output is a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from tests.benchmark import skill_series
from tests.benchmark.skill_endemic import Endemic
from tests.benchmark.skill_past import Array, Past, Peer
from tests.benchmark.skill_regression import LaggedRegression
from tests.benchmark.skill_trees import LightGBM

if TYPE_CHECKING:
    import pandas as pd

PEERS: Mapping[str, Callable[[], Peer]] = {
    **skill_series.PEERS,
    "LightGBM": LightGBM,
    "endemic-epidemic": Endemic,
    "EWARS-like": LaggedRegression,
}


class Job(TypedDict):
    """What is asked: origins as (year, first day, last day) of the last week that is seen."""

    horizons: int
    levels: list[float]
    names: list[str]
    origins: list[tuple[int, str, str]]


def walk(
    peer: Peer, everything: Past, origins: Sequence[tuple[int, str, str]], horizons: int,
    levels: Sequence[float],
) -> Iterator[tuple[str, Array]]:  # fmt: skip
    """Each origin's last day with its forecasts; the peer is fitted at each year's first origin.

    A peer is handed nothing that came after the origin.
    """
    weeks = {str(day): week for week, day in enumerate(everything.days)}
    for _, of_year in groupby(origins, key=lambda origin: origin[0]):
        for number, (_, first, last) in enumerate(of_year):
            past = everything.until(weeks[first])
            if number == 0:
                peer.fit(past, horizons)
            yield last, peer.quantiles(past, levels)


def past_of(table: pd.DataFrame) -> Past:
    """The table of counts as peers read it."""
    days = table["week"].to_numpy(dtype="datetime64[D]")
    counts = table.drop(columns="week")
    return Past(counts.to_numpy(dtype=float), days, tuple(map(str, counts.columns)))


def rows(forecasts: Iterator[tuple[str, Array]], everything: Past, job: Job) -> pd.DataFrame:
    """`entity`, `origin`, `horizon` and a column a level."""
    import pandas as pd

    many, reach, tables = len(everything.districts), job["horizons"], []
    for last, quantiles in forecasts:
        table = pd.DataFrame(quantiles.reshape(-1, len(job["levels"])), columns=job["names"])
        table.insert(0, "horizon", np.tile(np.arange(1, reach + 1), many))
        table.insert(0, "origin", last)
        table.insert(0, "entity", np.repeat(everything.districts, reach))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def run(name: str, folder: Path) -> dict[str, Any]:
    """Forecast, write, and the seconds that forecasting took."""
    import pandas as pd

    job: Job = json.loads((folder / "job.json").read_text("utf-8"))
    everything = past_of(pd.read_parquet(folder / "counts.parquet"))
    start = time.perf_counter()
    asked = job["origins"], job["horizons"], job["levels"]
    table = rows(walk(PEERS[name](), everything, *asked), everything, job)
    seconds = round(time.perf_counter() - start, 1)
    table.to_parquet(folder / f"{name}.parquet", index=False)
    return {"peer": name, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
