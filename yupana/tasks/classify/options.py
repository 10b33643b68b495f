"""What this kind asks of a spec: its own section, its metric and its baselines."""

from __future__ import annotations

from pydantic import Field, ValidationError

from yupana.core.errors import UsageError
from yupana.core.spec import Bilingual, Column, Spec
from yupana.core.types import Frozen
from yupana.tasks.classify import language

METRIC, BASELINES = "macro_f1", ("majority", "tfidf")
"""What classifiers are scored by, and the models beside which they are."""

LEAST_GROUPS = 5
"""Groups of texts, of which each is kept out once."""

_FIX = (
    "Mend that field: `classify: {text: COLUMN, label: COLUMN, group: COLUMN, time: COLUMN}`, "
    "columns of the published table; docs/classify.md has an example."
)


class Label(Frozen):
    """A label that texts are given.

    Attributes:
        title: how people call it.
        about: words of the texts' language that say what belongs to it; the encoder compares texts
            with them, so that a label with few examples is learned too.
    """

    title: Bilingual
    about: str = Field(min_length=1, max_length=600)


class Options(Frozen):
    """The section `classify` of a spec.

    Attributes:
        text, label, group, time: columns of the published table: what is classified, what it was
            called, the unit that is never split between learning and scoring (a thread, a case,
            a person), and the day or moment of the text.
        title: column of a heading; empty: texts have none.
        languages: ISO 639 codes that the model reads; texts in others go to a person.
        accuracy: share of right labels (0-1) that is demanded of what the model decides by itself;
            what it is less sure of goes to a person.
        labels: by name; those of the data that are not here are called by their names.
    """

    text: Column
    label: Column
    group: Column
    time: Column
    title: Column | None = None
    languages: tuple[str, ...] = Field(("es",), min_length=1)
    accuracy: float = Field(0.8, gt=0, lt=1)
    labels: dict[str, Label] = Field(default_factory=dict)

    def label_of(self, name: str) -> Label:
        """A label as people call it, from its name where the spec says nothing of it."""
        words = name.replace("_", " ")
        title = Bilingual(es=words, en=words)
        return self.labels.get(name) or Label(title=title, about=words)


def of(spec: Spec) -> Options:
    """The section of a spec.

    Raises:
        UsageError: it breaks a rule; names file, field and mend.
    """
    file = f"models/{spec.name}/usecase.yaml"
    try:
        section = Options.model_validate(spec.options)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, (spec.task, *first["loc"])))
        raise UsageError(
            f"The spec is not right: {first['msg']}.", where=f"{file}, {field}", fix=_FIX
        ) from error
    if strange := [code for code in section.languages if code not in language.NAMES]:
        raise UsageError(
            f"'{strange[0]}' is no language that texts are told apart by.",
            where=f"{file}, {spec.task}.languages",
            fix=f"Use some of: {', '.join(language.NAMES)}.",
        )
    return section


def demand_scores(spec: Spec) -> None:
    """Demand that what decides between models is what the kit scores.

    Raises:
        UsageError: another metric or baseline is named, or the model is called like a baseline.
    """
    file, metric = f"models/{spec.name}/usecase.yaml", spec.metric
    if (metric.name, metric.better) != (METRIC, "higher"):
        raise UsageError(
            f"Classifiers are not scored by '{metric.name}', {metric.better} being better.",
            where=f"{file}, metric",
            fix=f"Write name: {METRIC}, better: higher.",
        )
    if strange := sorted({*metric.baselines} - {*BASELINES}):
        raise UsageError(
            f"There is no baseline '{strange[0]}'.",
            where=f"{file}, metric.baselines",
            fix=f"Use some of: {', '.join(BASELINES)}.",
        )
    if spec.model.final in BASELINES:
        raise UsageError(
            f"The model is called '{spec.model.final}', as a baseline is.",
            where=f"{file}, model.final",
            fix="Give it a name of its own, such as cascade.",
        )
