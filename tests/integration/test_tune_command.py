"""`yupana tune` on a small split: what it found is kept, and a second call goes on from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from command import yupana
from small_panel import panel

from yupana.config.settings import Settings
from yupana.features import training_sets
from yupana.lineage import events
from yupana.tracking import tuning_results

NAME = "outbreak"


def tune(home: Settings) -> dict[str, Any]:
    """Facts of one more trial."""
    output = yupana(home, "tune", NAME, "--trials", "1", "--minutes", "2", "--json")
    assert output.code == 0, output.stderr
    return dict(json.loads(output.stdout.splitlines()[-1]))


def test_a_search_for_options_is_kept_and_goes_on(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    table = "delta:features/outbreak_weekly@2"
    split = training_sets.save(home, NAME, panel(), features=table, sources=(), as_of=None)
    events.append(home, "split", NAME, status="done", inputs=(table,), outputs=(split.ref,))
    first, second = (tune(home) for _ in range(2))
    assert [r["metrics"]["trials"] + r["metrics"]["pruned"] for r in (first, second)] == [1, 2]
    assert second["metrics"]["loss"] <= first["metrics"]["loss"]
    assert (home.reports / f"tune-{NAME}.png").exists()
    assert tuning_results.load(home, NAME, second["outputs"][0]) == second["metrics"]["options"]
