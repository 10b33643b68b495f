"""`yupana`: one command a step, the same in a terminal, an Airflow task and a Kubeflow pod."""

from __future__ import annotations

import signal
import sys

import typer

from yupana.cli.lazy import LazyGroup
from yupana.core.errors import YupanaError

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The open AI platform that a government's agencies run.\n\n"
    "Start with `make run`, or one step at a time: ingest → features → train → deploy → serve "
    "→ monitor → trace.\n\nExit codes: 0 done, 1 the data or model failed, 2 wrong use, "
    "3 outside trouble that is worth a retry.",
)


@app.callback()
def _root() -> None:
    pass


def main() -> None:
    """Run the command line; an error for people is printed without a stack."""
    # A polite stop must pass through `finally`, as Ctrl-C does: children are ended there.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app()
    except YupanaError as error:
        print(f"yupana: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("yupana: stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
