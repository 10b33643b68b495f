"""The page of the model: its card, as it was kept with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yupana.governance import deployments, events
from yupana.monitoring.site import markdown
from yupana.monitoring.site.parts import Asked, Basis, Missing, Page, of_file
from yupana.tracking import card

NAME = "modelo"


@dataclass(frozen=True)
class Served:
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


def served(asked: Asked) -> Served:
    """The model that answers: the one deployed, else the registry's champion."""
    settings = asked.settings
    placed = deployments.current(settings.platform_db, asked.use_case).get(deployments.CHAMPION)
    ref, registered = "", {}
    for event in events.read(settings.events):
        if event["subject"] != asked.use_case or event["status"] != "done":
            continue
        made = next((o for o in event["outputs"] if o.startswith("model:")), "")
        if event["step"] == "register":
            registered[made] = event
        if made and event["facts"].get("alias") == "champion":
            ref = made
    if placed:
        name, _, version = placed.tag.partition(":")
        ref = f"model:{name}@{version}"
    if not ref:
        return Served("")
    event = registered.get(ref, {})
    inputs = tuple(event.get("inputs", ()))
    name, _, version = ref.removeprefix("model:").partition("@")
    candidates = (i.partition(":")[2] for i in inputs if i.startswith("candidate:"))
    fitted = next((p for c in candidates if (p := settings.home / "candidates" / c).is_dir()), None)
    copy = settings.home / "bentoml" / "models" / name / version
    folder = copy if copy.is_dir() else fitted
    return Served(ref, folder, fitted, str(event.get("time", "")), inputs)


def page(asked: Asked) -> Page:
    """The card of the served model."""
    found = served(asked)
    path = found.folder / card.NAME if found.folder else None
    if found.folder is None or path is None or not path.is_file():
        missing = Missing(
            "Ningún modelo con su ficha se entrenó y desplegó aquí.",
            "No model with its card was trained and deployed here.",
            f"yupana train {asked.use_case} && yupana deploy {asked.use_case}",
        )
        return Page(NAME, {"ref": found.ref, "card": "", "placed": {}}, missing=(missing,))
    files, images = {}, {}
    for plot in card.PLOTS:
        if (found.folder / plot).is_file():
            images[plot] = f"modelo-{plot}"
            files[f"modelo-{plot}"] = (found.folder / plot).read_bytes()
    told = {"time": found.time}
    basis = [of_file(asked, path, "Ficha del modelo", "Model card", ref=found.ref, **told)]
    weights = found.folder / "weights.safetensors"
    if weights.is_file():
        basis.append(of_file(asked, weights, "Pesos del modelo", "Weights", **told))
    basis += [Basis("Hecho de", "Made from", ref, **told) for ref in found.inputs]
    values = {
        "ref": found.ref,
        "card": markdown.html(path.read_text(encoding="utf-8"), images),
        "placed": deployments.current(asked.settings.platform_db, asked.use_case),
    }
    return Page(NAME, values, tuple(basis), files=files)
