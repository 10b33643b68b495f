"""Streams measured: messages a second and from sending to the table, by Kafka, MQTT and a folder;
what a batch costs as the table grows; and Spark's own connector beside it.

Run: make bench-stream, or python -m tests.benchmark.stream --rows 200000. Brokers run on the same
machine. Writes var/bench/stream.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from kafka_broker import Broker, broker, fetch
from mqtt_broker import mosquitto
from streams import NAME, from_kafka, project, readings
from waiting import wait_until

from tests.benchmark.ingest import machine
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Silent
from yupana.data.lake import delta, history
from yupana.data.streams import mqtt
from yupana.orchestration.stream import bridge

PARTITIONS = 4


def timed(lake: Settings, most: int) -> dict[str, Any]:
    """One `yupana stream` in a process of its own: seconds in all, and of each batch."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "yupana.cli.main", "stream", NAME, "--most", str(most)]
    process = subprocess.run(
        [*command, "--json"], env=lake.environment(), capture_output=True, text=True, check=True
    )
    seconds = time.monotonic() - begin
    rows = json.loads(process.stdout.splitlines()[-1])["rows"]
    starts = [
        float(line.split("s ")[0])
        for line in process.stderr.splitlines()
        if "are on this disk" in line
    ]
    # The first batch waits for imports and the engine; the others are what a long run costs.
    steady = most * (len(starts) - 2) / (starts[-1] - starts[1]) if len(starts) > 2 else None
    each = np.diff(starts[1:]) if len(starts) > 2 else np.array([])
    return {
        "batches": len(starts),
        "first_batches_s": round(float(np.median(each[:20])), 2) if len(each) else None,
        "last_batches_s": round(float(np.median(each[-20:])), 2) if len(each) else None,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_a_second": round(rows["read"] / seconds),
        "rows_a_second_once_started": round(steady) if steady else None,
    }


def of_kafka(kafka: Broker, scratch: Path, rows: int) -> dict[str, Any]:
    """Rows that lie in the topic, published in batches of 50,000; then one more batch of 10,000."""
    kafka.topic("all", PARTITIONS)
    lake = from_kafka(scratch / "kafka", kafka, "all")
    kafka.send("all", readings(0, rows), PARTITIONS)
    results = {"all": timed(lake, 50_000)}
    kafka.send("all", readings(rows, 30_000), PARTITIONS)
    results["then_batches_of_10000"] = timed(lake, 10_000)
    kafka.topic("many", PARTITIONS)
    lake = from_kafka(scratch / "many", kafka, "many")
    kafka.send("many", readings(0, 2000), PARTITIONS)
    results["many_batches_of_20"] = timed(lake, 20)
    return results


def of_a_folder(scratch: Path, rows: int) -> dict[str, Any]:
    """The same rows in files of 1,000."""
    lake = project(scratch / "drop", {"type": "custom", "location": "drop:inbox/gauges"})
    inbox = lake.root / "inbox" / "gauges"
    inbox.mkdir(parents=True)
    for first in range(0, rows, 1000):
        (inbox / f"{first:09}.ndjson").write_bytes(b"\n".join(readings(first, 1000)) + b"\n")
    return timed(lake, 50_000)


def of_mqtt(scratch: Path, rows: int) -> dict[str, Any]:
    """Rows that the broker holds for a bridge that was away; then published from its files."""
    with mosquitto(scratch / "mosquitto", safe=False) as held:
        server = {"type": "custom", "location": f"mqtt://{held.address}/gauge/#"}
        lake = project(scratch / "mqtt", server)
        bridge(lake, NAME, Silent(), stopped=lambda: False, quiet=0)
        # A client has 65,535 numbers for messages that are on their way.
        for first in range(0, rows, 20_000):
            held.send({"gauge/x": readings(first, min(20_000, rows - first))})
        begin = time.monotonic()
        count = bridge(lake, NAME, Silent(), stopped=lambda: False, quiet=1.0)
        seconds = time.monotonic() - begin - 1.0
        files = len(list(mqtt.folder(lake, NAME).iterdir()))
    assert count == rows
    facts = {"bridge_rows_a_second": round(rows / seconds), "files": files}
    return {**facts, "published": timed(lake, 50_000)}


