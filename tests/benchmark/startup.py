"""How long the command line takes to start, against an interpreter that does nothing.

Run: make bench. Writes var/bench/startup.json with medians in seconds and their ratio.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from yupana.config.settings import settings

TIMES = 9


def median_seconds(command: list[str]) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    once()
    return round(statistics.median(once() for _ in range(TIMES)), 3)


def main() -> None:
    ours = median_seconds([sys.executable, "-m", "yupana.cli.main", "--help"])
    bare = median_seconds([sys.executable, "-c", "pass"])
    result = {
        "yupana_help": ours,
        "python_pass": bare,
        "ratio": round(ours / bare, 1),
        "runs": TIMES,
        "load": os.getloadavg()[0],
    }
    out = settings().home / "bench" / "startup.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1))
    print(json.dumps(result), f"\n→ {out}")


if __name__ == "__main__":
    main()
