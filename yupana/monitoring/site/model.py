"""The page of the model: its card, as it was kept with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yupana.core import spec
from yupana.core.errors import TerminalError
from yupana.lineage import events
from yupana.monitoring.site import markdown
from yupana.monitoring.site.parts import Basis, Missing, Page, SiteRequest, of_file
from yupana.tracking import aliases, card, roles, slots

NAME = "modelo"


@dataclass(frozen=True)
class ServedModel:
    """The model that the site is about.

    Attributes:
        ref: `model:<name>@<version>`; empty where there is none.
        folder: its files: the copy that answers, else what its fit wrote; None where neither is.
        fitted: what its fit wrote; None for a model from elsewhere.
        time: when it was registered here; empty for one from elsewhere.
        inputs: what it was registered from.
    """

    ref: str
    folder: Path | None = None
    fitted: Path | None = None
    time: str = ""
    inputs: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return int(self.ref.rpartition("@")[2])


def served_model(request: SiteRequest) -> ServedModel:
    """The model that answers: the one deployed, else the registry's champion."""
    settings = request.settings
    slot = slots.current(settings.platform_db, request.use_case).get(slots.CHAMPION)
    if slot:
        ref = slot.model
    else:
        try:
            ref = aliases.champion(settings, request.use_case)
        except TerminalError:
            return ServedModel("")
    registration = events.last_done(
        settings.events, "register", request.use_case, lambda e: ref in e["outputs"]
    )
    event = registration or {}
    inputs = tuple(event.get("inputs", ()))
    name, _, version = ref.removeprefix("model:").partition("@")
    candidates = (i.partition(":")[2] for i in inputs if i.startswith("candidate:"))
    candidate = next(
        (p for c in candidates if (p := settings.home / "candidates" / c).is_dir()), None
    )
    copy = settings.home / "bentoml" / "models" / name / version
    folder = copy if copy.is_dir() else candidate
    return ServedModel(ref, folder, candidate, str(event.get("time", "")), inputs)


def page(request: SiteRequest) -> Page:
    """The card of the served model."""
    current = served_model(request)
    path = current.folder / card.NAME if current.folder else None
    if current.folder is None or path is None or not path.is_file():
        missing = Missing(
            "Ningún modelo con su ficha se entrenó y desplegó aquí.",
            "No model with its card was trained and deployed here.",
            f"yupana train {request.use_case} && yupana deploy {request.use_case}",
        )
        return Page(NAME, {"ref": current.ref, "card": "", "placed": {}}, missing=(missing,))
    files, images = {}, {}
    for picture in card.pictures(current.folder):
        images[picture.name] = f"modelo-{picture.name}"
        files[f"modelo-{picture.name}"] = picture.read_bytes()
    when = {"time": current.time}
    basis = [of_file(request, path, "Ficha del modelo", "Model card", ref=current.ref, **when)]
    own = (current.folder / name for name in spec.load(request.use_case).model.files)
    basis += [
        of_file(request, file, "Archivo del modelo", "File of the model", **when)
        for file in own
        if file.is_file()
    ]
    basis += [Basis("Hecho de", "Made from", ref, **when) for ref in current.inputs]
    values = {
        "ref": current.ref,
        "card": markdown.html(path.read_text(encoding="utf-8"), images),
        "placed": slots.current(request.settings.platform_db, request.use_case),
        "difference": roles.of(request.settings, request.use_case).difference,
    }
    return Page(NAME, values, tuple(basis), files=files)
