"""How the registry's answers look: values for programs, tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yupana.console import tables

if TYPE_CHECKING:
    from yupana.tracking.comparison import Comparison
    from yupana.tracking.roles import Roles
    from yupana.tracking.versions import Version

_DATA = ("data.features", "data.sources", "data.ref", "data.sha256", "data.feature_service")


def as_values(version: Version, roles: Roles) -> dict[str, Any]:
    """A version as plain values; `slots` are those of a service that it is in."""
    standing = version.standing
    return {
        "version": version.ref,
        "aliases": version.aliases,
        "slots": roles.slots_of(version.number),
        "metric": standing.metric.name if standing else None,
        "value": standing.value if standing else None,
        "against": standing.against if standing else {},
        "registered": version.registered,
        "knows_through": version.params.get("knows_through"),
        "data": {k.removeprefix("data."): version.tags.get(k) for k in _DATA},
        "split": version.tags.get("split"),
        "reason": version.tags.get("promoted_because", version.reason),
        "folder": version.folder,
        "deleted": version.deleted,
    }


def table(versions: list[Version], roles: Mapping[str, Roles]) -> None:
    """A row a version; below it, whose champion is not what answers.

    Args:
        roles: by use case.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    # All of it stands on eighty columns.
    grid = Table(
        Column("version", no_wrap=True),
        Column("alias", no_wrap=True),
        Column("in slot", no_wrap=True),
        Column("score", no_wrap=True),
        Column("÷ best baseline's", min_width=16),
        Column("data through", min_width=10),
        box=SIMPLE_HEAD,
    )
    for v in versions:
        alias = Text(" ".join(v.aliases), style="green" if "champion" in v.aliases else "")
        if v.deleted:
            alias = Text(f"deleted {v.deleted}", style="red")
        score = f"{v.standing.metric.title} {v.standing.value:.3f}" if v.standing else "-"
        last_day = v.params.get("knows_through", "-")
        grid.add_row(
            Text(f"{v.name}@{v.number}", style="bold"),
            alias,
            " ".join(roles[v.name].slots_of(v.number)),
            score,
            _best(v),
            last_day,
        )
    Console().print(grid)
    for one in roles.values():
        if one.difference[1]:
            print(f"{one.difference[1]}" + (f" ({one.fix})" if one.fix else ""))
    if not versions:
        print("Nothing is registered: yupana train USE_CASE")


def _best(version: Version) -> str:
    standing = version.standing
    if standing is None or not standing.against:
        return "-"
    name = standing.metric.best({n: standing.baselines[n] for n in standing.against})
    return f"{standing.against[name]:.3f} {name}"


def details(version: Version, roles: Roles) -> None:
    """Everything of one version."""
    from rich.console import Console
    from rich.text import Text

    Console().print(Text(f"{version.ref}  {' '.join(version.aliases)}", style="bold"))
    rows = {
        "registered": version.registered,
        "in slot": " ".join(roles.slots_of(version.number)),
        "because": version.tags.get("promoted_because", version.reason),
        "deleted": version.deleted,
        "card": str(version.folder / "README.md"),
        **version.tags,
        **{f"param {k}": v for k, v in version.params.items()},
        **{k: f"{v:,.4g}" for k, v in sorted(version.metrics.items())},
    }
    tables.pairs(rows)


def comparison_table(difference: Comparison) -> None:
    """What differs, a column a version."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table("", *(ref.removeprefix("model:") for ref in difference.versions))
    grid.add_row(Text(difference.metric, style="bold"), *(_cell(v) for v in difference.values))
    for name, values in difference.against.items():
        grid.add_row(f"{difference.metric} ÷ {name}'s", *(_cell(v) for v in values))
    for part in (difference.params, difference.facts, difference.metrics):
        grid.add_section()
        for name, values in part.items():
            grid.add_row(Text(name, style="cyan"), *(_cell(v) for v in values))
    Console().print(grid)
    if not difference.same_rows:
        print("Scored on different test rows: compare what is relative to a baseline.")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:,.4f}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…{text[-12:]}"
