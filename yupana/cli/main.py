"""`yupana`: one command a step, the same in a terminal, an Airflow task and a Kubeflow pod."""

from __future__ import annotations

import typer

from yupana.cli.lazy import LazyGroup
from yupana.console import process, terminal

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The open AI platform that a government's agencies run.\n\n"
    "Start with `make run`, or one step at a time: ingest → features → train → deploy → serve "
    "→ monitor → trace. In examples, capitals stand for your own names: `yupana usecases` and "
    "`yupana datasets` list them.\n\nExit codes: 0 done, 1 the data or model failed, 2 wrong use, "
    "3 outside trouble that is worth a retry.",
)


@app.callback()
def _root() -> None:
    pass


def main() -> None:
    """Run the command line; an error for people is printed without a stack."""
    with terminal.harmless_output(), process.errors_for_people():
        app()


if __name__ == "__main__":
    main()
