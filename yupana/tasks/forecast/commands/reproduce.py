"""The command that trains a registered model again and compares."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(reproduce)


def reproduce(
    which: Annotated[
        str, typer.Argument(metavar="MODEL@VERSION", help="E.g. NAME@3, NAME@champion.")
    ],
    as_json: AsJson = False,
) -> None:
    """Train a version again from its recorded data and seed, and compare weights and forecasts.

    On the same machine both must be equal byte for byte; on another, forecasts within the
    tolerance that the answer states. Exit code 1 if it is not reproduced.

    Example: yupana reproduce outbreak@3
    """
    from yupana.lineage import steps
    from yupana.tracking import versions

    config = settings()
    version = versions.find(config, which)
    comparison: dict[str, Any] = {}

    def work() -> steps.Outcome:
        from yupana.tasks.forecast.scoring import reproduce as again

        comparison.update(again.reproduce(config, version, Lines().say))
        facts = {k: comparison[k] for k in ("reproduced", "how", "differs")}
        return steps.Outcome((), metrics=facts)

    steps.run(
        config, "reproduce", version.name, work, inputs=(version.ref,),
        still_there=lambda _: False,
    )  # fmt: skip
    if as_json:
        print(json.dumps(comparison, default=str, ensure_ascii=False))
    else:
        _show(comparison)
    if not comparison["reproduced"]:
        raise typer.Exit(1)


def _show(report: dict[str, Any]) -> None:
    """What was equal, what was not, and what else is not as it was."""
    verdict = {
        "identical": "reproduced: weights and forecasts are equal, byte for byte",
        "within_tolerance": "reproduced within the tolerance for another machine",
        "different": "NOT reproduced",
    }[report["how"]]
    print(f"{report['model']}: {verdict} ({report['seconds']:.0f} s)")
    for name, hashes in report["weights"].items():
        same = "equal" if hashes["then"] == hashes["now"] else "differs"
        print(f"  {name}: {same}  {_short(hashes['then'])} → {_short(hashes['now'])}")
    f = report["forecasts"]
    same = "equal" if f["then"] == f["now"] else "differ"
    print(
        f"  forecasts of {f['rows']:,} test rows: {same}  {_short(f['then'])} → {_short(f['now'])}"
    )
    print(
        f"    quantiles are {100 * f['difference']:.2g} % apart in all (another machine: at most "
        f"{100 * f['tolerance']:g} %), none by more than {f['largest']:g} cases"
    )
    for name, (before, now) in report["differs"].items():
        print(f"  not as it was: {name}: {before} → {now}")
    if not report["differs"]:
        print("  code, environment, hardware and data are as they were")


def _short(sha256: str | None) -> str:
    return sha256[:12] if sha256 else "none"
