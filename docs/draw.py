"""Draw docs/img and the table of docs/performance.md from the folders and the last run.

Run by `make docs` after `make run`: nothing in these files is written by hand.
"""

from __future__ import annotations

import io
import json
import sys
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

from docs import screens
from yupana.config.settings import Settings, settings
from yupana.core import usecase
from yupana.lineage import events
from yupana.orchestration import summary
from yupana.predictions import prediction_log
from yupana.predictions.entry import LogEntry
from yupana.tasks.forecast import payload
from yupana.tasks.forecast.frequency import WEEK

DOCS = Path(__file__).parent
ROOMS = ("dags", "pipelines", "serving", "models", "feature_repo", "expectations", "infra")


def layers(root: Path, container: str) -> list[list[str]]:
    """The rooms of a package as the import contract in pyproject.toml stacks them, top first."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    stack = next(c for c in contracts["contracts"] if c.get("containers") == [container])
    return [layer.split(" | ") for layer in stack["layers"]]


def purpose(folder: Path) -> str:
    """First sentence of a package's docstring, or of its README."""
    package = folder / "__init__.py"
    if package.exists():
        return package.read_text("utf-8").split('"""')[1].split(".")[0].split(":")[-1].strip()
    return (folder / "README.md").read_text("utf-8").splitlines()[2].split(".")[0]


def architecture(root: Path) -> None:
    """Boxes for the real folders, top to bottom in the order in which they may import."""
    rows = [([name], "", "#dbe9f4") for name in ROOMS]
    for container, fill in (("yupana", "#f4ead5"), ("yupana.data", "#e4efdc")):
        folder = container.replace(".", "/")
        rows += [(layer, f"{folder}/", fill) for layer in layers(root, container)]
    width, high, gap = 980, 46, 10
    parts: list[str] = []
    y, above = 20, rows[0][1]
    for names, folder, fill in rows:
        y += 14 if folder != above else 0
        above = folder
        w = (width - 40 - gap * (len(names) - 1)) / len(names)
        for i, name in enumerate(names):
            x, says = 20 + i * (w + gap), purpose(root / f"{folder}{name}")
            most = int(w / 6.4)
            short = escape(says if len(says) <= most else says[: most - 1] + "…")
            parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{high}" rx="6" fill="{fill}"/>')
            parts.append(f'<text x="{x + 10}" y="{y + 19}" class="n">{folder}{name}/</text>')
            parts.append(f'<text x="{x + 10}" y="{y + 36}" class="s">{short}</text>')
        y += high + gap
    style = (
        "text{font-family:sans-serif;fill:#222}.n{font-weight:bold;font-size:14px}.s{font-size:11px}"
    )
    (DOCS / "img" / "architecture.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 10}">'
        f"<style>{style}</style><rect width='100%' height='100%' fill='white'/>"
        f"{''.join(parts)}</svg>\n",
        encoding="utf-8",
    )


def fan_chart(chosen: Settings, answer: LogEntry) -> None:
    """Recent cases of Iquitos and the forecast's median, 50 % and 80 % intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    import pandas as pd
    from matplotlib import pyplot as plt

    from yupana.data.lake import delta

    table = delta.read(chosen.table("features", "outbreak_weekly")).to_pandas()
    past = table[table["ubigeo"] == answer.entity].tail(52)
    forecast = payload.periods(answer, WEEK)
    weeks = pd.to_datetime([w["week_ending"] for w in forecast])
    level = {q: [w["quantiles"][q] for w in forecast] for q in ("0.1", "0.25", "0.75", "0.9")}
    figure, axes = plt.subplots(figsize=(9, 3.6))
    axes.plot(past["event_timestamp"], past["cases_lag_0"], color="#444", label="casos / cases")
    axes.fill_between(weeks, level["0.1"], level["0.9"], color="#2a7ab8", alpha=0.25, label="80 %")
    axes.fill_between(weeks, level["0.25"], level["0.75"], color="#2a7ab8", alpha=0.4, label="50 %")
    axes.plot(weeks, [w["median"] for w in forecast], color="#1b4f78", label="mediana")
    axes.set_title(f"Dengue, Iquitos ({answer.entity}): outbreak@{answer.basis.model_version}")
    axes.set_ylabel("casos por semana / cases a week")
    axes.legend(frameon=False, ncols=4)
    figure.tight_layout()
    figure.savefig(DOCS / "img" / "iquitos.png", dpi=110, metadata={"Software": None})


def terminal(chosen: Settings, answer: LogEntry) -> None:
    """The end of `make run` as a picture, from the last run's events."""
    from rich.console import Console

    console = Console(record=True, width=112, file=io.StringIO())
    shown = {
        "prediction_id": answer.prediction_id, "ubigeo": answer.entity,
        "model": answer.basis.model.removeprefix("model:"), "weeks": payload.periods(answer, WEEK),
        "data_as_of": answer.basis.data_as_of, "caveats": answer.caveats,
    }  # fmt: skip
    console.print(summary.steps_table(chosen, started=0))
    console.print(usecase.load("outbreak").answer_table(shown))
    console.save_svg(str(DOCS / "img" / "run.svg"), title="make run")


def performance(chosen: Settings) -> None:
    """Where the seconds of the last whole run went, from its events, beside those before."""
    before = json.loads((DOCS / "performance.json").read_text("utf-8"))
    rows = ["| step | before | now |", "|---|---|---|"]
    for name, event in _newest(chosen).items():
        then = before["seconds"].get(name)
        rows.append(
            f"| {name} | {'' if then is None else f'{then:.1f}'} | {event['seconds']:.1f} |"
        )
        for part, seconds in event["facts"].get("stages", {}).items():
            rows.append(f"| - {part} | | {seconds:.1f} |")
    page = DOCS / "performance.md"
    head = page.read_text("utf-8").split("<!-- table -->")[0]
    table = "\n".join([f"Before: {before['when']}.", "", *rows])
    page.write_text(f"{head}<!-- table -->\n{table}\n", encoding="utf-8")


def _newest(chosen: Settings) -> dict[str, events.Event]:
    """The newest success of each step in the order of the road, each member of a fit apart."""
    found: dict[str, events.Event] = {}
    for event in events.read(chosen.events):
        if event["status"] == "done":
            member = event["facts"].get("member", "") if event["step"] == "fit" else ""
            found[f"{event['step']} {event['subject']} {member}".rstrip()] = event
    road = ("dag", *summary.ROAD)
    known = {name: event for name, event in found.items() if event["step"] in road}
    return dict(sorted(known.items(), key=lambda item: road.index(item[1]["step"])))


def main() -> None:
    """Draw everything; or `performance`, its table, or `architecture`, the picture of the rooms.

    All but the rooms needs a `make run`.
    """
    chosen = settings()
    if sys.argv[1:] == ["architecture"]:
        architecture(chosen.root)
        return
    if sys.argv[1:] == ["performance"]:
        performance(chosen)
        return
    (DOCS / "img").mkdir(exist_ok=True)
    answers = prediction_log.entries(chosen.platform_db, "outbreak", kinds=("answer",))
    answer = [a for a in answers if a.entity == "160101"][-1]
    architecture(chosen.root)
    fan_chart(chosen, answer)
    terminal(chosen, answer)
    performance(chosen)
    screens.draw(chosen, DOCS / "img")


if __name__ == "__main__":
    main()
