"""`yupana complaints opinion`: the kit's report, under the name of complaints."""

import typer

from yupana.console.options import AsJson
from yupana.tasks.classify.commands.opinion import From, Out, Since, Until
from yupana.tasks.classify.commands.opinion import opinion as of_use_case


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(opinion)


def opinion(
    since: Since = None, until: Until = None, source: From = "published", out: Out = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what citizens complain about: themes, words, volume, changes and typical masked texts.

    Example: yupana complaints opinion --since 2016-01-01
    """
    of_use_case("complaints", since, until, source, out, as_json)
