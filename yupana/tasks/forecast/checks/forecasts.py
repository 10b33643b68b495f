"""Do forecasts answer their inputs as they did before?"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks.invariants import Invariants, lags
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Window
from yupana.tasks.forecast.quantiles import QUANTILES

CHECK = "forecast"
MIDDLE = QUANTILES.index(0.5)
LOW, HIGH = QUANTILES.index(0.05), QUANTILES.index(0.95)


def measure(window: Window, invariants: Invariants, record: Record) -> list[Statistic]:
    """Three numbers, each up and down: forecast to input, update to surprise, width to median."""
    now, before = record.quantiles[-1], record.quantiles[-2] if len(window) > 1 else None
    there = ~np.isnan(now).any(axis=(1, 2))
    if not there.any() or before is None:
        return []
    own = lags(invariants)
    median = now[there, :, MIDDLE]
    recent = (window.column(own[0])[there].sum() + window.column(own[1])[there].sum()) / 2
    noise = np.sqrt(0.05 + 1 / (recent + 1))
    numbers = {"ratio": np.log((median[:, 0].sum() + 1) / (recent + 1)) / noise}
    width = (now[there, 0, HIGH] - now[there, 0, LOW]).sum()
    numbers["width"] = np.log((width + 1) / (np.sqrt(median[:, 0].sum()) + recent + 1))
    both = there & ~np.isnan(before).any(axis=(1, 2))
    overlap = min(2, now.shape[1] - 1)
    if both.sum() > 2 and overlap:
        earlier, observed = before[both, :, MIDDLE], window.column(own[0])[both]
        moved = np.log1p(now[both, :overlap, MIDDLE]) - np.log1p(earlier[:, 1 : overlap + 1])
        update = np.abs(moved).mean()
        surprise = np.abs(np.log1p(observed) - np.log1p(earlier[:, 0])).mean()
        numbers["update"] = np.log((update + 0.005) / (surprise + 0.02))
    return [
        Statistic(CHECK, name, side, float(sign * value))
        for name, value in numbers.items()
        for side, sign in (("up", 1), ("down", -1))
    ]


def faults(window: Window, record: Record) -> list[str]:
    """Places whose newest forecast is absent, negative, not a number or falls along levels."""
    now = record.quantiles[-1]
    wrong = np.isnan(now).any(axis=(1, 2)) | (now < 0).any(axis=(1, 2))
    wrong |= (np.diff(now, axis=2) < -1e-6).any(axis=(1, 2))
    wrong &= window.present[-1]
    return [u for u, w in zip(window.entities, wrong, strict=True) if w]
