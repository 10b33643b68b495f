"""The pages made of the other pages: the first, of four questions, and the one on the site."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from yupana.lineage import events
from yupana.monitoring.site.parts import Answer, Basis, Page, SiteRequest, newest, of_file
from yupana.tracking import facts

NAME = "index"
QUESTIONS = {
    "deriva": ("¿Sigue funcionando el modelo?", "Does the model still hold?"),
    "impacto": ("¿Sirve para todos?", "Does it hold for everyone?"),
    "compuertas": ("¿Puede usarse?", "May it be used?"),
    "registro": ("¿Está íntegro el registro?", "Is the record whole?"),
}


def page(read: Sequence[Page]) -> Page:
    """The answers of the other pages, and everything that was not run.

    Args:
        read: the pages that stand below this one.
    """
    by_name = {p.name: p for p in read}
    unknown = Answer("unknown", "No se comprobó.", "It was not checked.")
    questions = [
        {"page": name, "es": es, "en": en, "answer": by_name[name].answer or unknown}
        for name, (es, en) in QUESTIONS.items()
    ]
    absent = [(p.name, m) for p in read for m in p.missing]
    values = {"questions": questions, "absent": absent, "trace": by_name["traza"].values}
    basis = [b for p in read for b in p.basis[:1]]
    return Page(NAME, values, tuple(basis))


ABOUT = "acerca"
LIBRARIES = (
    "yupana", "evidently", "polars", "deltalake", "torch", "mlflow", "bentoml", "sqlalchemy",
    "cryptography", "openlineage-python", "matplotlib", "jinja2",
)  # fmt: skip


def about(request: SiteRequest, read: Sequence[Page]) -> Page:
    """Versions, the steps that were run, and everything that was read.

    Args:
        read: the other pages, whose bases are listed together.
    """
    settings = request.settings
    steps = [event for _, event in events.newest(settings.events, done=True)]
    basis = {(b.ref, b.sha256): b for p in read for b in p.basis}
    code, lock = facts.code(settings), settings.root / "uv.lock"
    if code.get("commit"):
        basis["code", ""] = Basis("Código", "Code", f"commit:{code['commit']}")
    if lock.is_file():
        ours = of_file(request, lock, "Versiones fijadas", "Locked versions", ref="uv.lock")
        basis["lock", ""] = ours
    values = {
        "versions": {name: v for name in LIBRARIES if (v := _version(name))},
        "steps": sorted(steps, key=lambda e: (e["time"], e["step"])),
        "newest_step": newest([e["time"] for e in steps]),
    }
    return Page(ABOUT, values, tuple(basis.values()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
