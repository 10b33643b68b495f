"""Build the site: read every page, write all of them aside, and put the whole in place at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import page as pages
from yupana.core.errors import TerminalError, UsageError, YupanaError
from yupana.core.hashing import file_sha256
from yupana.monitoring.site import drift, front, gates, impact, model, record, traced
from yupana.monitoring.site.parts import Answer, Missing, Page, SiteRequest, newest

MARK = "site.json"
TITLES = {
    front.NAME: ("Inicio", "Start", "¿Se puede confiar en este modelo?", "Can it be relied on?"),
    model.NAME: ("Modelo", "Model", "Ficha del modelo", "Model card"),
    gates.NAME: ("Compuertas", "Gates", "Riesgo y compuertas", "Risk and gates"),
    drift.NAME: ("Deriva", "Drift", "¿Sigue funcionando?", "Does it still hold?"),
    impact.NAME: ("Impacto", "Impact", "Impacto en las personas", "Impact on people"),
    traced.NAME: ("Traza", "Trace", "De la predicción al archivo", "From prediction to file"),
    record.NAME: ("Registro", "Ledger", "El registro de auditoría", "The audit ledger"),
    front.ABOUT: ("Acerca", "About", "Cómo se hizo este sitio", "How this site was made"),
}  # fmt: skip
_READERS: tuple[tuple[str, Callable[[SiteRequest], Page]], ...] = (
    (model.NAME, model.page),
    (gates.NAME, gates.page),
    (drift.NAME, drift.page),
    (impact.NAME, impact.page),
    (traced.NAME, traced.page),
    (record.NAME, record.page),
)


@dataclass(frozen=True)
class Site:
    """What stands now in a site's folder.

    Attributes:
        index: the first page.
        moment: the newest that was read, ISO.
        answers: state by page.
        missing: commands that were not run.
        pages: all of them, in the order of the site.
    """

    index: Path
    moment: str
    answers: dict[str, str]
    missing: list[str]
    pages: list[Path]

    def to_json(self) -> dict[str, Any]:
        """As `yupana report build --json` prints it."""
        return {
            "index": str(self.index), "built": self.moment, "answers": self.answers,
            "missing": self.missing, "pages": [str(page) for page in self.pages],
        }  # fmt: skip


def build(request: SiteRequest, out: Path) -> Site:
    """Write the site into `out`, in place of the one before it.

    The same home on the same day gives the same bytes: every time on a page is that of something
    that was read.
    A page that cannot be read says why; a site that cannot be written leaves the old one.

    Raises:
        UsageError: `out` holds something that is no site, or the prediction is not known.
    """
    _check(out)
    read = [_read(request, name, reader) for name, reader in _READERS]
    every = [front.page(read), *read, front.about(request, read)]
    build_time = newest([b.time for page in every for b in page.basis])
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for page in every:
            _write(request, page, aside, build_time)
        hashes = {p.name: file_sha256(p) for p in sorted(aside.iterdir())}
        contents = {"use_case": request.use_case, "built": build_time, "files": hashes}
        (aside / MARK).write_text(json.dumps(contents, indent=1, sort_keys=True) + "\n")
        _swap(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Site(
        index=out / "index.html",
        moment=build_time,
        answers={p.name: p.answer.state for p in every if p.answer},
        missing=sorted({m.command for p in read for m in p.missing}),
        pages=[out / f"{p.name}.html" for p in every],
    )


def only_use_case(settings: Settings) -> str:
    """The use case that has a model card.

    Raises:
        UsageError: there is none, or more than one.
    """
    names = sorted(p.parent.name for p in (settings.root / "models").glob("*/card.yaml"))
    if len(names) != 1:
        raise UsageError(
            f"{len(names)} use cases have a model card.",
            where=str(settings.root / "models"),
            fix=f"Name one: --use-case NAME ({', '.join(names)})",
        )
    return names[0]


def _read(request: SiteRequest, name: str, reader: Callable[[SiteRequest], Page]) -> Page:
    try:
        return reader(request)
    except YupanaError as error:
        if request.prediction and name == traced.NAME:
            raise
        # An auditor must see the other pages, and that this one is broken.
        missing = Missing("No se pudo leer.", f"It cannot be read: {error.what}", error.fix)
        answer = Answer("no", "No se pudo leer.", f"It cannot be read: {error.what}")
        return Page(name, {"broken": True}, missing=(missing,), answer=answer)


def _write(request: SiteRequest, page: Page, folder: Path, build_time: str) -> None:
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
        use_case=request.use_case,
        basis=page.basis,
        missing=page.missing,
        built=build_time,
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
