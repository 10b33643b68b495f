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

from tests.benchmark import measured
from tests.benchmark.ingest import machine
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines
from yupana.governance.database import engine
from yupana.governance.ledger import book, signing, verifier, witness
from yupana.governance.ledger.book import Entry
from yupana.governance.ledger.canonical import canonical
from yupana.governance.ledger.table import METADATA

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
    head, tree, first, made = book.START, verifier.Tree(), 1, 0
    with path.open("wb") as out:
        for seq in range(1, events + 1):
            day, at = divmod(seq - 1, A_DAY)
            new = entry(seq)
            if at == 0 and day:
                told = {"day": f"{START + timedelta(days=day - 1):%Y-%m-%d}", "events": tree.size,
                        "first": first, "root": tree.root(), "type": "root"}  # fmt: skip
                new = Entry("root", str(told["day"]), witness.sealed(own, told))
                tree, first = verifier.Tree(), seq
            moment = (START + timedelta(days=day, seconds=at)).isoformat(timespec="milliseconds")
            line = canonical(
                {"actor": new.actor, "facts": new.facts, "kind": new.kind, "previous": head,
                 "seq": seq, "subject": new.subject, "time": moment.replace("+00:00", "Z")}
            ).encode()  # fmt: skip
            found = hashlib.sha256(line)
            head, made = found.hexdigest(), made + 1
            tree.add(found.digest())
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
    told: dict[str, Any] = {"events": events, "bytes": path.stat().st_size}
    for name, command in sides.items():
        log = home / f"{name.partition(' ')[0]}.log"
        run = measured.run(name, command, dict(os.environ), ROOT, log, say)
        told[name] = {
            **run.told, "peak_bytes": run.peak_bytes,
            "events_a_second": round(events / run.told["seconds"]), "load_before": run.load_before,
        }  # fmt: skip
    path.unlink()
    return told


def appended(own: Settings, many: int, single: int) -> dict[str, Any]:
    """Events a second: by groups, one by one with their witness, and rows without a chain."""
    url = own.platform_db
    book.append(own, [entry(0)])

    def groups() -> None:
        for at in range(0, many, BATCH):
            book.record(own, [entry(at + n) for n in range(BATCH)], datetime.now(UTC))

    def singles() -> None:
        for n in range(single):
            book.append(own, [entry(n)])

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
    raw = engine(url, METADATA).raw_connection()
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


def show(told: dict[str, Any]) -> None:
    """Print what was measured as a table."""
    shown = Table("what", "value", "aim", "")
    for database, found in told["appends"].items():
        aim = APPENDS_AIM if database == "postgresql" else 0
        _row(shown, f"appends/s on {database}, {BATCH} a group", found["batched"], aim)
        _row(shown, f"appends/s on {database}, one by one, witnessed", found["single"], 0)
        _row(shown, f"rows/s on {database} without a chain", found["rows without a chain"], 0)
    for found in told["verify"]:
        many = f"{found['events']:,} events"
        _row(shown, f"verified/s of {many}", found["verifier"]["events_a_second"], VERIFY_AIM)
        _row(shown, f"json and sha256/s of {many}", found["json and sha256"]["events_a_second"], 0)
        for side in ("verifier", "json and sha256"):
            cost = found[side]["cpu_seconds"] / found["events"] * 1e6
            shown.add_row(f"CPU of an event, {side}, µs", f"{cost:.1f}", "", "")
        peak = found["verifier"]["peak_bytes"] / 2**20
        shown.add_row(f"memory of the verifier, {many}, MiB", f"{peak:.0f}", "", "")
    shown.add_row("CPU of an event, large to small ledger", f"{told['growth']:.2f}", "about 1", "")
    seconds = f"{told['extrapolated_seconds']:.0f}"
    shown.add_row(f"{EXTRAPOLATED:,} events, s (extrapolated)", seconds, "", "")
    Console().print(shown)


def _row(shown: Table, what: str, value: int, aim: int) -> None:
    met = "" if not aim else "met" if value >= aim else "missed"
    shown.add_row(what, f"{value:,}", f">= {aim:,}" if aim else "", met)


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
    asked = parser.parse_args()
    say, load = Lines(), round(os.getloadavg()[0], 2)
    home = Path(tempfile.mkdtemp(prefix="yupana-ledger-"))
    appends: dict[str, Any] = {}
    try:
        with _databases(home) as databases:
            for name, own in databases.items():
                say.say(f"append {asked.appends:,} events to {name}")
                appends[name] = appended(own, asked.appends, SINGLE)
        sizes = sorted({min(SMALL, asked.events), asked.events})
        verify = []
        for events in sizes:
            say.say(f"write and verify {events:,} events")
            verify.append(verified(home, events, say))
    finally:
        shutil.rmtree(home)
    each = [found["verifier"]["cpu_seconds"] / found["events"] for found in verify]
    large = verify[-1]["verifier"]["seconds"] / verify[-1]["events"]
    told = {
        "machine": {**machine(), "load_before": load},
        "appends": appends,
        "verify": verify,
        "growth": round(each[-1] / each[0], 3),
        "extrapolated_seconds": round(large * EXTRAPOLATED, 1),
    }
    show(told)
    out = settings().home / "bench" / "ledger.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, indent=1))
    print(f"→ {out}")


if __name__ == "__main__":
    main()
