"""Commands for people who label: what they should look at, and Label Studio's files.

They belong to the group of `label.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import file_sha256
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.tasks.classify.labelling.review import Review

ROOMS = ("yupana/tasks/classify/labelling", "yupana/tasks/classify/dataset")
"""The code on which labels depend."""

Most = Annotated[int, typer.Option(min=1, max=100_000, help="Texts at most.")]


def review(
    use_case: UseCase,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The .csv or .json to write.")],
    most: Most = 200,
    as_json: AsJson = False,
) -> None:
    """Write the texts that most need a person: labels that are probably wrong (by cleanlab, from
    models that never saw the text's group), and texts of which these models are least certain.

    Of nearly equal texts one is asked for, and none that a person labelled already. The texts are
    the published ones, in which personal data is masked.

    Example: yupana label review complaints --out review.csv --most 50
    """
    from yupana.tasks.classify.labelling import review as reviewing

    config, target = settings(), out.resolve()

    def write(chosen: Review) -> tuple[Path, ...]:
        return (reviewing.write(target, chosen.items),)

    _chosen(config, "label_review", use_case, target, most, write, as_json)


def export(
    use_case: UseCase,
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="The tasks to write.")],
    most: Most = 200,
    as_json: AsJson = False,
) -> None:
    """Write what `yupana label review` chooses as tasks of Label Studio, with the label model's
    labels to begin from, and its labelling interface as XML beside them.

    Example: yupana label export complaints --out tasks.json
    """
    from yupana.tasks.classify.labelling import functions as loading
    from yupana.tasks.classify.labelling import label_model, label_studio, labels

    config, target = settings(), out.resolve()
    names = loading.load(use_case).labels

    def write(chosen: Review) -> tuple[Path, ...]:
        theirs = labels.of(config.platform_db, use_case)
        models = {
            one.entity: one for one in theirs
            if one.author == label_model.NAME and one.confidence > 0
        }  # fmt: skip
        return label_studio.write(target, use_case, chosen.items, models, names)

    _chosen(config, "label_export", use_case, target, most, write, as_json, names)


def import_(
    use_case: UseCase,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Label Studio's JSON export.")],
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Import the rest where some cannot be imported.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import the labels that reviewers gave in Label Studio: all of a file, or nothing.

    Where an annotation cannot be imported (an unknown label, a text that changed, one person's
    two labels of a text …), a report beside the file says which and why, and nothing is imported
    unless --set-aside is there. Reviewers are kept by pseudonyms. A file is imported once.

    Example: yupana label import complaints project-1.json
    """
    from yupana.core import whole_file
    from yupana.core.errors import TerminalError, UsageError
    from yupana.lineage import steps
    from yupana.tasks.classify.dataset.texts import texts
    from yupana.tasks.classify.labelling import annotations
    from yupana.tasks.classify.labelling import functions as loading

    if not file.is_file():
        raise UsageError("There is no such file.", where=str(file), fix="Name the JSON export.")
    config, sha256 = settings(), file_sha256(file)
    report = file.resolve().with_suffix(".refused.json")

    def work() -> steps.Outcome:
        table = texts(config, use_case).select("entity", "title", "text")
        known = {entity: (title, text) for entity, title, text in table.iter_rows()}
        found = annotations.read(file, use_case, known, loading.load(use_case).labels)
        refusals = [{**r._asdict(), "says": annotations.WORDS[r.code]} for r in found.refusals]
        report.unlink(missing_ok=True)
        if refusals:
            whole_file.write_json(report, refusals)
        if refusals and not set_aside:
            raise TerminalError(
                f"{len(refusals)} annotations cannot be imported, the first because "
                f"{refusals[0]['says']}; nothing was imported.",
                where=f"{file}, task {found.refusals[0].task}; all of them: {report}",
                fix="Mend them in Label Studio and export again, or add --set-aside.",
            )
        fresh = annotations.keep(config, use_case, found.annotations, datetime.now(UTC))
        facts = {
            "annotations": len(found.annotations), "new_labels": fresh,
            "refused": len(refusals), "cancelled": found.skipped, "unlabelled": found.unlabelled,
        }  # fmt: skip
        output = f"labels:{use_case}/import-{sha256[:16]}"
        return steps.Outcome((output,), inputs(config, use_case), facts)

    result = steps.run(
        config, "label_import", use_case, work,
        depends_on=[sha256, set_aside], earlier=True,
    )  # fmt: skip
    emit(result, as_json)


def _chosen(
    config: Settings, step: str, use_case: str, target: Path, most: int,
    write: Callable[[Review], tuple[Path, ...]], as_json: bool,
    names: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """The step that chooses texts for people and writes them; `names`: labels that it writes."""
    from yupana.lineage import events, steps
    from yupana.tasks.classify.dataset.texts import texts
    from yupana.tasks.classify.labelling import labels
    from yupana.tasks.classify.labelling import review as reviewing

    existing = labels.of(config.platform_db, use_case)

    def work() -> steps.Outcome:
        chosen = reviewing.choose(texts(config, use_case), existing, most, config.seed, Lines())
        files = write(chosen)
        facts = {
            "file": str(target), "texts": len(chosen.items), "suspicious": chosen.suspicious,
            "judged": chosen.judged, "agreement": round(chosen.agreement, 4),
            "not_judged": ", ".join(chosen.alone),
        }  # fmt: skip
        output = f"labels:{use_case}/{step}-{file_sha256(target)[:16]}"
        return steps.Outcome((output,), metrics=facts, files=files)

    code = events.code_hash(config.root, *ROOMS)
    result = steps.run(
        config, step, use_case, work, inputs=inputs(config, use_case),
        depends_on=[code, sorted(existing), names, most, config.seed, str(target)],
        still_there=lambda outputs: target.exists(),
    )  # fmt: skip
    emit(result, as_json)


def inputs(config: Settings, use_case: str) -> tuple[str, ...]:
    """The published table that the texts come from."""
    from yupana.core import spec
    from yupana.data.lake import delta

    return (delta.ref(config.lake, "published", spec.load(use_case).data.trigger).ref,)
