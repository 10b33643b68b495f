"""What a forecast's model card says beside the deciding score: other scores, another season, and
calibration."""

from __future__ import annotations

import json
from pathlib import Path

from yupana.core.evaluation import Evaluation, Scores
from yupana.core.markdown import table
from yupana.tasks.forecast.model.store import DESCRIPTION, EVALUATED
from yupana.tasks.forecast.scoring.scores import METRIC

BACKTEST = "backtest.json"
"""The report of `yupana backtest --candidate`, as `yupana register` keeps it."""

PLOTS = ("calibration.svg", "calibration.png")
_SHOWN = {METRIC: "WIS", "wis_log": "WIS log(x+1)", "mae": "MAE"}


def sections(folder: Path, evaluation: Evaluation) -> list[str]:
    """Sections as Markdown, Spanish first; those that nothing is known for are left out."""
    other, before = _scores(evaluation), _backtest(folder, evaluation.final)
    parts = (_which(folder), other, before, _calibration(folder, evaluation))
    return [part for part in parts if part]


def _which(folder: Path) -> str:
    """Which fit the scores are of; empty where the one that answers is scored itself."""
    if not (folder / EVALUATED).is_dir():
        return ""
    scored, answers = (
        json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))["trained_through"]
        for path in (folder / EVALUATED, folder)
    )
    return (
        "## De qué ajuste son los puntajes · *Which fit the scores are of*\n\n"
        f"Del ajustado con orígenes hasta el {scored}, antes de la parte de prueba. El que "
        "responde se ajustó de nuevo, con el mismo procedimiento, opciones y semillas, con "
        f"orígenes hasta el {answers}.\n\n*Of the one fitted on origins to {scored}, before the "
        "test part. The one that answers was fitted again, by the same procedure, options and "
        f"seeds, on origins to {answers}.*"
    )


def _scores(evaluation: Evaluation) -> str:
    return (
        "## Otros puntajes · *Other scores*\n\nLos intervalos de los resultados se sacan "
        "remuestreando periodos enteros. "
        "*Intervals of the results are drawn over whole periods.*\n\n"
        + _table(evaluation.scores, evaluation.final)
    )


def _table(scores: Scores, final: str) -> str:
    def place(model: str) -> tuple[bool, float]:
        return model != final, scores[model][METRIC]

    rows = [
        [f"**{m}**" if m == final else m, *(_number(scores[m], name) for name in _SHOWN)]
        for m in sorted(scores, key=place)
    ]
    return table(["Modelo / *Model*", *_SHOWN.values()], rows)


def _number(values: dict[str, float], name: str) -> str:
    return f"{values[name]:.3f}" if name in values else "-"


def _backtest(folder: Path, final: str) -> str:
    path = folder / BACKTEST
    report = json.loads(path.read_text()) if path.exists() else {}
    if not report.get("scores"):
        return ""
    first, last, n = report["origins"][0], report["origins"][-1], len(report["origins"])
    return (
        f"## Otra temporada · *Another season*\n\nEl mismo procedimiento, ajustado sólo con lo "
        f"conocido antes, en {n} orígenes de {first} a {last}. *The same procedure, fitted on what "
        f"was known before alone, at {n} origins from {first} to {last}.*\n\n"
        + _table(report["scores"], final)
    )


def _calibration(folder: Path, evaluation: Evaluation) -> str:
    own = evaluation.scores[evaluation.final]
    shares = {k.removeprefix("coverage_"): v for k, v in own.items() if "coverage_" in k}
    plot = next((p for p in PLOTS if (folder / p).exists()), "")
    if not shares and not plot:
        return ""
    rows = [[f"{level} %", f"{100 * share:.1f} %"] for level, share in shares.items()]
    inside = table(["Intervalo / *Interval*", "Observado dentro / *Observed inside*"], rows)
    note = (
        "Los recuentos son discretos y muchos son cero: la cobertura simple se lee demasiado alta. "
        "*Counts are discrete and many are zero: plain coverage reads too high.*"
    )
    alt = "Calibración: proporción de los valores PIT en cada décimo · share of PIT by tenth"
    image = f"\n\n![{alt}]({plot})" if plot else ""
    return f"## Calibración · *Calibration*\n\n{inside}\n\n{note}{image}"