def delay(lake: Settings, send: Callable[[list[bytes]], None], every: str) -> dict[str, Any]:
    """Seconds from sending to the commit, with 50 messages a second for half a minute."""
    words = [sys.executable, "-m", "yupana.cli.main", "stream", NAME]
    command = [*words, "--follow", "--every", every]
    log = lake.home / "follow.log"
    lake.home.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        child = subprocess.Popen(command, env=lake.environment(), stdout=out, stderr=out)
    table, sent = lake.table("published", NAME), 0
    try:
        # The first batch, which waits for imports and the engine, is not measured.
        send(_now(0))
        wait_until(lambda: delta.exists(table), 60, 0.2)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            sent += 1
            send(_now(sent))
            time.sleep(0.2)
        wait_until(lambda: delta.read(table).height == 10 * (sent + 1), 60, 0.5)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()
    committed = {p.source_sha256: p.time for p in history.published_versions(table)}
    rows = delta.read(table).filter(delta.read(table)["rain"] > 0)
    late = [
        (committed[sha] - measured).total_seconds()
        for sha, measured in zip(rows["source_sha256"], rows["measured_at"], strict=True)
    ]
    half, most = np.percentile(late, [50, 95])
    return {"rows": len(late), "batches": len(committed), "every_s": float(every),
            "median_s": round(float(half), 2), "p95_s": round(float(most), 2),
            "most_s": round(max(late), 2)}  # fmt: skip


def _now(group: int) -> list[bytes]:
    """Ten readings of this moment; the rain tells the first group, which is not measured."""
    now = datetime.now(UTC).isoformat()
    return [
        json.dumps({"station": f"IT-{n:03}", "measured_at": now, "level_m": 1.0,
                    "rain_mm": float(group > 0)}).encode()
        for n in range(10)
    ]  # fmt: skip


def delays(kafka: Broker, scratch: Path) -> dict[str, Any]:
    """By Kafka, and by MQTT with its bridge."""
    kafka.topic("late", PARTITIONS)
    lake = from_kafka(scratch / "late", kafka, "late")
    results = {"kafka": delay(lake, lambda ms: kafka.send("late", ms, PARTITIONS), "1")}
    with mosquitto(scratch / "late-mosquitto") as held:
        server = {"type": "custom", "location": f"mqtt://{held.address}/gauge/#"}
        lake = project(scratch / "late-mqtt", server)
        words = [sys.executable, "-m", "yupana.cli.main", "bridge", NAME]
        with subprocess.Popen(words, env=lake.environment(), stderr=subprocess.DEVNULL) as child:
            wait_until(lambda: mqtt.folder(lake, NAME).exists())
            time.sleep(1)
            results["mqtt"] = delay(lake, lambda ms: held.send({"gauge/x": ms}), "1")
            child.send_signal(signal.SIGTERM)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--spark", action="store_true", help="also Spark's own connector")
    options = parser.parse_args()
    fetch()
    folder = settings().home / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder))
    try:
        with broker(scratch / "broker") as kafka:
            result = {"machine": machine(), "rows": options.rows}
            result["kafka"] = of_kafka(kafka, scratch, options.rows)
            print(json.dumps(result["kafka"]), file=sys.stderr)
            if options.spark:
                command = [sys.executable, "-m", "tests.benchmark.stream_spark", kafka.address]
                out = subprocess.run(
                    [*command, "all", str(scratch / "spark")], cwd=ROOT, check=True,
                    stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
                # The JVM may say a word after it.
                lines = [line for line in out.stdout.splitlines() if line.startswith("{")]
                result["spark"] = json.loads(lines[-1])
                print(json.dumps(result["spark"]), file=sys.stderr)
            result["delay"] = delays(kafka, scratch)
            print(json.dumps(result["delay"]), file=sys.stderr)
        result["folder"] = of_a_folder(scratch, options.rows // 5)
        print(json.dumps(result["folder"]), file=sys.stderr)
        result["mqtt"] = of_mqtt(scratch, options.rows // 10)
    finally:
        shutil.rmtree(scratch)
    out_file = folder / "stream.json"
    out_file.write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))
    print(f"→ {out_file}")


if __name__ == "__main__":
    main()
