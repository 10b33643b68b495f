"""What became of the file that a refused row is from: is it published, replaced, or refused?"""

from __future__ import annotations

from typing import Literal

from yupana.data.contracts.contract import Contract
from yupana.data.lake.history import Publication, line

State = Literal["current", "superseded", "refused"]


def states(contract: Contract, publications: list[Publication]) -> dict[str, State]:
    """The state of every file that was ever published, by its hash; any other was refused whole.

    Args:
        publications: of the data set's table, oldest first.

    Returns:
        `current` for files whose rows the table holds; `superseded` for those that a later release
        replaced: under `merge` and `replace-period` one of the same source, under `snapshot` any.
    """
    by_file: dict[str, State] = {}
    for publication in publications:
        by_file |= dict.fromkeys(publication.sources, "superseded")
    if contract.publication == "snapshot" and contract.format != "object":
        standing = publications[-1:]
    elif contract.publication in ("merge", "replace-period"):
        standing = list({p.source: p for p in line(publications)}.values())
    else:
        standing = line(publications)
    for publication in standing:
        by_file |= dict.fromkeys(publication.sources, "current")
    return by_file
