"""The audit ledger: events appended and verified in a second, against the same work without it.

Run: python -m tests.benchmark.ledger [--events 1000000]. Appends go to SQLite and, where its
server is on this machine, to PostgreSQL with its wait for the disk; beside them the same rows by
the same driver, without chain and lock. Verification is the stand-alone verifier, in a process of
its own, beside `json.loads` and SHA-256 of each line alone; on a machine that others use as well,
look at the CPU of an event rather than at its seconds. Writes var/bench/ledger.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from tests.answers import prediction, record
from tests.benchmark import measured
from tests.benchmark.ingest import machine
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines, Silent
from yupana.database.engine import engine
from yupana.ledger import entries, signing, verifier, witness, writer
from yupana.ledger.canonical import canonical
from yupana.ledger.check import Audit
from yupana.ledger.entries import Entry
from yupana.predictions import log_writer
from yupana.trace import audit

EVENTS, SMALL, EXTRAPOLATED = 1_000_000, 100_000, 10_000_000
BATCH, APPENDED, SINGLE = 100, 20_000, 200
A_DAY = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
APPENDS_AIM, VERIFY_AIM = 2_000, 100_000
PLAIN = """
import hashlib, json, os, sys, time
start = time.perf_counter()
with open(sys.argv[1], "rb") as stream:
    for line in stream:
        json.loads(line)
        hashlib.sha256(line).hexdigest()
print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": sum(os.times()[:4])}))
"""
ALONE = """
import json, os, runpy, sys, time
start, name = time.perf_counter(), sys.argv.pop(1)
try:
    runpy.run_path(name, run_name="__main__")
except SystemExit as done:
    assert not done.code, done
print(json.dumps({"seconds": time.perf_counter() - start, "cpu_seconds": sum(os.times()[:4])}))
"""


def entry(number: int) -> Entry:
    """A step's event, as large as the platform's own."""
    facts = {
        "id": f"{number:032x}", "step": "ingest", "status": "done",
        "inputs": [f"raw:{number:064x}"], "outputs": [f"delta:published/dengue_linelist@{number}"],
        "sha256": f"{number:064x}",
    }  # fmt: skip
    return Entry("step", "dengue_linelist", facts, f"person:{number % 7:016x}")


def write_export(home: Path, path: Path, events: int) -> None:
    """An export with a signed root a day, as the platform writes it, without a database."""
    own = Settings(home=home)
    head, tree, first, made = entries.START, verifier.Tree(), 1, 0
    with path.open("wb") as out:
        for seq in range(1, events + 1):
            day, at = divmod(seq - 1, A_DAY)
            new = entry(seq)
            if at == 0 and day:
                facts = {"day": f"{START + timedelta(days=day - 1):%Y-%m-%d}", "events": tree.size,
                        "first": first, "root": tree.root(), "type": "root"}  # fmt: skip
                new = Entry("root", str(facts["day"]), witness.sealed(own, facts))
                tree, first = verifier.Tree(), seq
            moment = (START + timedelta(days=day, seconds=at)).isoformat(timespec="milliseconds")
            line = canonical(
                {"actor": new.actor, "facts": new.facts, "kind": new.kind, "previous": head,
                 "seq": seq, "subject": new.subject, "time": moment.replace("+00:00", "Z")}
            ).encode()  # fmt: skip
            digest = hashlib.sha256(line)
            head, made = digest.hexdigest(), made + 1
            tree.add(digest.digest())
            out.write(line + b"\n")
        mark = witness.checkpoint(own, made, head, datetime.now(UTC))
        out.write(canonical(mark).encode() + b"\n")
    (home / "ledger.pub").write_text(signing.public_key(own))


def verified(home: Path, events: int, say: Lines) -> dict[str, Any]:
    """Seconds and memory of the stand-alone verifier and of the least that reads each line."""
    path = home / f"export-{events}.jsonl"
    write_export(home, path, events)
    ours = [sys.executable, "-I", "-c", ALONE, str(verifier.__file__), str(path),
            "--key", str(home / "ledger.pub")]  # fmt: skip
    sides = {"verifier": ours, "json and sha256": [sys.executable, "-I", "-c", PLAIN, str(path)]}
    facts: dict[str, Any] = {"events": events, "bytes": path.stat().st_size}
    for name, command in sides.items():
        log = home / f"{name.partition(' ')[0]}.log"
        run = measured.run(name, command, dict(os.environ), ROOT, log, say)
        facts[name] = {
            **run.told, "peak_bytes": run.peak_bytes,
            "events_a_second": round(events / run.told["seconds"]), "load_before": run.load_before,
        }  # fmt: skip
    path.unlink()
    return facts


def answered(own: Settings, answers: int) -> dict[str, Any]:
    """Seconds of `audit verify` on answers of a service in groups of `BATCH`, and their events:
    all of them, and what a hundredth more adds."""
    _answer(own, answers)
    report, seconds, cpu = _checked(own, incremental=False)
    rows = answers + report.checked
    _answer(own, max(answers // 100, BATCH))
    later, since, since_cpu = _checked(own, incremental=True)
    assert later.scope.since == report.checked, later
    return {"answers": answers, "events": report.checked, "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3), "rows_a_second": round(rows / seconds),
            "rows_a_second_of_cpu": round(rows / cpu), "incremental_seconds": round(since, 3),
            "incremental_cpu_seconds": round(since_cpu, 3)}  # fmt: skip


def _answer(own: Settings, answers: int) -> None:
    contents = [prediction(f"16{n:04}") for n in range(50)]
    for start in range(0, answers, BATCH):
        group = [record(contents[n % 50], time=START.timestamp() + start + n) for n in range(BATCH)]
        log_writer.record(own.platform_db, group)


def _checked(own: Settings, *, incremental: bool) -> tuple[Audit, float, float]:
    """What a check came to, and its seconds, of the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    report = audit.verify(own, Silent(), incremental=incremental)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert report.ok, report
    return report, wall, cpu


