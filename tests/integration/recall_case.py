"""A home with a planted case: which predictions rest on file A is known, one by one.

Version 0 of the table holds file A, version 1 the files A and B, version 2 B and C alone. Each
version has its features, each of these a model; answers lie in the lake, in the database and in
the spool, asked, simulated and in the shadow, and some tell a recorded forecast.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import small_lake
from answers import NOON

from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.lineage import events
from yupana.predictions import archive, export, log_writer
from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import PredictionRecord, new_id, prediction
from yupana.predictions.spool import Spool
from yupana.tracking import slots

PUBLISHED = f"delta:published/{small_lake.NAME}"
FEATURES = "delta:features/outbreak_weekly"
ORIGINS = (date(2022, 1, 1), date(2022, 1, 8), date(2022, 1, 15))
A, B, C = ("raw:" + letter * 64 for letter in "abc")

# (model, features or recorded forecast, its origin) → does it rest on file A?
BASIS = {
    ("1", f"{FEATURES}@0", "2022-01-01"): True,
    ("2", f"{FEATURES}@1", "2022-01-08"): True,
    # The model that learned from A, asked on clean features, and the other way round.
    ("2", f"{FEATURES}@2", "2022-01-15"): True,
    ("3", f"{FEATURES}@1", "2022-01-08"): True,
    ("3", f"{FEATURES}@2", "2022-01-15"): False,
    # A recorded forecast of the clean model: of the first origin it was made from version 1.
    ("3", "delta:forecasts/outbreak@2", "2022-01-08"): True,
    ("3", "delta:forecasts/outbreak@2", "2022-01-15"): False,
}


class Planted:
    """The home, and the ids of all predictions that rest on file A (`touched`) and not (`free`)."""

    def __init__(self, home: Path) -> None:
        self.settings = small_lake.make(home)
        self.settings.home.mkdir(exist_ok=True)
        self.touched: dict[str, str] = {}
        self.free: dict[str, str] = {}
        self._versions()
        self._models()
        self._forecasts()
        self._answers()

    def _done(
        self, step: str, read: tuple[str, ...], record: tuple[str, ...], **facts: object
    ) -> None:
        events.append(
            self.settings, step, "outbreak", status="done", inputs=read, outputs=record, facts=facts
        )

    def _versions(self) -> None:
        rows = small_lake.frame(weeks=range(1, 3))
        small_lake.publish(self.settings, rows, known_on="2022-01-01", source="a")
        for version, (file, kept, day) in enumerate([("b", "a", "08"), ("c", "b", "15")], 1):
            facts = delta.commit_metadata(
                source_sha256=file * 64, source=f"{file}.csv", known_on=f"2022-01-{day}",
                validation="v1", rows={"published": len(rows)},
            )  # fmt: skip
            both = pl.concat(
                rows.with_columns(pl.lit(one * 64).alias("source_sha256")) for one in (kept, file)
            )
            small_lake.commit(
                self.settings.table("published", small_lake.NAME), both, facts
            )
            self._done("land", (), ("raw:" + file * 64,))
            self._done(
                "ingest", ("raw:" + file * 64, f"{PUBLISHED}@{version - 1}"),
                (f"{PUBLISHED}@{version}", "validation:v1"), source_sha256=file * 64,
            )  # fmt: skip
        for version in range(3):
            self._done("features", (f"{PUBLISHED}@{version}",), (f"{FEATURES}@{version}",))

    def _models(self) -> None:
        for n in range(3):
            self._done("split", (f"{FEATURES}@{n}",), (f"split:{n}",))
            self._done("pool", (f"split:{n}",), (f"candidate:{n}",))
            self._done("register", (f"candidate:{n}",), (f"model:outbreak@{n + 1}",))
        # One step places two: the clean champion, and a canary that learned from A.
        self._done(
            "deploy", ("model:outbreak@3", "model:outbreak@2"),
            ("deployment:outbreak:3", "deployment:outbreak:2"),
        )  # fmt: skip
        now = datetime.fromtimestamp(NOON, UTC)
        for slot, placed in (
            (slots.CHAMPION, slots.Placed("outbreak:3")),
            (slots.CHALLENGER, slots.Placed("outbreak:2", 0.1)),
        ):
            url = self.settings.platform_db
            slots.place(url, "outbreak", slot, placed, now=now, by="test")

    def _forecasts(self) -> None:
        """Three runs: of a model of A; of the clean one on version 1; of the clean one on 2."""
        for n, model in enumerate(("1", "3", "3")):
            rows = [
                {"prediction_id": f"f{n}{place}".ljust(32, "0"), "model": f"model:outbreak@{model}",
                 "ubigeo": place, "origin": ORIGINS[n], "horizon": h, "q0.5": 1.0}
                for place in ("160101", "160112") for h in (1, 2)
            ]  # fmt: skip
            delta.replace(
                self.settings.lake, "forecasts", "outbreak", pa.Table.from_pylist(rows),
                f"origin = DATE '{ORIGINS[n]}'", [],
            )  # fmt: skip
            self._done(
                "forecast", (f"model:outbreak@{model}", f"{PUBLISHED}@{n}"),
                (f"delta:forecasts/outbreak@{n}",), data_as_of=str(ORIGINS[n]),
            )  # fmt: skip
            ids = self.touched if n < 2 else self.free
            ids |= {row["prediction_id"]: f"delta:forecasts/outbreak@{n}" for row in rows}

    def _answers(self) -> None:
        """The oldest are in the lake alone, then: lake and database, database, spool."""
        url = self.settings.platform_db
        first = self._records(0)
        log_writer.record(url, first)
        export.export(self.settings, "outbreak", Silent())
        archive.forget(
            self.settings, "outbreak", datetime.fromtimestamp(NOON + 5_000, UTC)
        )
        both = self._records(10_000)
        log_writer.record(url, both)
        export.export(self.settings, "outbreak", Silent())
        new = self._records(20_000)
        log_writer.record(url, new)
        away = self._records(30_000)
        self.spool = Spool(self.settings.home / "spool" / "outbreak.jsonl")
        # As when the writer was killed after the database had them: they are there twice.
        waiting = [*away, *new[:4]]
        predictions = {one.prediction.key: one.prediction for one in waiting}
        self.spool.append(
            [log_writer.prediction_row(one) for one in predictions.values()],
            [log_writer.record_row(one) for one in waiting],
        )
        for kept, some in (("lake", first + both), ("database", new), ("spool", away)):
            for one in some:
                _, model, _, features, day = one.prediction.basis
                ids = self.touched if BASIS[model, features, day] else self.free
                ids[one.prediction_id] = kept

    def _records(self, later: float) -> list[PredictionRecord]:
        """A record of each kind on each basis."""
        records = []
        for n, (model, features, day) in enumerate(BASIS):
            content = prediction(
                Basis("outbreak", model, f"outbreak:{model}", features, day), "160101",
                {"weeks": [{"horizon": 1}]}, payload_version=1, features={}, caveats=[],
            )  # fmt: skip
            question = {"as_of": "2022-01-20", "horizon": 1}
            for m, kind in enumerate(("answer", "simulation", "shadow")):
                time = NOON + later + 10 * n + m
                records.append(
                    PredictionRecord(new_id(time), time, content, question, "k1", "A", kind, "r1")
                )
        return records
