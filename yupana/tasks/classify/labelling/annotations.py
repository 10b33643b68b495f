"""Labels that people gave in Label Studio, read from its JSON export and held against the texts.

Nothing is written here before the whole file is read: what cannot be imported is listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from yupana.config.settings import Settings
from yupana.core import foreign_json
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.ledger import pseudonyms
from yupana.tasks.classify.labelling import labels
from yupana.tasks.classify.labelling.label_studio import CONTROL
from yupana.tasks.classify.labelling.labels import Label

MOST_BYTES = 256 << 20
_LONGEST_ACCOUNT = 150

WORDS = {
    "other_use_case": "the task is of another use case",
    "unknown_text": "the published texts have no such entity",
    "changed_text": "the text is not the published one: it changed since the export, or was edited",
    "no_choice": "the annotation has no choice, or more than one",
    "unknown_label": "the choice is not among the labels of labelling.yaml",
    "no_reviewer": "the annotation does not say who completed it",
    "duplicate": "the same person labels this text more than once in the file",
}
"""Why an annotation is not imported, by the code in the report."""


class _Data(BaseModel):
    use_case: str
    entity: str
    title: str = ""
    text: str


class _Annotation(BaseModel):
    result: list[dict[str, Any]] = []
    completed_by: int | dict[str, Any] | None = None
    was_cancelled: bool = False


class _Task(BaseModel):
    """A task of the export; of its many other fields none is read."""

    data: _Data
    annotations: list[_Annotation] = []


class Annotation(NamedTuple):
    """One person's label of a text.

    Attributes:
        account: of the person in Label Studio; it goes to the table of pseudonyms alone.
    """

    entity: str
    label: str
    account: str


class Refusal(NamedTuple):
    """An annotation that cannot be imported.

    Attributes:
        task, annotation: their places in the file, from 0; of a whole task -1.
        code: a key of `WORDS`.
    """

    task: int
    annotation: int
    entity: str
    code: str


class Export(NamedTuple):
    """What an export holds.

    Attributes:
        skipped: annotations that their author cancelled.
        unlabelled: tasks that nobody annotated.
    """

    annotations: tuple[Annotation, ...]
    refusals: tuple[Refusal, ...]
    skipped: int
    unlabelled: int


def read(
    path: Path, use_case: str, texts: Mapping[str, tuple[str, str]], names: Collection[str]
) -> Export:
    """The annotations of a file, and those that cannot be imported.

    Args:
        texts: title and text of each published text by entity.
        names: the labels that there are.

    Raises:
        UsageError: it is no JSON export of Label Studio, or all its tasks are of another use case.
    """
    tasks = _tasks(path)
    of_others = {task.data.use_case for task in tasks} - {use_case}
    if of_others and all(task.data.use_case != use_case for task in tasks):
        raise UsageError(
            f"These tasks are of another use case: {', '.join(sorted(of_others))[:200]}.",
            where=str(path),
            fix=f"Name that use case, or a file that `yupana label export {use_case}` began.",
        )
    good: list[tuple[int, int, Annotation]] = []
    refused: list[Refusal] = []
    skipped = 0
    for number, task in enumerate(tasks):
        if code := _task_fault(task, use_case, texts):
            refused.append(Refusal(number, -1, task.data.entity, code))
            continue
        for place, annotation in enumerate(task.annotations):
            if annotation.was_cancelled:
                skipped += 1
                continue
            label, account = _choice(annotation), _account(annotation)
            if code := _fault(label, account, names):
                refused.append(Refusal(number, place, task.data.entity, code))
            else:
                good.append((number, place, Annotation(task.data.entity, label, account)))
    doubled = [*_doubled(good)]
    places = {(refusal.task, refusal.annotation) for refusal in doubled}
    return Export(
        tuple(one for number, place, one in good if (number, place) not in places),
        tuple(sorted([*refused, *doubled])), skipped,
        sum(not task.annotations for task in tasks),
    )  # fmt: skip


def _tasks(path: Path) -> list[_Task]:
    fix = "Export the project from Label Studio as JSON (not JSON-MIN, not CSV)."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        values = foreign_json.loads(path.read_bytes())
        if not isinstance(values, list) or not values:
            raise ValueError("it is no list of tasks")
        tasks = []
        for number, value in enumerate(values):
            place = f", task {number}"
            tasks.append(_Task.model_validate(value))
        return tasks
    except OSError as error:
        raise UsageError(
            f"The file cannot be read: {error.strerror}.", where=str(path), fix="Name another."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole task"
        raise UsageError(
            f"This is no task that yupana exported: {first['msg']}.",
            where=f"{path}{place}, {field}", fix=fix,
        ) from error  # fmt: skip
    except ValueError as error:
        raise UsageError(
            "The file is no export of Label Studio.", where=str(path), fix=fix, detail=str(error)
        ) from error


def _task_fault(task: _Task, use_case: str, texts: Mapping[str, tuple[str, str]]) -> str:
    if task.data.use_case != use_case:
        return "other_use_case"
    if task.data.entity not in texts:
        return "unknown_text"
    same = texts[task.data.entity] == (task.data.title, task.data.text)
    return "" if same else "changed_text"


def _choice(annotation: _Annotation) -> str:
    """The one choice; empty where there is none or more than one."""
    mine = [r for r in annotation.result if r.get("from_name") == CONTROL]
    values = [r.get("value") for r in mine if r.get("type") == "choices"]
    choices = [
        choice for value in values if isinstance(value, dict)
        for choice in value.get("choices") or ()
    ]  # fmt: skip
    return choices[0] if len(choices) == 1 and isinstance(choices[0], str) else ""


def _account(annotation: _Annotation) -> str:
    """Label Studio's number of the person (exports differ in whether more is there), else the
    address; empty where neither is."""
    who = annotation.completed_by
    number: Any = who.get("id", who.get("email")) if isinstance(who, dict) else who
    known = isinstance(number, int | str) and number != "" and not isinstance(number, bool)
    account = f"label-studio:{number}" if known else ""
    return account if len(account) <= _LONGEST_ACCOUNT else ""


def _fault(label: str, account: str, names: Collection[str]) -> str:
    if not label:
        return "no_choice"
    if label not in names:
        return "unknown_label"
    return "" if account else "no_reviewer"


def _doubled(good: list[tuple[int, int, Annotation]]) -> Iterator[Refusal]:
    """Every annotation of a text that the same person labels more than once."""
    counts: dict[tuple[str, str], int] = {}
    for _, _, one in good:
        counts[one.entity, one.account] = counts.get((one.entity, one.account), 0) + 1
    for number, place, one in good:
        if counts[one.entity, one.account] > 1:
            yield Refusal(number, place, one.entity, "duplicate")


def keep(
    settings: Settings, use_case: str, annotations: Collection[Annotation], now: datetime
) -> int:
    """Write labels by the pseudonyms of who gave them, all or none; those that hold already are
    not written again. Returns how many are new."""
    before = {(e.entity, e.author): e.label for e in labels.of(settings.platform_db, use_case)}
    with engine(settings.platform_db).begin() as connection:
        accounts = sorted({one.account for one in annotations})
        people = {account: pseudonyms.of(connection, account, now) for account in accounts}
        fresh = [
            Label(one.entity, one.label, "reviewer", people[one.account]) for one in annotations
            if before.get((one.entity, people[one.account])) != one.label
        ]  # fmt: skip
        return labels.add_within(connection, use_case, fresh, now)
