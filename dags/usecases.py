"""Five DAGs a use case: train and deploy, past days, the log, and whether the model still holds.

Adding `models/<name>/usecase.yaml` adds them; no Python is written. Where they do not do, a use
case has a file of its own here, `dags/<name>.py`, and none of these.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from yupana.core import spec, usecase
from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.orchestration.airflow import AS_OF, Asset, command, dag, when

WITHIN = timedelta(hours=4)
_MAIN = """# {title}

Runs when a new version of `{trigger}` is published: features, training pipeline when it is due,
deployment, {batch}and the share of table and model for other agencies. Training is due without a
champion, when the published data is `YUPANA_RETRAIN_WEEKS` ahead of the champion's, and when
monitoring found drift; `yupana due {name}` says which.
"""
_BACKFILL = """# {title}: past days, exactly as they would have been predicted then

For a date, in a run by hand (`as_of`) or for each date of a backfill: the champion of that day
predicts from the versions that were known then; before there was one, a model that knew nothing
later, which is trained where there is none. What was predicted of a day stays.

```
airflow backfill create --dag-id {name}_backfill --from-date 2020-01-01 --to-date 2020-12-31 \\
  --max-active-runs 1
```

Runs by the clock only when switched on, on Sundays, and then for that day.
"""
_LOG = """# {title}: what the service answered, carried into the lake every hour

`yupana export-predictions {name}` appends the new answers to the table `predictions/{name}`, each
exactly once; monitoring reads them there. Answers older than 400 days are then removed from the
platform database. `yupana webhooks send` delivers the notices to agencies that are due.
"""
_MONITOR = """# {title}: whether the model still holds

Once a week and after each new prediction in batch. Compares what was answered with the model's
test window, checks the newest features and predictions, scores those whose outcome is reported,
keeps the history, and tells new alerts. What a mail server or webhook did not take is sent again,
notices to agencies as well.
`docs/monitoring.md` says what to do on an alert; where one asks for training, the DAG `{name}`
trains on its next run.
"""


def main(use_case: Spec, doc: dict[str, str], *, batch: bool) -> None:
    """From published data to a served model, and predictions in batch where the kind has them."""
    name = use_case.name
    with dag(
        name,
        doc=_MAIN.format(**doc),
        schedule=[Asset(use_case.data.trigger)],
        tags=[name],
        within=WITHIN,
    ):
        steps = (
            command("features", ["features", name])
            >> when("due", ["due", name])
            >> command("train", ["train", name])
            >> command(
                "deploy", ["deploy", name], outlets=[Asset(f"{name}_model")], after_skipped=True
            )
        )
        if batch:
            steps = steps >> command(
                "predict", ["predict", name], outlets=[Asset(f"{name}_forecast")]
            )
        steps >> command("share", ["share", name])


def backfill(name: str, doc: dict[str, str]) -> None:
    """Predictions of past days."""
    with dag(
        f"{name}_backfill",
        doc=_BACKFILL.format(**doc),
        schedule="0 6 * * 0",
        tags=[name],
        within=WITHIN,
        params=AS_OF,
    ):
        (
            when("due", ["due", name])
            >> command("train", ["train", name])
            >> command("predict", ["predict", name], after_skipped=True)
        )


def log(name: str, doc: dict[str, str]) -> None:
    """The prediction log, carried into the lake."""
    with dag(f"{name}_log", doc=_LOG.format(**doc), schedule="@hourly", tags=[name]):
        command("export", ["export-predictions", name, "--keep-days", "400"])
        command("notices", ["webhooks", "send"])


def monitor(name: str, doc: dict[str, str], *, batch: bool) -> None:
    """The monitor: by the clock, and after each prediction in batch."""
    # Thursdays: the week that ended on Saturday is published by then.
    schedules: dict[str, str | list[Asset]] = {f"{name}_monitor": "0 7 * * 4"}
    if batch:
        schedules[f"{name}_monitor_forecast"] = [Asset(f"{name}_forecast")]
    for dag_id, schedule in schedules.items():
        with dag(dag_id, doc=_MONITOR.format(**doc), schedule=schedule, tags=[name, "monitoring"]):
            command("monitor", ["monitor", name])


for _name in usecase.names():
    if Path(__file__).with_name(f"{_name}.py").exists():
        continue
    try:
        _spec = spec.load(_name)
    except UsageError as error:
        # One spec with a fault takes no other use case down.
        with dag(_name, doc=f"```\n{error}\n```", schedule=None, tags=[_name, "faulty"]):
            command("usecases", ["usecases", _name])
        continue
    _batch = "predict" in usecase.commands_of(_spec.task)
    _doc = {
        "name": _name,
        "title": f"{_spec.title.es} / {_spec.title.en}",
        "trigger": _spec.data.trigger,
        "batch": "predictions in batch, " if _batch else "",
    }
    main(_spec, _doc, batch=_batch)
    log(_name, _doc)
    monitor(_name, _doc, batch=_batch)
    if _batch:
        backfill(_name, _doc)
