"""Groups of districts that the monitor compares: by code, and by size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.core.spec import Spec
from yupana.data.national import areas
from yupana.monitoring.kind import Labels
from yupana.monitoring.slices import NEW
from yupana.tasks.forecast.scoring.groups import thirds

if TYPE_CHECKING:
    import polars as pl

SIZE = "size"


def of_codes(spec: Spec, codes: pl.Series, sizes: dict[str, str]) -> dict[str, dict[str, str]]:
    """By grouping of the spec, and by size, the group of each district.

    Args:
        codes: of the districts; each may stand in it many times.
        sizes: as `sizes_of` gives them.
    """
    every = sorted(codes.unique().to_list())
    by_area = {
        by: {c: areas.area(c, by) for c in every} for by in spec.entity.groups if by in areas.DIGITS
    }
    return {**by_area, SIZE: {c: sizes.get(c, NEW) for c in every}}


def sizes_of(rows: pl.DataFrame, code: str, column: str) -> dict[str, str]:
    """By district, the third that it belongs to by the mean of a column.

    Args:
        code: the column that names the district.
    """
    import polars as pl

    means = rows.group_by(code).agg(pl.col(column).mean()).sort(column, code)
    return thirds(means[code].to_list())


def labels() -> Labels:
    """How pages call districts, their groups, and the measures of forecasts."""
    from yupana.data.national import places

    return Labels(
        entities=("distritos", "districts"),
        groups={
            "horizon": ("períodos adelante", "periods ahead"),
            "department": ("departamento", "department"),
            "province": ("provincia", "province"),
            SIZE: ("tamaño del distrito", "size of district"),
        },
        values={
            "small": ("pequeños", "small"),
            "medium": ("medianos", "medium"),
            "large": ("grandes", "large"),
        },
        measures={
            "ratio": ("WIS ÷ el de la línea base", "WIS ÷ the baseline's"),
            "wis": ("WIS, en casos", "WIS, in cases"),
            "coverage_50": ("dentro del intervalo de 50 %", "inside the 50 % interval"),
            "coverage_90": ("dentro del intervalo de 90 %", "inside the 90 % interval"),
            "missed": ("alertas no dadas", "missed alerts"),
            "false_alarms": ("falsas alarmas", "false alarms"),
        },
        place=places.place,
    )
