"""Write the files of a new use case: all of them, or none."""

from __future__ import annotations

import keyword
from datetime import date

from yupana.config.settings import Settings
from yupana.core import names, usecase
from yupana.core.errors import UsageError


def write(
    settings: Settings, name: str, kind: str, dataset: str, columns: dict[str, str], today: date
) -> list[str]:
    """Write a use case into the project; returns the files, as paths below it.

    Args:
        dataset: published already.
        columns: of the published table, by what the kind reads them as; empty = to be guessed.

    Raises:
        UsageError: the name cannot be one, a file of it is there already, or the data set cannot
            be used.
    """
    names.must_be(name, "use case", "river_floods")
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise UsageError(
            f"'{name}' cannot be the name of a use case.",
            where="NAME",
            fix="Give small letters, digits and underscores, as river_floods: it names packages.",
        )
    if kind not in usecase.kinds():
        raise UsageError(
            f"There is no kind '{kind}'.",
            where="--task",
            fix=f"Use one of: {', '.join(usecase.kinds())}.",
        )
    texts = usecase.template(kind)(settings, name, dataset, columns, today)
    if there := [path for path in texts if (settings.root / path).exists()]:
        raise UsageError(
            f"The use case '{name}' is there already.",
            where=there[0],
            fix="Give another name, or remove its files first; nothing was written.",
        )
    for path, text in texts.items():
        target = settings.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return sorted(texts)
