"""The first texts that a new service is given: the use case's examples, or some that it learned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from yupana.config.settings import Settings
from yupana.core import plain_yaml, usecase
from yupana.core.errors import TransientError, UsageError
from yupana.core.hashing import value_sha256
from yupana.core.spec import SUBMIT, Spec
from yupana.core.types import Frozen, TryOut
from yupana.tasks.classify.cases import store
from yupana.tasks.classify.cases.case import RECEIVED, Case

if TYPE_CHECKING:
    from yupana.client import Client

EXAMPLES = "examples.yaml"
PATIENCE_SECONDS = 60.0
FEW = 5


class Example(Frozen):
    """A text that somebody might send."""

    title: str = ""
    text: str


def run(settings: Settings, spec: Spec, client: Client) -> TryOut:
    """Hand in the examples and wait until they are routed; a use case that takes no cases
    classifies some texts of its own.

    Returns:
        `text` and `prediction_id` of one; `cases`, or the answer of `classify`.

    Raises:
        UsageError: the examples break a rule.
        TransientError: the router did not come to them in time.
    """
    path = usecase.home() / spec.name / EXAMPLES
    if SUBMIT not in spec.actions or not path.exists():
        return _classified(settings, spec, client)
    examples = _read(spec.name)
    receipts = [
        client.submit(one.model_dump(), value_sha256([spec.name, one.model_dump()])[:40])["receipt"]
        for one in examples
    ]
    cases = _routed(settings, spec.name, receipts)
    shown = [
        {
            "receipt": one.receipt, "text": one.text, "language": one.language, "state": one.state,
            "label": one.label, "confidence": one.confidence, "abstention": one.abstention,
            "department": one.department, "prediction_id": one.prediction_id,
        }
        for one in cases
    ]  # fmt: skip
    first = next(one for one in shown if one["prediction_id"])
    return TryOut(len(shown), {**first, "cases": shown})


def _read(name: str) -> list[Example]:
    path = usecase.home() / name / EXAMPLES
    try:
        return TypeAdapter(list[Example]).validate_python(plain_yaml.read(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"The examples are not right: {first['msg']}.",
            where=f"{path}, {'.'.join(map(str, first['loc']))}",
            fix="Write a list of texts: `- {title: …, text: …}`.",
        ) from error


def _routed(settings: Settings, name: str, receipts: list[str]) -> list[Case]:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        cases = store.by_receipts(settings.platform_db, name, receipts)
        if all(one.state != RECEIVED for one in cases):
            return cases
        time.sleep(0.2)
    raise TransientError(
        f"The texts were not routed in {PATIENCE_SECONDS:.0f} seconds.",
        where=f"the service of {name}",
        fix="See its log; what was received is kept, and routed when it runs again.",
    )


def _classified(settings: Settings, spec: Spec, client: Client) -> TryOut:
    from yupana.tasks.classify.dataset import texts

    table = texts.texts(settings, spec.name).head(FEW)
    asked = [
        {"title": title, "text": text}
        for title, text in table.select(texts.TITLE, texts.TEXT).iter_rows()
    ]
    answers: list[dict[str, Any]] = client.call("classify", {"texts": asked})["predictions"]
    return TryOut(len(answers), {**answers[0], "text": asked[0]["text"]})
