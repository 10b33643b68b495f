"""A process killed in any phase, or two at once: one version, nothing doubled, nothing lost."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest
from conftest import BOTH_ENGINES_LATER, SAMPLE

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data.lake import delta, history
from yupana.lineage import events
from yupana.orchestration.ingest import ingest

NAME = "dengue_linelist"
LINES = gzip.decompress(SAMPLE.read_bytes()).decode().split("\r\n")
ROWS = 4000
# Words of the progress line with which each phase begins, and how long after it to kill.
PHASES = {
    "sail": {"fetch": ("fetch", 0.5), "read": ("read ", 0.0), "stage": ("stage ", 0.0),
             "audit": ("audit ", 0.0), "quarantine": ("quarantine", 0.0),
             "publish": ("publish", 0.0)},
    "spark": {"fetch": ("fetch", 0.5), "stage": ("stage ", 1.0), "audit": ("audit ", 0.5),
              "quarantine": ("quarantine", 0.3), "publish": ("publish", 0.3)},
}  # fmt: skip

def content(rows: int, seed: int = 0) -> bytes:
    lines = [LINES[1 + (seed + i) % 60_000] for i in range(rows)]
    lines[5] = lines[5].replace("LORETO", "ATLANTIS")  # one row for the quarantine
    return ("\r\n".join([LINES[0], *lines]) + "\r\n").encode()


class Slow(BaseHTTPRequestHandler):
    """Serves one file, slowly the first time, so that a fetch can be interrupted."""

    body = content(ROWS)
    served = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        type(self).served += 1
        try:
            for start in range(0, len(self.body), 4096):
                self.wfile.write(self.body[start : start + 4096])
                time.sleep(0.1 if self.served == 1 else 0)
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/cases.csv"
    server.shutdown()


def start(lake: Settings, source: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # These files are other cases, and no releases of one.
        [sys.executable, "-m", "yupana.cli.main", "ingest", NAME, "--source", source, "--json",
         "--accept-change", "other cases"],
        env=lake.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_in(child: subprocess.Popen[str], words: str, wait: float) -> None:
    """Kill the process group when a line of its progress has these words."""
    assert child.stderr
    if words != "fetch":
        for line in child.stderr:
            if words in line:
                break
        else:
            pytest.fail(f"the ingest ended ({child.wait()}) before '{words}'")
    else:
        time.sleep(2.5)  # Python starts in less; the slow download takes more
    time.sleep(wait)
    assert child.poll() is None, f"it was over before it could be killed in '{words}'"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


# Each start of Spark takes its 10 seconds: its kills are for the long run. Nothing of a table is
# written while a file is read or audited.
@pytest.mark.parametrize(
    ("engine", "phases"),
    [
        ("sail", ("fetch", "stage", "quarantine", "publish")),
        pytest.param("sail", ("read", "audit"), marks=pytest.mark.long),
        pytest.param("spark", tuple(PHASES["spark"]), marks=[pytest.mark.spark, pytest.mark.long]),
    ],
    indirect=["engine"],
)
def test_kill_9_in_a_phase_then_one_run_completes(
    lake: Settings, url: str, phases: tuple[str, ...]
) -> None:
    good = lake.home / "good.csv"
    good.parent.mkdir(parents=True)
    good.write_bytes(content(300, seed=500))
    assert ingest(lake, NAME, str(good), Silent()).status == "done"
    before = delta.read(lake.table("published", NAME))
    for phase in phases:
        kill_in(start(lake, url), *PHASES[lake.engine][phase])
        now = delta.read(lake.table("published", NAME))
        # Killed after its commit, a publication stands whole, and the last run says so.
        assert now.equals(before) or (phase == "publish" and len(now) == ROWS - 1), phase
    whole = start(lake, url)
    stdout, outputs = whole.communicate()
    assert whole.returncode == 0, outputs
    result = json.loads(stdout.splitlines()[-1])
    assert result["rows"] == {"read": ROWS, "published": ROWS - 1, "quarantined": 1}
    table = lake.table("published", NAME)
    assert len(history.published_versions(table)) == 2
    lines = delta.read(table)["source_line"]
    assert lines.n_unique() == len(lines) == ROWS - 1
    aside = delta.read(lake.table("quarantine", NAME))
    assert aside.filter(source_sha256=result["source_sha256"])["source_line"].to_list() == [7]
    assert not list((lake.home / "work").glob("*/*"))
    without_engine = lake.model_copy(update={"engine": "none"})  # refused where one is started
    assert ingest(without_engine, NAME, url, Silent(), accept="other cases").status == "unchanged"


# Each start of Spark takes its 10 seconds: its kills are for the long run.
@BOTH_ENGINES_LATER
def test_three_at_once_make_a_version_for_each_change(lake: Settings) -> None:
    lake.home.mkdir(parents=True)
    paths = [lake.home / "a.csv", lake.home / "b.csv"]
    for seed, path in enumerate(paths):
        path.write_bytes(content(ROWS, seed=seed * 1000))
    children = [start(lake, str(path)) for path in (paths[0], paths[0], paths[1])]
    outputs = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], outputs
    results = [json.loads(out.splitlines()[-1]) for out, _ in outputs]
    statuses = [r["status"] for r in results]
    assert any("waiting for another ingest" in err for _, err in outputs)
    versions = history.published_versions(lake.table("published", NAME))
    # The same file after the other one is what is published no more, and is published again.
    assert len(versions) == statuses.count("done") >= 2
    assert all(a.source_sha256 != b.source_sha256 for a, b in pairwise(versions))
    for version in versions:
        rows = delta.read(lake.table("published", NAME), version.version)
        assert len(rows) == ROWS - 1
        assert rows["source_sha256"].unique().to_list() == [version.source_sha256]


@BOTH_ENGINES_LATER
def test_a_crash_between_the_commit_and_its_event_publishes_once(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lake.home / "good.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(content(300))
    append = events.append

    def dies(settings: Settings, step: str, *args: object, **facts: object) -> str:
        if step == "ingest":
            raise SystemExit(137)
        return append(settings, step, *args, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(events, "append", dies)
    with pytest.raises(SystemExit):
        ingest(lake, NAME, str(path), Silent())
    monkeypatch.setattr(events, "append", append)
    result = ingest(lake, NAME, str(path), Silent())
    assert result.metrics["version"] == 0
    assert result.metrics["rows"] == {"read": 300, "published": 299, "quarantined": 1}
    assert delta.version_of(lake.table("published", NAME)) == 0
    assert ingest(lake, NAME, str(path), Silent()).status == "unchanged"
