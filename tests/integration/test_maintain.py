"""Maintenance never takes what something refers to, and takes what nothing does."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml
from conftest import engine_or_skip

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data import engine
from yupana.data.lake import delta, history, maintenance
from yupana.lineage import events
from yupana.orchestration.maintain import maintain


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """A home where files need no age to go."""
    return Settings(home=tmp_path / "home", keep_days=0)


def write(settings: Settings, zone: str, name: str, rows: int, mode: str = "overwrite") -> int:
    from deltalake import write_deltalake

    table = settings.table(zone, name)
    table.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame({"week": list(range(rows)), "cases": [2 * i for i in range(rows)]})
    write_deltalake(str(table), frame.to_arrow(), mode=mode)
    return delta.version_of(table)


def mention(settings: Settings, *refs: str) -> None:
    events.append(settings, "train", "outbreak", status="done", inputs=refs)


def parquet(table: Path) -> set[str]:
    return {p.name for p in table.rglob("*.parquet") if "_delta_log" not in p.parts}


def readable(table: Path) -> dict[int, int]:
    """Version -> rows, of those that can still be read."""
    rows_of = {}
    for version in range(delta.version_of(table) + 1):
        try:
            rows_of[version] = delta.read(table, version).height
        except FileNotFoundError:
            continue
    return rows_of


def test_a_version_in_the_log_stays_and_the_others_go(house: Settings) -> None:
    table = house.table("staging", "cases")
    for rows in (10, 20, 30, 40):
        write(house, "staging", "cases", rows)
    mention(house, "delta:staging/cases@1")
    before = delta.read(table, 1)
    result = maintain(house, "vacuum", Silent())
    assert delta.read(table, 1).equals(before)
    assert {v: r for v, r in readable(table).items() if v < 4} == {1: 20, 3: 40}
    assert result.status == "done" and result.metrics["vacuum"]["files"] == 2


def test_what_a_failed_step_read_stays_too(house: Settings) -> None:
    for rows in (10, 20):
        write(house, "features", "weekly", rows)
    events.append(house, "fit", "x", status="failed", inputs=("delta:features/weekly@0",))
    assert maintain(house, "vacuum", Silent()).status == "unchanged"
    assert readable(house.table("features", "weekly")) == {0: 10, 1: 20}


def test_young_files_stay(tmp_path: Path) -> None:
    house = Settings(home=tmp_path, keep_days=7)
    for rows in (10, 20):
        write(house, "staging", "cases", rows)
    assert maintain(house, "vacuum", Silent()).status == "unchanged"
    assert readable(house.table("staging", "cases")) == {0: 10, 1: 20}


def test_an_old_file_that_was_in_use_yesterday_stays(tmp_path: Path) -> None:
    house = Settings(home=tmp_path, keep_days=7)
    write(house, "staging", "cases", 10)
    for path in house.table("staging", "cases").glob("*.parquet"):
        os.utime(path, (time.time() - 30 * 86400,) * 2)
    write(house, "staging", "cases", 20)
    maintain(house, "vacuum", Silent())
    assert readable(house.table("staging", "cases"))[0] == 10


def test_a_file_that_no_commit_knows_goes_when_it_is_old(tmp_path: Path) -> None:
    """What a crash left: but not what another process is writing now."""
    house = Settings(home=tmp_path, keep_days=7)
    write(house, "staging", "cases", 10)
    old, young = (house.table("staging", "cases") / f"{n}.parquet" for n in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"torn")
    month_ago = time.time() - 30 * 86400
    os.utime(old, (month_ago, month_ago))
    maintain(house, "vacuum", Silent())
    assert young.exists() and not old.exists()


def test_fragments_are_merged_once_and_the_rows_stay(house: Settings) -> None:
    table = house.table("published", "cases")
    for _ in range(maintenance.MANY):
        write(house, "published", "cases", 5, mode="append")
    mention(house, f"delta:published/cases@{maintenance.MANY - 1}")
    rows = delta.read(table).sort("week", "cases")
    result = maintain(house, "compact", Silent())
    assert result.metrics["compact"]["files"] == maintenance.MANY
    assert delta.read(table).sort("week", "cases").equals(rows)
    again = maintain(house, "compact", Silent())
    assert again.status == "unchanged" and result.outputs == (
        f"delta:published/cases@{newest(table)}",
    )
    maintain(house, "vacuum", Silent())
    assert delta.read(table, maintenance.MANY - 1).sort("week", "cases").equals(rows)


def newest(table: Path) -> int:
    return delta.version_of(table)


def test_a_few_files_are_not_worth_a_copy(house: Settings) -> None:
    for _ in range(maintenance.MANY - 1):
        write(house, "published", "cases", 5, mode="append")
    assert maintain(house, "compact", Silent()).status == "unchanged"


def test_the_log_is_kept_for_time_travel(house: Settings) -> None:
    from deltalake import DeltaTable

    for rows in (10, 20):
        write(house, "staging", "cases", rows)
    maintain(house, "vacuum", Silent())
    loaded = DeltaTable(house.table("staging", "cases"))
    assert loaded.metadata().configuration["delta.enableExpiredLogCleanup"] == "false"


def test_a_trace_leads_through_maintenance(house: Settings) -> None:
    for rows in (10, 20):
        write(house, "staging", "cases", rows)
    result = maintain(house, "vacuum", Silent())
    event = events.producer(house.events, result.outputs[0])
    assert event["inputs"] == ["delta:staging/cases@1"]
    assert event["facts"]["files"] == 1 and len(event["facts"]["names"]) == 1


def test_a_dry_run_tells_and_touches_nothing(house: Settings) -> None:
    for rows in (10, 20):
        write(house, "staging", "cases", rows)
    files = parquet(house.table("staging", "cases"))
    result = maintain(house, "all", Silent(), dry_run=True)
    assert result.metrics["vacuum"]["files"] == 1 and result.status == "unchanged"
    assert parquet(house.table("staging", "cases")) == files
    assert newest(house.table("staging", "cases")) == 1 and not [*events.read(house.events)]


def test_an_unknown_part_is_told(house: Settings) -> None:
    with pytest.raises(UsageError, match="vaccum"):
        maintain(house, "vaccum", Silent())


def test_a_table_with_deletion_vectors_is_left_alone(house: Settings) -> None:
    write(house, "staging", "cases", 5)
    log = house.table("staging", "cases") / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            feature = ["deletionVectors"]
            line["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": feature,
                "writerFeatures": feature,
            }
    log.write_text("\n".join(json.dumps(line) for line in lines))
    for rows in (10, 20):
        write(house, "staging", "deaths", rows)
    with pytest.raises(TerminalError, match="1 could not be tidied: vacuum staging/cases") as error:
        maintain(house, "vacuum", Silent())
    assert "deletionVectors" in error.value.what
    # It stops no other table's maintenance.
    assert 0 not in readable(house.table("staging", "deaths"))


@pytest.mark.spark
def test_tables_of_spark_keep_their_versions_for_spark(
    house: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions, MERGE and rows of every type, written by delta-spark, tidied by delta-rs."""
    from pyspark.sql import functions as f

    monkeypatch.setattr(maintenance, "MANY", 4)
    spark = engine.session(house.model_copy(update={"engine": engine_or_skip("spark")}))
    table = house.table("published", "cases")
    name = f"delta.`{table}`"

    def rows(version: int) -> list[str]:
        read = spark.read.format("delta").option("versionAsOf", version).load(str(table))
        return sorted(str(r) for r in read.collect())

    for number in range(maintenance.MANY + 1):
        batch = spark.range(number, number + 3).select(
            f.col("id").alias("week"),
            (f.col("id") % 2).cast("string").alias("district"),
            f.current_date().alias("day"),
            f.current_timestamp().alias("time"),
            f.array(f.lit("flag")).alias("flags"),
            f.create_map(f.lit("rule"), f.lit("999")).alias("classes"),
        )
        mode = "overwrite" if number == 1 else "append"
        batch.write.format("delta").partitionBy("district").mode(mode).save(str(table))
    spark.range(2).selectExpr("id AS week", "'1' AS district").createOrReplaceTempView("news")
    spark.sql(
        f"MERGE INTO {name} t USING news n ON t.week = n.week AND t.district = n.district "
        "WHEN MATCHED THEN UPDATE SET flags = array() WHEN NOT MATCHED THEN INSERT (week, district)"
        " VALUES (n.week, n.district)"
    )
    merged = delta.version_of(table)
    mention(house, "delta:published/cases@3", f"delta:published/cases@{merged}")
    before = {v: rows(v) for v in (3, merged)}
    result = maintain(house, "all", Silent())
    assert result.metrics["compact"]["files"] and result.metrics["vacuum"]["files"]
    assert {v: rows(v) for v in before} == before
    assert rows(delta.version_of(table)) == before[merged]
    with pytest.raises(Exception, match=r"(?i)exist|vacuum|missing"):
        rows(0)
    spark.sql(f"INSERT INTO {name} SELECT * FROM {name} LIMIT 1")
    assert len(rows(delta.version_of(table))) == len(before[merged]) + 1


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A project with one contract whose raw files are kept for a year."""
    contract = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    contract["slaProperties"] = [{"property": "retention", "value": 1, "unit": "y"}]
    folder = tmp_path / "project" / "expectations" / "iquitos_weekly"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True))
    return Settings(root=tmp_path / "project", home=tmp_path / "home", keep_days=0)


def landed(settings: Settings, sha256: str, days_ago: int) -> Path:
    folder = settings.home / "landing" / "iquitos_weekly" / sha256
    folder.mkdir(parents=True)
    (folder / "weeks.csv").write_text("season")
    then = time.time() - days_ago * 86400
    os.utime(folder / "weeks.csv", (then, then))
    return folder


def test_raw_files_go_after_their_time_unless_published(project: Settings) -> None:
    from deltalake import CommitProperties, write_deltalake

    old, young, used = (
        landed(project, c * 64, days) for c, days in (("a", 400), ("b", 300), ("c", 400))
    )
    table = project.table("published", "iquitos_weekly")
    table.parent.mkdir(parents=True)
    facts = delta.commit_metadata(source_sha256="c" * 64)
    write_deltalake(
        str(table),
        pl.DataFrame({"week": [1]}).to_arrow(),
        commit_properties=CommitProperties(custom_metadata={"userMetadata": facts}),
    )
    assert history.published_versions(table)
    dry = maintain(project, "forget", Silent(), dry_run=True)
    assert dry.metrics["forget"]["raw"] == ["raw:" + "a" * 64] and old.exists()
    maintain(project, "forget", Silent())
    assert [f.exists() for f in (old, young, used)] == [False, True, True]
    event = next(e for e in events.read(project.events) if e["step"] == "forget")
    assert event["inputs"] == ["raw:" + "a" * 64] and event["facts"]["retention_days"] == 365
    assert maintain(project, "forget", Silent()).status == "unchanged"


def test_raw_files_without_retention_are_kept_for_ever(tmp_path: Path) -> None:
    house = Settings(home=tmp_path)
    folder = landed(house, "a" * 64, 10_000)
    later = datetime.now(UTC) + timedelta(days=10_000)
    maintain(house, "forget", Silent(), now=later)
    assert folder.exists()


def test_members_of_models_go_after_their_time(tmp_path: Path) -> None:
    home, now = Settings(home=tmp_path), datetime.now(UTC)
    old, young = (home.home / "members" / name for name in ("a" * 16, "b" * 16))
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "past.npz").write_bytes(b"x" * 1000)
    stamp = (now - timedelta(days=home.keep_days + 1)).timestamp()
    os.utime(old / "past.npz", (stamp, stamp))
    assert maintain(home, "forget", Silent(), dry_run=True).metrics["forget"]["bytes"] == 1000
    assert old.is_dir()
    maintain(home, "forget", Silent(), now=now)
    assert not old.exists() and young.is_dir()
    event = events.last_done(home.events, "forget", "members")
    assert event and event["facts"]["bytes"] == 1000