def appended(own: Settings, many: int, single: int) -> dict[str, Any]:
    """Events a second: by groups, one by one with their witness, and rows without a chain."""
    url = own.platform_db
    writer.append(own, [entry(0)])

    def groups() -> None:
        for at in range(0, many, BATCH):
            entries.record(own, [entry(at + n) for n in range(BATCH)], datetime.now(UTC))

    def singles() -> None:
        for n in range(single):
            writer.append(own, [entry(n)])

    def rows() -> None:
        with _plain_table(url) as (connection, mark):
            statement = f"INSERT INTO plain VALUES ({', '.join([mark] * 4)})"
            for at in range(0, many, BATCH):
                lines = [
                    (at + n, "step", "x", json.dumps(entry(at + n).facts)) for n in range(BATCH)
                ]
                cursor = connection.cursor()
                cursor.executemany(statement, lines)
                connection.commit()

    return {
        "batched": round(many / _seconds(groups)),
        "single": round(single / _seconds(singles)),
        "rows without a chain": round(many / _seconds(rows)),
    }


@contextmanager
def _plain_table(url: str) -> Iterator[tuple[Any, str]]:
    raw = engine(url).raw_connection()
    cursor = raw.cursor()
    cursor.execute(
        "CREATE TABLE plain (seq bigint PRIMARY KEY, kind text, subject text, line text)"
    )
    try:
        yield raw, "?" if url.startswith("sqlite") else "%s"
    finally:
        cursor.execute("DROP TABLE plain")
        raw.commit()
        raw.close()


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(report: dict[str, Any]) -> None:
    """Print what was measured as a table."""
    table = Table("what", "value", "aim", "")
    for database, found in report["appends"].items():
        aim = APPENDS_AIM if database == "postgresql" else 0
        _row(table, f"appends/s on {database}, {BATCH} a group", found["batched"], aim)
        _row(table, f"appends/s on {database}, one by one, witnessed", found["single"], 0)
        _row(table, f"rows/s on {database} without a chain", found["rows without a chain"], 0)
    for found in report["verify"]:
        many = f"{found['events']:,} events"
        _row(table, f"verified/s of {many}", found["verifier"]["events_a_second"], VERIFY_AIM)
        _row(table, f"json and sha256/s of {many}", found["json and sha256"]["events_a_second"], 0)
        for side in ("verifier", "json and sha256"):
            cost = found[side]["cpu_seconds"] / found["events"] * 1e6
            table.add_row(f"CPU of an event, {side}, µs", f"{cost:.1f}", "", "")
        peak = found["verifier"]["peak_bytes"] / 2**20
        table.add_row(f"memory of the verifier, {many}, MiB", f"{peak:.0f}", "", "")
    table.add_row(
        "CPU of an event, large to small ledger", f"{report['growth']:.2f}", "about 1", ""
    )
    if live := report.get("live"):
        what = f"{live['answers']:,} answers and {live['events']:,} events in the database"
        _row(table, f"verified/s of {what}", live["rows_a_second"], VERIFY_AIM)
        _row(table, "the same by second of CPU", live["rows_a_second_of_cpu"], VERIFY_AIM)
        both = f"{live['seconds']:.2f}, {live['incremental_seconds']:.2f}"
        table.add_row("seconds of all, and of a hundredth more since the mark", both, "", "")
    seconds = f"{report['extrapolated_seconds']:.0f}"
    table.add_row(f"{EXTRAPOLATED:,} events, s (extrapolated)", seconds, "", "")
    Console().print(table)


