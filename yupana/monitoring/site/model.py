"""The page of the model: its card, as it was kept with the weights."""

from __future__ import annotations

from yupana.core import spec
from yupana.monitoring.site import markdown
from yupana.monitoring.site.parts import Basis, Missing, Page, SiteRequest, of_file
from yupana.tracking import card, roles, slots

NAME = "modelo"


def page(request: SiteRequest) -> Page:
    """The card of the served model."""
    current = roles.served(request.settings, request.use_case)
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
