"""Airflow's own command line, one command after the other in one process.

Importing Airflow and building its task API take most of the seconds of a short command. Each line
on standard input names a command and the file for its words; each is answered by its exit code.
"""

from __future__ import annotations

import json
import os
import sys
import traceback


def answer() -> None:
    """Run the commands of standard input until it ends."""
    # Neither is for the tasks' processes.
    requests, codes = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for line in requests:
        command, log = json.loads(line)
        words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(words, stream)
        os.close(words)
        print(_code(command), file=codes, flush=True)


def _code(command: list[str]) -> int:
    sys.argv = ["airflow", *command]
    try:
        from airflow.__main__ import main

        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    answer()
