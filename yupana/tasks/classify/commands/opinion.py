"""The command that says what texts are about: themes, their words, volume, and typical texts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import file_sha256, value_sha256
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.tasks.classify.opinion.result import Source

_DAY = ["%Y-%m-%d"]
_CODE = ("yupana/tasks/classify/opinion", "yupana/tasks/classify", "yupana/privacy")
_FILES = ("common_words.txt", "opinion.html")
"""Of the first of these rooms: they change the report as its code does."""

Since = Annotated[
    datetime | None, typer.Option(formats=_DAY, help="First day; default: of the first text.")
]
Until = Annotated[
    datetime | None, typer.Option(formats=_DAY, help="Last day; default: of the last text.")
]
From = Annotated[str, typer.Option(help="published texts, or cases as they are handled.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Default: reports/<use case> at home.")
]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(opinion)


def opinion(
    use_case: UseCase, since: Since = None, until: Until = None, source: From = "published",
    out: Out = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what citizens write about: themes, the words that tell them apart, volume over time and
    by group with intervals, changes, and typical masked texts; a page and JSON.

    Nothing is told of fewer than five texts, nor what would tell of them.

    Example: yupana opinion complaints --since 2016-01-01
    """
    from yupana.lineage import events, steps

    config = settings()
    kind, span = _source(source), [day and day.date() for day in (since, until)]
    inputs, known = _rests_on(config, use_case, kind)
    folder = out.resolve() if out else config.reports / use_case

    def work() -> steps.Outcome:
        from yupana.tasks.classify import usecases
        from yupana.tasks.classify.opinion import report, texts

        say, definition = Lines().say, usecases.load(use_case)
        rows = texts.read(config, use_case, kind, *span)
        refs = inputs or (f"cases:{known[:16]}",)
        made = report.make(
            use_case, kind, rows, definition.options, refs, seed=config.seed, say=say
        )
        name, files = report.write(made, folder)
        facts: dict[str, Any] = {
            "texts": made.n, "themes": len(made.themes), "hidden": len(made.hidden),
            "from": str(made.first), "to": str(made.last), "every": made.every,
            "html": str(files[1]), "json": str(files[0]),
        }  # fmt: skip
        return steps.Outcome((f"report:{use_case}/opinion-{name}",), metrics=facts, files=files)

    code = [events.code_hash(config.root, room) for room in _CODE]
    code += [file_sha256(config.root / _CODE[0] / name) for name in _FILES]
    result = steps.run(
        config, "opinion", use_case, work, inputs=inputs,
        depends_on=[code, kind, span, known, config.seed, str(folder)],
    )  # fmt: skip
    emit(result, as_json)


def _source(name: str) -> Source:
    from yupana.core.errors import UsageError

    sources: dict[str, Source] = {"published": "published", "cases": "cases"}
    if name not in sources:
        raise UsageError(
            f"There are no texts '{name}'.", where="--source",
            fix=f"Use one of: {', '.join(sources)}.",
        )  # fmt: skip
    return sources[name]


def _rests_on(config: Settings, use_case: str, source: Source) -> tuple[tuple[str, ...], str]:
    """The published table, and a hash of what no reference names: labels, or the cases."""
    from yupana.core import spec
    from yupana.data.lake import delta
    from yupana.tasks.classify import usecases

    about = usecases.load(use_case).spec
    if source == "cases":
        from yupana.tasks.classify.opinion import texts

        return (), value_sha256(sorted(texts.cases(config, use_case).rows()))
    from yupana.tasks.classify.labelling import labels

    given = labels.of(config.platform_db, use_case)
    hashed = value_sha256([sorted(given), spec.load(use_case).options])
    return (delta.ref(config.lake, "published", about.data.trigger).ref,), hashed
