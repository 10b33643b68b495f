"""The model card: README.md with front matter as the Hugging Face Hub reads it.

Spanish first and English beside it, written from the run's own facts. What only a person knows
(use, limits) stands in `models/<use case>/card.yaml`; what only the kind knows (calibration, other
scores, another season) it adds by `UseCase.card`. Fields of the front matter:
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.evaluation import Evaluation
from yupana.core.markdown import bullets, table
from yupana.core.spec import Bilingual, Metric, Spec
from yupana.core.types import Frozen
from yupana.data.contracts import contract
from yupana.data.lake import delta
from yupana.tracking import facts

NAME = facts.CARD


class Bullets(Frozen):
    """Points for people, Spanish first."""

    es: tuple[str, ...]
    en: tuple[str, ...]


class Task(Frozen):
    """The kind of task by the Hub's name, and in words."""

    type: str
    name: str


class Texts(Frozen):
    """What a person writes of a use case for its cards, `models/<use case>/card.yaml`.

    Attributes:
        unit: of the metric, such as cases a week.
        groups: how the groups of the evaluation are called, by their names there.
        names: how single groups are called, by their names there.
    """

    title: Bilingual
    task: Task
    unit: Bilingual
    use: Bilingual
    limits: Bullets
    groups: dict[str, Bilingual] = Field(default_factory=dict)
    names: dict[str, Bilingual] = Field(default_factory=dict)


def write(
    settings: Settings, use_case: str, folder: Path, evaluation: Evaluation, *, verdict: str
) -> Path:
    """Write a candidate's card into its folder, so that it is kept with the weights.

    Args:
        verdict: why it is champion or challenger.

    Raises:
        UsageError: the use case has no text for its card.
    """
    spec, texts = specs.load(use_case), _texts(settings, use_case)
    fitted = json.loads((folder / facts.FIT).read_text())
    record = facts.read(folder)
    data = record.get("data", {})
    names = [delta.parts(ref)[1] for ref in data.get("sources", ())]
    parts = [
        _front(spec, texts, names, data, evaluation),
        f"# {texts.title.es}\n\n*{texts.title.en}*",
        _section("Uso", "Use", texts.use.es, texts.use.en),
        _section("Límites", "Limits", bullets(texts.limits.es), bullets(texts.limits.en)),
        _data(settings, data),
        _scores(spec.metric, texts.unit, evaluation, verdict),
        _groups(spec.metric, texts, evaluation),
        *usecase.load(use_case).card(folder, evaluation),
        _origin(fitted["params"], record),
    ]
    path = folder / NAME
    path.write_text("\n\n".join(p for p in parts if p) + "\n", encoding="utf-8")
    return path


def _texts(settings: Settings, use_case: str) -> Texts:
    path = settings.root / "models" / use_case / "card.yaml"
    if not path.exists():
        raise UsageError(
            f"'{use_case}' has no text for its model card.",
            where=str(path),
            fix="Write title, task, unit, use and limits there, in Spanish and English.",
        )
    return Texts.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _front(
    spec: Spec, texts: Texts, names: list[str], data: dict[str, Any], evaluation: Evaluation
) -> str:
    own = evaluation.scores[evaluation.final]
    metrics = [
        {"type": name, "name": f"{name} (test)", "value": value} for name, value in own.items()
    ]
    rows = {"name": ", ".join(names) or spec.name, "type": spec.name, "split": "test"}
    if data:
        rows["revision"] = data["sha256"]
    result = {"task": texts.task.model_dump(), "dataset": rows, "metrics": metrics}
    front = {
        "language": ["es", "en"],
        "pipeline_tag": texts.task.type,
        "tags": ["yupana", spec.name, spec.task],
        "datasets": names,
        "metrics": [spec.metric.name, *(name for name in own if name != spec.metric.name)],
        "model-index": [{"name": spec.name, "results": [result]}],
    }
    return f"---\n{yaml.safe_dump(front, allow_unicode=True, sort_keys=False)}---"


def pictures(folder: Path) -> list[Path]:
    """The pictures that lie beside a card."""
    return sorted(p for p in folder.iterdir() if p.suffix in (".png", ".svg"))


def _section(es: str, en: str, spanish: str, english: str) -> str:
    """A section in both languages."""
    return f"## {es} · *{en}*\n\n{spanish}\n\n**English.**\n\n{english}"


