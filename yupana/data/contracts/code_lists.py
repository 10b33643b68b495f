"""Code lists whose values are known without the lake: a CSV beside its contract, or generated.

Each is a data set too (`yupana datasets`).
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from yupana.core.errors import UsageError
from yupana.data.contracts import file
from yupana.data.national.derivations import GENERATED

_LOCATION = "codelist:"


def write(name: str, folder: Path) -> Path:
    """Write a generated code list as CSV; the same bytes every time.

    Raises:
        UsageError: there is no such list.
    """
    if name not in GENERATED:
        raise UsageError(
            f"There is no generated code list '{name}'.",
            where=f"{_LOCATION}{name}",
            fix=f"Use {' or '.join(_LOCATION + other for other in GENERATED)}, or a CSV file.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(GENERATED[name]())
    return path


def is_code_list(root: Path, relation: str) -> bool:
    """Whether `<data set>.<column>` is of a code list."""
    return _source(root, relation.split(".")[0]) is not None


@lru_cache(maxsize=32)
def values(root: Path, relation: str) -> tuple[str, ...]:
    """All values of a code list's column, in its order.

    Raises:
        UsageError: the list has no such column.
    """
    name, column = relation.split(".")
    path = _source(root, name)
    assert path is not None
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
    else:
        header, *rows = [[str(value) for value in row] for row in GENERATED[name]()]
    if column not in header:
        raise UsageError(
            f"The code list '{name}' has no column '{column}'.",
            where=str(path),
            fix=f"It has: {', '.join(header)}.",
        )
    index = header.index(column)
    return tuple(dict.fromkeys(row[index] for row in rows if row[index]))


def _source(root: Path, name: str) -> Path | None:
    """The file of a code list: a CSV beside its contract, the contract itself when generated."""
    folder = root / "expectations" / name
    if (folder / f"{name}.csv").exists():
        return folder / f"{name}.csv"
    contract = folder / "contract.yaml"
    if contract.exists():
        # Reading YAML takes long, and a fault of another data set's contract is its own.
        if _LOCATION not in contract.read_text("utf-8", errors="replace"):
            return None
        content = file.content(contract, f"expectations/{name}/contract.yaml").content
        server = (content.get("servers") or [{}])[0]
        if str(server.get("location", "")).startswith(_LOCATION):
            return contract
    return None
