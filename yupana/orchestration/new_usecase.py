"""Write the files of a new use case, all or none."""

from __future__ import annotations

import keyword
from datetime import date

from yupana.config.settings import Settings
from yupana.core import names, usecase
from yupana.core.errors import UsageError
from yupana.tasks.new_usecase import contents

_TEMPLATES = {
    "pipelines/{name}.py": "new/pipeline.py",
    "serving/{name}/service.py": "new/service.py",
    "serving/{name}/kustomization.yaml": "new/kustomization.yaml",
}
"""What no kind writes otherwise."""


def write(
    settings: Settings, name: str, kind: str, dataset: str, columns: dict[str, str], today: date
) -> list[str]:
    """Write a use case into the project; returns the files, as paths below it.

    Args:
        dataset: published already.
        columns: of the published table, by the parts that the kind reads; those absent are
            guessed.

    Raises:
        UsageError: the name cannot be one, a file of it is there already, or the data set cannot
            be used.
    """
    _demand(name, kind)
    new = usecase.template(kind)
    if strange := sorted({*columns} - {*new.PARTS}):
        raise UsageError(
            f"A use case of the kind {kind} reads no '{strange[0]}'.",
            where=f"--column {strange[0]}={columns[strange[0]]}",
            fix=f"Use some of: {', '.join(new.PARTS)}.",
        )
    values = {"name": name, "task": kind, "title_class": usecase.class_name(name)}
    texts = contents("yupana.orchestration", _TEMPLATES, values)
    texts[f"serving/{name}/__init__.py"] = f'"""The use case {name}."""\n'
    texts |= new.files(settings, name, dataset, columns, today)
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


def _demand(name: str, kind: str) -> None:
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
