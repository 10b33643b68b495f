"""Build the site: read every page, write all of them aside, and put the whole in place at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import page as pages
from yupana.core.errors import TerminalError, UsageError, YupanaError
from yupana.core.hashing import file_sha256
from yupana.monitoring.site import about, drift, front, gates, impact, model, record, traced
from yupana.monitoring.site.parts import Answer, Asked, Missing, Page, newest

MARK = "site.json"
TITLES = {
    front.NAME: ("Inicio", "Start", "¿Se puede confiar en este modelo?", "Can it be relied on?"),
    model.NAME: ("Modelo", "Model", "Ficha del modelo", "Model card"),
    gates.NAME: ("Compuertas", "Gates", "Riesgo y compuertas", "Risk and gates"),
    drift.NAME: ("Deriva", "Drift", "¿Sigue funcionando?", "Does it still hold?"),
    impact.NAME: ("Impacto", "Impact", "Impacto en las personas", "Impact on people"),
    traced.NAME: ("Traza", "Trace", "De la predicción al archivo", "From prediction to file"),
    record.NAME: ("Registro", "Ledger", "El registro de auditoría", "The audit ledger"),
    about.NAME: ("Acerca", "About", "Cómo se hizo este sitio", "How this site was made"),
}  # fmt: skip
_READERS: tuple[tuple[str, Callable[[Asked], Page]], ...] = (
    (model.NAME, model.page),
    (gates.NAME, gates.page),
    (drift.NAME, drift.page),
    (impact.NAME, impact.page),
    (traced.NAME, traced.page),
    (record.NAME, record.page),
)


def build(asked: Asked, out: Path) -> dict[str, Any]:
    """Write the site into `out`, in place of the one before it.

    The same home on the same day gives the same bytes: every time on a page is that of something
    that was read.
    A page that cannot be read says why; a site that cannot be written leaves the old one.

    Returns:
        `pages` (paths as text), `answers` (state by page), `missing` (commands), `built` (the
        newest moment that was read), `index`.

    Raises:
        UsageError: `out` holds something that is no site, or the prediction is not known.
    """
    _check(out)
    read = [_read(asked, name, reader) for name, reader in _READERS]
    made = [front.page(read), *read, about.page(asked, read)]
    built = newest([b.time for page in made for b in page.basis])
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for page in made:
            _write(asked, page, aside, built)
        found = {p.name: file_sha256(p) for p in sorted(aside.iterdir())}
        told = {"use_case": asked.use_case, "built": built, "files": found}
        (aside / MARK).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
        _swap(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {
        "index": str(out / "index.html"),
        "built": built,
        "answers": {p.name: p.answer.state for p in made if p.answer},
        "missing": sorted({m.command for p in read for m in p.missing}),
        "pages": [str(out / f"{p.name}.html") for p in made],
    }


def only_use_case(settings: Settings) -> str:
    """The use case that has a model card.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = sorted(p.name.partition(".")[0] for p in (settings.root / "models").glob("*.card.yaml"))
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} use cases have a model card.",
            where=str(settings.root / "models"),
            fix=f"Name one: --use-case NAME ({', '.join(found)})",
        )
    return found[0]


def _read(asked: Asked, name: str, reader: Callable[[Asked], Page]) -> Page:
    try:
        return reader(asked)
    except YupanaError as error:
        if asked.prediction and name == traced.NAME:
            raise
        # An auditor must see the other pages, and that this one is broken.
        missing = Missing("No se pudo leer.", f"It cannot be read: {error.what}", error.fix)
        answer = Answer("no", "No se pudo leer.", f"It cannot be read: {error.what}")
        return Page(name, {"broken": True}, missing=(missing,), answer=answer)


def _write(asked: Asked, page: Page, folder: Path, built: str) -> None:
    short = [{"name": n, "es": t[0], "en": t[1]} for n, t in TITLES.items()]
    title = {"es": TITLES[page.name][2], "en": TITLES[page.name][3]}
    broken = page.values.get("broken")
    template = "monitoring/site/base.html" if broken else f"monitoring/site/{page.name}.html"
    pages.write(
        folder / f"{page.name}.html",
        template,
        name=page.name,
        title=title,
        pages=short,
        use_case=asked.use_case,
        basis=page.basis,
        missing=page.missing,
        built=built,
        **page.values,
    )
    for name, content in page.files.items():
        (folder / name).write_bytes(content)


def _check(out: Path) -> None:
    """Only a site, or nothing, is replaced.

    Raises:
        UsageError: there is something else.
    """
    if out.is_dir() and (not any(out.iterdir()) or (out / MARK).is_file()):
        return
    if out.exists() or out.is_symlink():
        raise UsageError(
            "The folder holds something that is no site of yupana.",
            where=str(out),
            fix="Name a new folder: --out FOLDER",
        )


def _swap(aside: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    if out.exists():
        out.rename(old)
    try:
        aside.rename(out)
    except OSError as error:
        if old.exists():
            old.rename(out)
        raise TerminalError(
            f"The site could not be put in place: {error}.",
            where=str(out),
            fix="The site before it stands. Make room or mend the rights, and build again.",
        ) from error
    shutil.rmtree(old, ignore_errors=True)
