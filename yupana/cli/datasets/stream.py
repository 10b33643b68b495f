"""Commands of streams: publish what arrived, and the bridge from MQTT."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, emit
from yupana.core.progress import Lines

Name = Annotated[str, typer.Argument(help="A folder of expectations/ whose contract is a stream.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (stream, bridge):
        app.command()(command)


def stream(
    name: Name,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until SIGTERM or Ctrl-C, which end a batch.")
    ] = False,
    every: Annotated[
        float, typer.Option(help="With --follow: seconds between looks.", min=0)
    ] = 10.0,
    most: Annotated[
        int, typer.Option(help="Messages of one batch; a dropped file stays whole.", min=1)
    ] = 50_000,
    as_json: AsJson = False,
) -> None:
    """Publish all messages of a stream that are there now, batch by batch, each once.

    A batch goes the road of a file: landing zone, audit, quarantine, one commit. Killed at any
    moment, the next run completes it. Messages that break a rule, or are no JSON, are set aside
    with topic, partition and offset (`yupana quarantine NAME`); the others are published.
    Ends with 1 after publishing where more break a rule than the contract's quarantineLimit.

    Brokers' credentials: YUPANA_STREAM_LOGIN names a file of lines `host user:password`,
    YUPANA_STREAM_CA the certificates of TLS. docs/streams.md says what holds when something fails.

    Example: yupana stream river_levels --follow --every 30
    """
    from yupana.orchestration.stream import stream as run

    stopped = _stop_signal() if follow else lambda: False
    looks = every if follow else None
    emit(run(settings(), name, Lines(), most=most, every=looks, stopped=stopped), as_json)


def bridge(
    name: Name,
    quiet: Annotated[
        float | None,
        typer.Option(help="End after so many seconds without a message; default: never.", min=0),
    ] = None,
) -> None:
    """Take a stream's messages from an MQTT broker into files, from which `stream` publishes.

    The broker is told that a message came once it is on this disk; what was not confirmed, it
    sends again. Keep the bridge running: brokers keep few messages for one that is away
    (Mosquitto: set max_queued_messages and persistence). SIGTERM and Ctrl-C end it politely.

    Example: yupana bridge river_levels
    """
    from yupana.orchestration.stream import bridge as run

    count = run(settings(), name, Lines(), stopped=_stop_signal(), quiet=quiet)
    print(f"bridge {name}: {count:,} messages written; `yupana stream {name}` publishes them")


def _stop_signal() -> Callable[[], bool]:
    """Whether SIGTERM or Ctrl-C came; they no longer end the process by themselves."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop.is_set
