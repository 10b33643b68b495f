"""Code lists that are generated rather than kept as a file: `codelist:<name>` of a contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from yupana.data.national import calendar, places

GENERATED: dict[str, Callable[[], Iterator[Iterable[object]]]] = {
    "ubigeo": places.rows,
    "epiweeks": calendar.rows,
}
"""Header and rows of each list by its name."""
