"""References as OpenLineage names them: a namespace, a name, and a version in a facet.

A table is named by its folder (namespace `file`), as Spark and others name it. All that lies in
no place of its own is named in the platform's namespace: `raw/<sha256>`, `model/river_level`.
https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

from typing import NamedTuple

from yupana.config.settings import Settings
from yupana.data.lake import delta

# What the log refers to and is no data: runs, an audit (a facet of what was audited), and single
# answers, which are told by the batch.
_NO_DATA = ("validation", "dag", "pipeline", "kfp", "prediction")


class DatasetName(NamedTuple):
    """A data set; `version` is empty where it has none."""

    namespace: str
    name: str
    version: str


def dataset(settings: Settings, ref: str, subject: str) -> DatasetName | None:
    """The data set of a reference; None where it names none.

    Args:
        subject: of the event that names it: a split, a member or a candidate is told apart by its
            hash alone, which is its version here.
    """
    kind, _, rest = ref.partition(":")
    if kind in _NO_DATA:
        return None
    if kind == "delta":
        zone, table, number = delta.parts(ref)
        return DatasetName("file", str(settings.table(zone, table).absolute()), str(number))
    ours = settings.openlineage_namespace
    if kind == "raw":
        return DatasetName(ours, f"raw/{rest}", rest)
    for mark in ("@", "/", ":"):
        name, separator, version = rest.rpartition(mark)
        if separator:
            return DatasetName(ours, f"{kind}/{name}", version)
    return DatasetName(ours, f"{kind}/{subject}", rest)


def job(step: str, subject: str) -> str:
    """Name of the job of a step: `ingest.river_levels`."""
    return f"{step}.{subject}" if subject else step
