"""Processes that send and route cases, to be killed: `case_process.py WHAT HOME URL …`."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.ledger import entries, vouched
from yupana.tasks.classify.cases import receipts, rule_files
from yupana.tasks.classify.cases.intake import Intake, Submission
from yupana.tasks.classify.cases.router import Router
from yupana.tasks.classify.result import Classification

NAME = "complaints"
RULES = rule_files.load(NAME)
CLAIM = timedelta(seconds=1)
POINTS = ("claimed", "classified", "written", "vouched", "committed")
"""Where a router that is told so kills itself."""


def send(settings: Settings, first: int, many: int) -> None:
    """Send texts, each twice by the same key, and say each receipt once it is there."""
    intake = Intake(settings, NAME, RULES, receipts.configured(settings))
    for number in range(first, first + many):
        text = f"No recogen la basura de la calle {number}, cuadra {number * 7 % 31}"
        sent = Submission(text, body=text.encode(), request=f"{number:020d}")
        got = intake.receive(sent, datetime.now(UTC))
        print(number, got.receipt, got.case_id, flush=True)


def route(settings: Settings, point: str) -> None:
    """Route for ever; die at a point, at a batch by chance."""
    batches = Random(time.time_ns()).randint(1, 2)

    def die(here: str) -> None:
        nonlocal batches
        if here == point:
            batches -= 1
            if batches <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def classified(texts: list) -> list:  # type: ignore[type-arg]
        die("claimed")
        said = [Classification("limpieza_y_residuos", 0.9, language="es") for _ in texts]
        die("classified")
        return said

    changes, write = vouched.changes, entries.write

    def vouch(*given, **more):  # type: ignore[no-untyped-def]
        die("written")
        return changes(*given, **more)

    def wrote(*given, **more):  # type: ignore[no-untyped-def]
        done = write(*given, **more)
        die("vouched")
        return done

    vouched.changes, entries.write = vouch, wrote
    router = Router(settings, NAME, RULES, classified, batch=4, claim=CLAIM)
    while True:
        if router.run_once(datetime.now(UTC)):
            die("committed")
        else:
            time.sleep(0.02)


if __name__ == "__main__":
    what, home, url, argument, *rest = sys.argv[1:]
    settings = Settings(home=Path(home), platform_url=url)
    try:
        if what == "send":
            send(settings, int(argument), int(rest[0]))
        else:
            route(settings, argument)
    except sa.exc.OperationalError as error:
        sys.exit(str(error))
