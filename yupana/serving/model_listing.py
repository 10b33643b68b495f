"""What serves now, for those who ask: models in their slots, and the card of each."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from starlette.responses import Response

from yupana.config.settings import Settings
from yupana.core import plain_files
from yupana.core.errors import TerminalError
from yupana.gate import register
from yupana.serving.deployment import Deployment, stored_folder
from yupana.serving.http.refusal import refusal
from yupana.serving.model_manager import ModelManager

CARD = "README.md"


def card_of(use_case: str, version: str) -> str:
    """Address of a model's card."""
    return f"/v1/models/{use_case}/{version}/card"


def notice_of(use_case: str) -> str:
    """Address of the transparency notice."""
    return f"/v1/models/{use_case}/notice"


def listing(use_case: str, models: ModelManager) -> dict[str, Any]:
    """Every slot that is filled, and what was placed and refused."""
    suspension = models.suspension
    state = suspension.code if suspension else "serves"
    serving = [_slot(use_case, "champion", models.champion, state)]
    serving[0]["why"] = suspension.note() if suspension else None
    if models.challenger:
        mode = "canary" if models.challenger.share else "shadow"
        serving.append(_slot(use_case, "challenger", models.challenger, mode))
    refused = [
        {"model": tag.replace(":", "@"), "state": "refused", "why": why}
        for tag, why in models.refused.items()
    ]
    return {"models": serving, "refused": refused}


def _slot(use_case: str, name: str, deployment: Deployment, state: str) -> dict[str, Any]:
    version = deployment.model.version
    return {
        "model": f"{use_case}@{version}",
        "slot": name,
        "state": state,
        "why": None,
        "stage": "trial" if deployment.standing.trial else "service",
        "expired": deployment.standing.expired,
        "share": 1.0 if name == "champion" else deployment.share,
        **deployment.answers.facts(),
        "model_card": card_of(use_case, version),
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
        text = plain_files.text(stored_folder(f"{use_case}:{version}") / CARD)
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
