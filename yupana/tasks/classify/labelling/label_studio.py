"""Tasks for Label Studio, and the labelling interface that they need.

Its formats: https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions and
https://labelstud.io/tags/choices. Label Studio itself stands in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from yupana.core import whole_file
from yupana.core.hashing import value_sha256
from yupana.tasks.classify.labelling import out_of_sample
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.review import ReviewItem

CONTROL, SHOWN = "label", "text"
"""Names of the tags of the interface: `from_name` and `to_name` of each result."""


def task(use_case: str, item: ReviewItem, prediction: Label | None) -> dict[str, Any]:
    """A task: the text with what finds it again, and a label to begin from.

    Args:
        prediction: the label model's; None: the suggestion of the cross-validation.
    """
    label, score, model = item.suggestion, item.probability, out_of_sample.NAME
    if prediction:
        label, score, model = prediction.label, prediction.confidence, prediction.author
    result = {
        "id": value_sha256([use_case, item.entity, model])[:10],
        "from_name": CONTROL,
        "to_name": SHOWN,
        "type": "choices",
        "value": {"choices": [label]},
    }
    return {
        "data": {
            "use_case": use_case, "entity": item.entity, "title": item.title, "text": item.text,
            "why": item.why,
        },
        "predictions": [{"model_version": model, "score": score, "result": [result]}],
    }  # fmt: skip


def interface(labels: Sequence[str]) -> str:
    """The labelling interface, XML to be pasted into the project's settings."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$title")
    ElementTree.SubElement(view, "Text", name=SHOWN, value="$text")
    choices = ElementTree.SubElement(
        view, "Choices", name=CONTROL, toName=SHOWN, choice="single", required="true"
    )
    for label in labels:
        ElementTree.SubElement(choices, "Choice", value=label)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def write(
    path: Path, use_case: str, items: Sequence[ReviewItem], models: Mapping[str, Label],
    labels: Sequence[str],
) -> tuple[Path, Path]:  # fmt: skip
    """Write tasks as JSON, and the interface as XML beside them; returns both paths.

    Args:
        models: the label model's labels by entity.
    """
    tasks = [task(use_case, item, models.get(item.entity)) for item in items]
    return (
        whole_file.write_json(path, tasks),
        whole_file.write(path.with_suffix(".xml"), interface(labels)),
    )