def _order(metric: Metric, evaluation: Evaluation) -> list[str]:
    """The models that were scored: the final one, then the others from the best on."""
    values, order = evaluation.values(), []
    rest = {name: value for name, value in values.items() if name != evaluation.final}
    while rest:
        order.append(metric.best(rest))
        rest.pop(order[-1])
    return [evaluation.final, *order]


def _data(settings: Settings, data: dict[str, Any]) -> str:
    head = "## Datos · *Data*\n\n"
    if not data:
        return f"{head}No se registraron. *They were not recorded.*"
    rows = []
    for ref in data["sources"]:
        about = contract.load(settings.root, delta.parts(ref)[1])
        rows.append([f"`{ref}`", about.title, about.publisher, about.licence])
    heads = [
        "Versión / *Version*",
        "Datos / *Data*",
        "Publica / *Publisher*",
        "Licencia / *Licence*",
    ]
    parts = ", ".join(f"{k} {v:,}" for k, v in data["parts"].items())
    day = data["as_of"] or "todo lo publicado / all that is published"
    lines = [
        f"Conocido al · *Known on*: {day}",
        f"Variables · *Features*: `{data['features']}`, servicio · *service* "
        f"`{data['feature_service']}`",
        f"Filas · *Rows*: {data['rows']:,} ({parts})",
        f"Partición · *Split*: `{data['ref']}`, SHA-256 `{data['sha256']}`",
    ]
    return f"{head}{table(heads, rows)}\n\n{bullets(lines)}"


def _scores(metric: Metric, unit: Bilingual, evaluation: Evaluation, verdict: str) -> str:
    values, final, ends = evaluation.values(), evaluation.final, evaluation.intervals
    rows = []
    for model in _order(metric, evaluation):
        name = f"**{model}**" if model == final else model
        ratio = values[final] / values[model] if values[model] else float("nan")
        against = "" if model == final else f"{ratio:.3f}{_between(ends, f'{final}/{model}')}"
        rows.append([name, f"{values[model]:.3f}{_between(ends, model)}", against])
    heads = ["Modelo / *Model*", metric.title, f"{metric.title} {final} ÷"]
    how = (
        "Entre paréntesis, intervalo de 95 % por remuestreo. "
        "*In brackets, 95 % interval by a bootstrap.*"
        if ends
        else "Sin intervalos: no se guardaron los puntajes por fila. "
        "*No intervals: scores by row were not kept.*"
    )
    es, en = ("menos", "lower") if metric.better == "lower" else ("más", "higher")
    return (
        f"## Resultados · *Results*\n\nParte de prueba, {unit.es}; {es} es mejor. "
        f"*Test part, {unit.en}; {en} is better.*\n\n{table(heads, rows)}\n\n{how}\n\n"
        f"Registro · *Registry*: {verdict}."
    )


def _between(intervals: dict[str, tuple[float, float]], name: str) -> str:
    return " ({:.3f}–{:.3f})".format(*intervals[name]) if name in intervals else ""


def _groups(metric: Metric, texts: Texts, evaluation: Evaluation) -> str:
    tables = []
    models = sorted(evaluation.values())
    for group in dict.fromkeys(g.group for g in evaluation.groups):
        rows = [
            [
                _called(texts.names, g.of),
                f"{g.n:,}",
                *(_number(g.scores.get(model, {}).get(metric.name)) for model in models),
            ]
            for g in evaluation.groups
            if g.group == group
        ]
        tables.append(table([_called(texts.groups, group), "n", *models], rows))
    head = f"## Grupos · *Groups*\n\n{metric.title}.\n\n"
    return head + "\n\n".join(tables) if tables else ""


def _called(names: dict[str, Bilingual], name: str) -> str:
    return f"{names[name].es} / *{names[name].en}*" if name in names else name


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _origin(params: dict[str, Any], record: dict[str, Any]) -> str:
    lines = [f"{name}: `{value}`" for name, value in params.items()]
    rest = facts.flat({k: v for k, v in record.items() if k not in ("data", "files")})
    lines += [f"{name}: `{value}`" for name, value in rest.items() if value != ""]
    return (
        "## Cómo se hizo · *How it was made*\n\n" + bullets(lines) + "\n\nSe vuelve a entrenar y "
        "comparar con · *Trained again and compared by*: `yupana reproduce MODEL@VERSION`."
    )
