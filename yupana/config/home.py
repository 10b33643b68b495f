"""Which folders tables can lie in: those whose path means the same to all who read and write.

The engine takes a path for a URL. Sail 0.7 writes a blank or an accent of it as `%20` or `%C3%B1`,
once in the log and twice in the rows' files, and reads `*`, `?`, `[]` and `{}` as patterns: rows
would lie beside `home`, where no one finds or protects them. A `file://` URL fares no better, and
a link of a plain name does not help Polars, which looks for the rows behind it.
"""

from __future__ import annotations

import re
from pathlib import Path

from yupana.core.errors import UsageError

_OTHERS = re.compile(r"[^A-Za-z0-9._/+=,@-]")


def must_be_plain(home: Path) -> None:
    """Refuse a home that the engine would write beside of.

    Raises:
        UsageError: its path has another character than ASCII letters, digits and `._-+=,@`.
    """
    path, behind = str(home.absolute()), str(home.resolve())
    if others := sorted(set(_OTHERS.findall(path + behind))):
        characters = ", ".join(f"'{c}'" if c.isprintable() else repr(c) for c in others)
        raise UsageError(
            f"What yupana writes cannot lie under a path with {characters}: "
            "tables would lie beside it.",
            where=f"YUPANA_HOME={path}" + (f", which leads to {behind}" if behind != path else ""),
            fix="Set YUPANA_HOME to a folder whose whole path has letters without accents, digits "
            "and . _ - + = , @ alone, such as /srv/yupana; the project itself may stay here.",
        )
