"""How the registry's answers look: values for programs, tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yupana.tracking.versions import Version

_DATA = ("data.features", "data.sources", "data.ref", "data.sha256", "data.feature_service")


def as_values(version: Version) -> dict[str, Any]:
    """A version as plain values."""
    standing = version.standing
    return {
        "version": version.ref,
        "aliases": version.aliases,
        "wis": standing.wis if standing else None,
        "against": standing.against if standing else {},
        "registered": version.registered,
        "knows_through": version.params.get("knows_through"),
        "data": {k.removeprefix("data."): version.tags.get(k) for k in _DATA},
        "split": version.tags.get("split"),
        "reason": version.tags.get("promoted_because", version.reason),
        "folder": version.folder,
        "deleted": version.deleted,
    }


def table(versions: list[Version]) -> None:
    """A row a version."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    made = Table(
        Column("version", no_wrap=True),
        Column("alias", no_wrap=True),
        "WIS",
        Column("÷ best baseline's", no_wrap=True),
        Column("registered", no_wrap=True),
        "data through",
    )
    for v in versions:
        alias = Text(" ".join(v.aliases), style="green" if "champion" in v.aliases else "")
        if v.deleted:
            alias = Text(f"deleted {v.deleted}", style="red")
        wis = f"{v.standing.wis:.3f}" if v.standing else "-"
        known = v.params.get("knows_through", "-")
        made.add_row(
            Text(f"{v.name}@{v.number}", style="bold"),
            alias,
            wis,
            _best(v),
            v.registered[:10],
            known,
        )
    Console().print(made)
    if not versions:
        print("Nothing is registered: yupana train outbreak")


def _best(version: Version) -> str:
    against = version.standing.against if version.standing else {}
    if not against:
        return "-"
    # The best baseline is the one that leaves the model the highest share.
    name = max(against, key=lambda n: against[n])
    return f"{against[name]:.3f} {name}"


def details(version: Version) -> None:
    """Everything of one version."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console = Console()
    console.print(Text(f"{version.ref}  {' '.join(version.aliases)}", style="bold"))
    rows = {
        "registered": version.registered,
        "because": version.tags.get("promoted_because", version.reason),
        "deleted": version.deleted,
        "card": str(version.folder / "README.md"),
        **version.tags,
        **{f"param {k}": v for k, v in version.params.items()},
        **{k: f"{v:,.4g}" for k, v in sorted(version.metrics.items())},
    }
    made = Table("", Column("", overflow="fold"), show_header=False, box=None)
    for name, value in rows.items():
        if value:
            made.add_row(Text(name, style="cyan"), Text(str(value)))
    console.print(made)


def comparison(told: dict[str, Any]) -> None:
    """What differs, a column a version."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table("", *(ref.removeprefix("model:") for ref in told["versions"]))
    made.add_row(Text("WIS", style="bold"), *(_cell(v) for v in told["wis"]))
    for name, values in told["against"].items():
        made.add_row(f"WIS ÷ {name}'s", *(_cell(v) for v in values))
    for part in ("params", "facts", "metrics"):
        made.add_section()
        for name, values in told[part].items():
            made.add_row(Text(name, style="cyan"), *(_cell(v) for v in values))
    Console().print(made)
    if not told["same_rows"]:
        print("Scored on different test rows: compare the WIS relative to a baseline.")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:,.4f}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…{text[-12:]}"


def reproduced(told: dict[str, Any]) -> None:
    """What was equal, what was not, and what else is not as it was."""
    said = {
        "identical": "reproduced: weights and forecasts are equal, byte for byte",
        "within_tolerance": "reproduced within the tolerance for another machine",
        "different": "NOT reproduced",
    }[told["how"]]
    print(f"{told['model']}: {said} ({told['seconds']:.0f} s)")
    for name, hashes in told["weights"].items():
        same = "equal" if hashes["then"] == hashes["now"] else "differs"
        print(f"  {name}: {same}  {_short(hashes['then'])} → {_short(hashes['now'])}")
    f = told["forecasts"]
    same = "equal" if f["then"] == f["now"] else "differ"
    print(
        f"  forecasts of {f['rows']:,} test rows: {same}  {_short(f['then'])} → {_short(f['now'])}"
    )
    print(
        f"    quantiles are {100 * f['difference']:.2g} % apart in all (another machine: at most "
        f"{100 * f['tolerance']:g} %), none by more than {f['largest']:g} cases"
    )
    for name, (before, now) in told["differs"].items():
        print(f"  not as it was: {name}: {before} → {now}")
    if not told["differs"]:
        print("  code, environment, hardware and data are as they were")


def _short(sha256: str | None) -> str:
    return sha256[:12] if sha256 else "none"
