"""The page on the site itself: what it was built of, by which versions, and how to build it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from yupana.lineage import events
from yupana.monitoring.site.parts import Basis, Page, SiteRequest, newest, of_file
from yupana.tracking import facts

NAME = "acerca"
LIBRARIES = (
    "yupana", "evidently", "polars", "deltalake", "torch", "mlflow", "bentoml", "sqlalchemy",
    "cryptography", "openlineage-python", "matplotlib", "jinja2",
)  # fmt: skip


def page(request: SiteRequest, read: Sequence[Page]) -> Page:
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
    return Page(NAME, values, tuple(basis.values()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