def _row(table: Table, what: str, value: int, aim: int) -> None:
    met = "" if not aim else "met" if value >= aim else "missed"
    table.add_row(what, f"{value:,}", f">= {aim:,}" if aim else "", met)


@contextmanager
def _databases(home: Path) -> Iterator[dict[str, Settings]]:
    """SQLite, and a fresh PostgreSQL server that waits for its disk, where there is one."""
    sys.path.insert(0, str(ROOT / "tests" / "integration"))
    from platform_db import postgres  # type: ignore[import-not-found]

    own = {"sqlite": Settings(home=home / "sqlite", platform_url="")}
    (home / "sqlite").mkdir()
    with ExitStack() as stack:
        with suppress(pytest.skip.Exception):
            url, _ = stack.enter_context(postgres(durable=True))
            own["postgresql"] = Settings(home=home / "postgresql", platform_url=url)
        yield own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--appends", type=int, default=APPENDED)
    options = parser.parse_args()
    say, load = Lines(), round(os.getloadavg()[0], 2)
    home = Path(tempfile.mkdtemp(prefix="yupana-ledger-"))
    appends: dict[str, Any] = {}
    try:
        with _databases(home) as databases:
            for name, own in databases.items():
                say.say(f"append {options.appends:,} events to {name}")
                appends[name] = appended(own, options.appends, SINGLE)
        sizes = sorted({min(SMALL, options.events), options.events})
        verify = []
        for events in sizes:
            say.say(f"write and verify {events:,} events")
            verify.append(verified(home, events, say))
        say.say(f"write and verify {options.events:,} answers")
        (home / "answers").mkdir()
        live = answered(Settings(home=home / "answers", platform_url=""), options.events)
    finally:
        shutil.rmtree(home)
    each = [values["verifier"]["cpu_seconds"] / values["events"] for values in verify]
    large = verify[-1]["verifier"]["seconds"] / verify[-1]["events"]
    facts = {
        "machine": {**machine(), "load_before": load},
        "appends": appends,
        "verify": verify,
        "live": live,
        "growth": round(each[-1] / each[0], 3),
        "extrapolated_seconds": round(large * EXTRAPOLATED, 1),
    }
    show(facts)
    out = settings().home / "bench" / "ledger.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(facts, indent=1))
    print(f"→ {out}")


if __name__ == "__main__":
    main()
