"""What serves now, for those who ask: models in their slots, and the card of each."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from starlette.responses import Response

from serving.book import notice_of
from serving.http.refusal import refusal
from serving.slots import Slot, Slots, stored_folder
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.governance import register

CARD = "README.md"


def listing(use_case: str, slots: Slots) -> dict[str, Any]:
    """Every slot that is filled, and what was placed and refused."""
    halt = slots.halted
    found = [_slot(use_case, "champion", slots.champion, halt.code if halt else "serves")]
    found[0]["why"] = halt.note() if halt else None
    if slots.challenger:
        mode = "canary" if slots.challenger.share else "shadow"
        found.append(_slot(use_case, "challenger", slots.challenger, mode))
    refused = [
        {"model": tag.replace(":", "@"), "state": "refused", "why": why}
        for tag, why in slots.refused.items()
    ]
    return {"models": found, "refused": refused}


def _slot(use_case: str, name: str, slot: Slot, state: str) -> dict[str, Any]:
    about = slot.model.forecaster.description
    return {
        "model": f"{use_case}@{slot.model.version}",
        "slot": name,
        "state": state,
        "why": None,
        "stage": "trial" if slot.standing.trial else "service",
        "expired": slot.standing.expired,
        "share": 1.0 if name == "champion" else slot.share,
        "feature_service": about.feature_service,
        "features": slot.book.source.maker.features_ref,
        "trained_through": about.trained_through,
        "districts": len(about.districts),
        "horizons": [int(h) for h in about.horizons],
        "model_card": f"/v1/models/{use_case}/{slot.model.version}/card",
        "notice": notice_of(use_case),
    }


def notice(settings: Settings, use_case: str, name: str) -> Response:
    """The transparency notice as Markdown; only what the register says was published."""
    try:
        about = register.load(settings.root, use_case if name == use_case else "")
        published = (settings.root / about.notice.file).read_bytes()
        if sha256(published).hexdigest() != about.notice.sha256:
            raise FileNotFoundError(about.notice.file)
    except (TerminalError, FileNotFoundError):
        return refusal(
            404,
            f"No hay un aviso publicado de {name}. / There is no published notice of {name}.",
            where="name",
            fix="GET /v1/models dice qué sirve. / GET /v1/models tells what serves.",
            code="unknown_model",
        )
    return Response(published, media_type="text/markdown; charset=utf-8")


def card(use_case: str, version: int) -> Response:
    """The model's card as Markdown, of every version that is in the store of this machine."""
    try:
        text = (stored_folder(f"{use_case}:{version}") / CARD).read_text(encoding="utf-8")
    except (TerminalError, FileNotFoundError):
        return refusal(
            404,
            f"No hay un modelo {use_case}@{version} con ficha. / "
            f"There is no model {use_case}@{version} with a card.",
            where="version",
            fix="GET /v1/models dice cuáles sirven. / GET /v1/models tells which serve.",
            code="unknown_model",
        )
    return Response(text, media_type="text/markdown; charset=utf-8")
