"""Draw docs/img and the table of docs/performance.md from the folders and the last run.

Run by `make docs` after `make run`: nothing in these files is written by hand.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from docs import screens
from yupana.config.settings import Settings, settings
from yupana.governance import events, predictions
from yupana.orchestration import summary, thread

DOCS = Path(__file__).parent
ROOMS = ("dags", "pipelines", "serving", "models", "feature_repo", "expectations", "infra")
LAYERS = (
    ("cli",),
    ("orchestration", "evaluation", "monitoring"),
    ("features", "validation", "tracking"),
    ("data",),
    ("governance",),
    ("config",),
    ("core",),
)


def purpose(folder: Path) -> str:
    """First sentence of a package's docstring, or of its README."""
    package = folder / "__init__.py"
    if package.exists():
        return package.read_text("utf-8").split('"""')[1].split(".")[0].split(":")[-1].strip()
    return (folder / "README.md").read_text("utf-8").splitlines()[2].split(".")[0]


def architecture(root: Path) -> None:
    """Boxes for the real folders, top to bottom in the order in which they may import."""
    width, high, gap = 980, 46, 10
    parts: list[str] = []
    y = 20

    def box(x: float, w: float, name: str, says: str, fill: str) -> None:
        parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{high}" rx="6" fill="{fill}"/>')
        parts.append(f'<text x="{x + 10}" y="{y + 19}" class="n">{name}/</text>')
        room = int(w / 6.4)
        short = says if len(says) <= room else says[: room - 1] + "…"
        parts.append(f'<text x="{x + 10}" y="{y + 36}" class="s">{short}</text>')

    for name in ROOMS:
        box(20, width - 40, name, purpose(root / name), "#dbe9f4")
        y += high + gap
    y += 8
    for layer in LAYERS:
        assert all((root / "yupana" / name).is_dir() for name in layer)
        w = (width - 40 - gap * (len(layer) - 1)) / len(layer)
        for i, name in enumerate(layer):
            says = purpose(root / "yupana" / name)
            box(20 + i * (w + gap), w, f"yupana/{name}", says, "#f4ead5")
        y += high + gap
    style = "text{font-family:sans-serif;fill:#222}.n{font-weight:bold;font-size:14px}.s{font-size:11px}"
    (DOCS / "img" / "architecture.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 10}">'
        f"<style>{style}</style><rect width='100%' height='100%' fill='white'/>"
        f"{''.join(parts)}</svg>\n",
        encoding="utf-8",
    )


def fan_chart(chosen: Settings, answer: dict[str, Any]) -> None:
    """Recent cases of Iquitos and the forecast's median, 50 % and 80 % intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    import pandas as pd
    from matplotlib import pyplot as plt

    from yupana.data import delta

    table = delta.read(chosen.table("features", "outbreak_weekly")).to_pandas()
    past = table[table["ubigeo"] == answer["ubigeo"]].tail(52)
    weeks = pd.to_datetime([w["week_ending"] for w in answer["answer"]])
    level = {
        q: [w["quantiles"][q] for w in answer["answer"]] for q in ("0.1", "0.25", "0.75", "0.9")
    }
    figure, axes = plt.subplots(figsize=(9, 3.6))
    axes.plot(past["event_timestamp"], past["cases_lag_0"], color="#444", label="casos / cases")
    axes.fill_between(weeks, level["0.1"], level["0.9"], color="#2a7ab8", alpha=0.25, label="80 %")
    axes.fill_between(weeks, level["0.25"], level["0.75"], color="#2a7ab8", alpha=0.4, label="50 %")
    axes.plot(weeks, [w["median"] for w in answer["answer"]], color="#1b4f78", label="mediana")
    axes.set_title(f"Dengue, Iquitos ({answer['ubigeo']}): outbreak@{answer['model_version']}")
    axes.set_ylabel("casos por semana / cases a week")
    axes.legend(frameon=False, ncols=4)
    figure.tight_layout()
    figure.savefig(DOCS / "img" / "iquitos.png", dpi=110, metadata={"Software": None})


def terminal(chosen: Settings, answer: dict[str, Any]) -> None:
    """The end of `make run` as a picture, from the last run's events."""
    from rich.console import Console

    console = Console(record=True, width=112, file=io.StringIO())
    shown = {**answer, "weeks": answer["answer"], "model": f"outbreak@{answer['model_version']}"}
    console.print(summary.steps_table(chosen, started=0))
    console.print(summary.forecast_table(shown))
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
    """Draw everything, or with the word `performance` its table alone; needs a `make run`."""
    chosen = settings()
    if sys.argv[1:] == ["performance"]:
        performance(chosen)
        return
    (DOCS / "img").mkdir(exist_ok=True)
    answers = predictions.logged(chosen.platform_db, "outbreak", kinds=("answer",))
    answer = [a for a in answers if a["ubigeo"] == thread.IQUITOS][-1]
    architecture(chosen.root)
    fan_chart(chosen, answer)
    terminal(chosen, answer)
    performance(chosen)
    screens.draw(chosen, DOCS / "img")


if __name__ == "__main__":
    main()
