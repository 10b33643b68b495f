"""The model card: README.md with front matter as the Hugging Face Hub reads it.

Spanish first and English beside it, written from the run's own facts. What only a person knows
(use, limits) stands in `models/<use case>.card.yaml`. Fields of the front matter:
https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data import contract, delta
from yupana.tracking import facts, intervals, runs
from yupana.tracking.verdict import METRIC

NAME = "README.md"
PLOTS = ("calibration.svg", "calibration.png")


def write(settings: Settings, use_case: str, folder: Path, *, final: str, verdict: str) -> Path:
    """Write a candidate's card into its folder, so that it is kept with the weights.

    Args:
        final: name of the model itself among the scores; the others are baselines or members.
        verdict: why it is champion or challenger.

    Raises:
        UsageError: the use case has no text for its card.
    """
    told = _told(settings, use_case)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    scores = {m: v for m, v in evaluation.items() if isinstance(v, dict)}
    fitted = json.loads((folder / "fit.json").read_text())
    made = facts.read(folder)
    data = made.get("data", {})
    names = [delta.parts(ref)[1] for ref in data.get("sources", ())]
    parts = [
        _front(use_case, told, names, data, final, scores),
        f"# {told['title']['es']}\n\n*{told['title']['en']}*",
        _section("Uso", "Use", told["use"]["es"], told["use"]["en"]),
        _section(
            "Límites", "Limits", _bullets(told["limits"]["es"]), _bullets(told["limits"]["en"])
        ),
        _data(settings, data),
        _scores(folder, final, scores, told["unit"], verdict),
        _backtest(folder, final, told["unit"]),
        _groups(evaluation.get("groups", [])),
        _calibration(folder, final, scores),
        _made(fitted["params"], made),
    ]
    path = folder / NAME
    path.write_text("\n\n".join(p for p in parts if p) + "\n", encoding="utf-8")
    return path


def _told(settings: Settings, use_case: str) -> dict[str, Any]:
    path = settings.root / "models" / f"{use_case}.card.yaml"
    if not path.exists():
        raise UsageError(
            f"'{use_case}' has no text for its model card.",
            where=str(path),
            fix="Write title, task, unit, use and limits there, in Spanish and English.",
        )
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _front(
    use_case: str,
    told: dict[str, Any],
    names: list[str],
    data: dict[str, Any],
    final: str,
    scores: dict[str, Any],
) -> str:
    metrics = [
        {"type": name, "name": f"{name} (test)", "value": value}
        for name, value in scores[final].items()
        if isinstance(value, int | float)
    ]
    rows = {"name": ", ".join(names) or use_case, "type": use_case, "split": "test"}
    if data:
        rows["revision"] = data["sha256"]
    result = {"task": dict(told["task"]), "dataset": rows, "metrics": metrics}
    front = {
        "language": ["es", "en"],
        "pipeline_tag": told["task"]["type"],
        "tags": ["yupana", use_case, "forecasting", "quantiles"],
        "datasets": names,
        "metrics": [METRIC, "mae"],
        "model-index": [{"name": use_case, "results": [result]}],
    }
    return f"---\n{yaml.safe_dump(front, allow_unicode=True, sort_keys=False)}---"


def _section(es: str, en: str, spanish: str, english: str) -> str:
    return f"## {es} · *{en}*\n\n{spanish}\n\n**English.**\n\n{english}"


def _bullets(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in r)} |" for r in lines)


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
    asked = data["as_of"] or "todo lo publicado / all that is published"
    lines = [
        f"Conocido al · *Known on*: {asked}",
        f"Variables · *Features*: `{data['features']}`, servicio · *service* "
        f"`{data['feature_service']}`",
        f"Filas · *Rows*: {data['rows']:,} ({parts})",
        f"Partición · *Split*: `{data['ref']}`, SHA-256 `{data['sha256']}`",
    ]
    return f"{head}{_table(heads, rows)}\n\n{_bullets(lines)}"


def _scores(
    folder: Path, final: str, scores: dict[str, Any], unit: dict[str, str], verdict: str
) -> str:
    kept = intervals.read(folder)
    sure = intervals.of_means(kept) if kept is not None else {}
    rows = []
    for model, values in sorted(scores.items(), key=lambda m: (m[0] != final, m[1][METRIC])):
        name = f"**{model}**" if model == final else model
        told = [f"{values[k]:.3f}" if k in values else "-" for k in (METRIC, "wis_log", "mae")]
        if model in sure:
            told[0] += " ({:.3f}–{:.3f})".format(*sure[model])
        ratio = scores[final][METRIC] / values[METRIC] if values[METRIC] else float("nan")
        against = "" if model == final else f"{ratio:.3f}"
        if (pair := f"{final}/{model}") in sure:
            against += " ({:.3f}–{:.3f})".format(*sure[pair])
        rows.append([name, *told, against])
    heads = ["Modelo / *Model*", "WIS", "WIS log(x+1)", "MAE", f"WIS {final} ÷"]
    how = (
        "Entre paréntesis, intervalo de 95 % por remuestreo de semanas enteras. "
        "*In brackets, 95 % interval by a bootstrap over whole weeks.*"
        if sure
        else "Sin intervalos: no se guardaron los puntajes por fila. "
        "*No intervals: scores by row were not kept.*"
    )
    return (
        f"## Resultados · *Results*\n\nSemanas de prueba, {unit['es']}; menos es mejor. "
        f"*Test weeks, {unit['en']}; lower is better.*\n\n{_table(heads, rows)}\n\n{how}\n\n"
        f"Registro · *Registry*: {verdict}."
    )


def _backtest(folder: Path, final: str, unit: dict[str, str]) -> str:
    tried = runs.backtest(folder)
    if tried is None:
        return ""
    first, last = tried["origins"][0], tried["origins"][-1]
    rows = [
        [f"**{m}**" if m == final else m, *(f"{v[k]:.3f}" for k in (METRIC, "wis_log", "mae"))]
        for m, v in sorted(tried["scores"].items(), key=lambda m: (m[0] != final, m[1][METRIC]))
    ]
    table = _table(["Modelo / *Model*", "WIS", "WIS log(x+1)", "MAE"], rows)
    return (
        f"## Otra temporada · *Another season*\n\nEl mismo procedimiento, ajustado sólo con lo "
        f"conocido antes, en {len(tried['origins'])} semanas de {first} a {last}, {unit['es']}. "
        f"*The same procedure, fitted on what was known before alone, at {len(tried['origins'])} "
        f"weeks from {first} to {last}, {unit['en']}.*\n\n{table}"
    )


_GROUPS = {
    "horizon": "Semanas adelante / *Weeks ahead*",
    "province": "Provincia (ubigeo) / *Province (ubigeo)*",
    "size": "Distritos por casos / *Districts by cases*",
}
_SIZES = {"small": "tercio menor / *lowest third*", "medium": "medio / *middle*"}
_SIZES |= {"large": "mayor / *highest*", "new": "sin historia / *without history*"}


def _groups(groups: list[dict[str, Any]]) -> str:
    tables = []
    for group, head in _GROUPS.items():
        found = [g for g in groups if g["group"] == group]
        if not found:
            continue
        models = sorted(found[0][METRIC])
        rows = [
            [_SIZES.get(g["of"], g["of"]), f"{g['n']:,}", *(f"{g[METRIC][m]:.3f}" for m in models)]
            for g in found
        ]
        tables.append(_table([head, "n", *models], rows))
    return "## Grupos · *Groups*\n\nWIS.\n\n" + "\n\n".join(tables) if tables else ""


def _calibration(folder: Path, final: str, scores: dict[str, Any]) -> str:
    told = {k.removeprefix("coverage_"): v for k, v in scores[final].items() if "coverage_" in k}
    plot = next((p for p in PLOTS if (folder / p).exists()), "")
    if not told and not plot:
        return ""
    rows = [[f"{level} %", f"{100 * share:.1f} %"] for level, share in told.items()]
    table = _table(["Intervalo / *Interval*", "Observado dentro / *Observed inside*"], rows)
    note = (
        "Los recuentos son discretos y muchos son cero: la cobertura simple se lee demasiado alta. "
        "*Counts are discrete and many are zero: plain coverage reads too high.*"
    )
    alt = "Calibración: proporción de los valores PIT en cada décimo · share of PIT by tenth"
    shown = f"\n\n![{alt}]({plot})" if plot else ""
    return f"## Calibración · *Calibration*\n\n{table}\n\n{note}{shown}"


def _made(params: dict[str, Any], made: dict[str, Any]) -> str:
    lines = [f"{name}: `{value}`" for name, value in params.items()]
    told = facts.flat({k: v for k, v in made.items() if k not in ("data", "files")})
    lines += [f"{name}: `{value}`" for name, value in told.items() if value != ""]
    return (
        "## Cómo se hizo · *How it was made*\n\n" + _bullets(lines) + "\n\nSe vuelve a entrenar y "
        "comparar con · *Trained again and compared by*: `yupana reproduce MODEL@VERSION`."
    )
