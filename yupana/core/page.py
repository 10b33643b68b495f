"""HTML pages that open offline: one file, no script, Spanish first with English beside it.

Templates lie beside the modules that fill them and extend core/page.html.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import whole_file

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).resolve().parents[1]


def write(path: Path, template: str, **values: Any) -> Path:
    """Fill a template and put the page in place at once.

    Args:
        template: below `yupana/` (`validation/quality.html`), or a use case's own below the
            project (`models/<use case>/…`).
    """
    text = _environment().get_template(template).render(**values)
    return whole_file.write(path, text)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_PACKAGE, _PACKAGE.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=_count, figure=_figure, percent=_percent, moment=_moment)
    return environment


def _count(value: int | None) -> str:
    """12345 → 12 345: a thin space, read alike in Spanish and English."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


def _figure(value: float | str | None) -> str:
    """A number with four significant digits; text as it is."""
    if value is None or isinstance(value, str):
        return value or "–"
    if float(value).is_integer():
        return _count(int(value))
    return f"{value:,.4g}".replace(",", "\u202f") if abs(value) < 1e4 else _count(round(value))


def _percent(value: float | None) -> str:
    """One decimal, rounded down: 100 % is said only of what is whole."""
    return "–" if value is None else f"{math.floor(value * 10) / 10:.1f} %"


def _moment(value: str) -> str:
    """An ISO moment to the minute, in UTC as it is kept; a day as it is."""
    if len(value) <= 10:
        return value or "–"
    return f"{value[:10]} {value[11:16]} UTC"
