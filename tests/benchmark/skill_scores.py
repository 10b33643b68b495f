"""The forecaster and its peers on the same counts, by yupana's own scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast.backtest import report as backtest_report
from yupana.tasks.forecast.backtest.panel import Panel
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.scoring import intervals
from yupana.tasks.forecast.scoring.scores import weighted_interval_scores

UNITS = ["entity", "origin", "horizon"]
MEASURES = ("wis", "wis_log")
LARGEST, NEAR, RECENT = 8, 4, 4
"""Districts that are called large; weeks ahead that are near; weeks that are held against as
many before."""

STEEP, SOFTER = 1.5, 2
"""A district rises where (recent + 2) is more than 1.5 of (earlier + 2): one case in eight weeks is
no growth."""


def joined(kept: pd.DataFrame, peers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of the backtest's models and those of the peers, all on the same counts.

    Args:
        kept: the districts' rows of a backtest, as `vintages.Backtest` has them.
        peers: by name, `UNITS` and `LEVELS`.

    Raises:
        SystemExit: a peer lacks a forecast, or one is not a number.
    """
    first = kept["model"] == kept["model"].iloc[0]
    counts = kept.loc[first, [*UNITS, "observed"]]
    tables = [kept]
    for name, forecasts in peers.items():
        table = counts.merge(forecasts, on=UNITS, how="left", validate="one_to_one")
        if absent := int((~np.isfinite(table[list(LEVELS)])).any(axis=1).sum()):
            raise SystemExit(f"{name}: {absent:,} of {len(table):,} forecasts are absent.")
        tables.append(table.assign(model=name, series="district"))
    return pd.concat(tables, ignore_index=True)


def by_row(rows: pd.DataFrame) -> pd.DataFrame:
    """`model`, `UNITS` and `MEASURES` of each row."""
    observed = rows[["observed"]].to_numpy(dtype=float)
    quantiles = rows[list(LEVELS)].to_numpy(dtype=float)[:, None, :]
    logs = np.log1p(observed), np.log1p(quantiles)
    pairs = zip(MEASURES, ((observed, quantiles), logs), strict=True)
    values = {name: weighted_interval_scores(*pair)[:, 0] for name, pair in pairs}
    return rows[["model", *UNITS]].assign(**values)


def groups(scores: pd.DataFrame, counts: pd.DataFrame, panel: Panel) -> list[dict[str, Any]]:
    """Means by weeks ahead, size and phase, a row a group and model.

    Args:
        scores: of `by_row`.
        counts: cases by week (its first day) and district.
        panel: that the counts are of.
    """
    counts = counts.set_axis(pd.to_datetime(counts.index), axis=0)
    ends = {day: pd.Timestamp(panel.frequency.start(day)) for day in scores["origin"].unique()}
    before = counts[counts.index < min(ends.values())].sum()
    large = set(before.nlargest(LARGEST).index)
    phases = phase(counts)
    starts = scores["origin"].map(ends)
    places = pd.MultiIndex.from_arrays([starts, scores["entity"]])
    near, far = f"1-{min(NEAR, panel.reach)}", f"{NEAR + 1}-{panel.reach}"
    by = {
        "horizon": scores["horizon"].le(NEAR).map({True: near, False: far}),
        "size": scores["entity"].isin(large).map({True: f"{LARGEST} largest", False: "others"}),
        "phase": pd.Series(phases.stack().reindex(places).to_numpy(), index=scores.index),
    }
    lines = []
    for name, of in by.items():
        means = {measure: intervals.by_group(scores, of, measure) for measure in MEASURES}
        lines += [
            {"by": name, "of": group, "model": model, "n": int(means["wis"].loc[group, "n"]),
             **{measure: float(means[measure].loc[group, model]) for measure in MEASURES}}
            for group in means["wis"].index
            for model in means["wis"].columns.drop("n")
        ]  # fmt: skip
    return lines


def phase(counts: pd.DataFrame) -> pd.DataFrame:
    """rising, falling or flat, by week and district, from what is known by that week."""
    sums = counts.rolling(RECENT, min_periods=1).sum()
    growth = (sums + SOFTER) / (sums.shift(RECENT, fill_value=0) + SOFTER)
    steps = np.where(growth > STEEP, "rising", np.where(growth < 1 / STEEP, "falling", "flat"))
    return pd.DataFrame(steps, index=counts.index, columns=counts.columns)


def paired(scores: pd.DataFrame, final: str, block: int) -> list[dict[str, Any]]:
    """The final model's mean score less each other's, with 95 % intervals over origins.

    Args:
        scores: of `by_row`.
        block: neighbouring origins that share weeks ahead, drawn together.
    """
    each: dict[str, dict[str, Any]] = {}
    for measure in MEASURES:
        sums = scores.pivot_table(index="origin", columns="model", values=measure, aggfunc="sum")
        rows = (scores["model"] == final).groupby(scores["origin"]).sum().reindex(sums.index)
        draws = intervals.resamples(len(sums), block)
        for model in sums.columns.drop(final):
            apart = (sums[final] - sums[model]).to_numpy()
            means = apart[draws].sum(axis=1) / rows.to_numpy()[draws].sum(axis=1)
            low, high = np.quantile(means, [0.025, 0.975])
            line = each.setdefault(model, {"model": model})
            line[measure] = {"difference": float(apart.sum() / rows.sum()),
                             "low": float(low), "high": float(high)}  # fmt: skip
    return list(each.values())


def report(
    rows: pd.DataFrame, panel: Panel, final: str, peers: Sequence[str], *, step: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """All of it: what a backtest's report has of the districts, `groups` and `paired`.

    Args:
        rows: of `joined`.
        step: weeks from one origin to the next.
        seed: of the randomised PIT.
    """
    tables = backtest_report.tables(rows, "entity", lead=WEEK.lead, seed=seed)
    scores = by_row(rows)
    counts = panel.counts().rename(columns=str)
    return {
        "final": final,
        "peers": list(peers),
        **{name: getattr(tables, name) for name in ("scores", "by_horizon", "by_season", "pit")},
        "groups": groups(scores, counts, panel),
        "paired": paired(scores, final, -(-panel.reach // step)),
    }
