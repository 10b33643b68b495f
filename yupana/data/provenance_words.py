"""What the facts of a trace are called, in Spanish and in English."""

from __future__ import annotations

from pathlib import Path

from yupana.data.provenance import Station

# Who asked, and by which request, is nobody's business on a page that may be handed on.
_UNTOLD = {"agency", "request_id"}
_NAMES = {
    "alias": ("función", "role"),
    "area": ("área", "area"),
    "as_of": ("preguntada como del día", "asked as of"),
    "asked_by": ("pedida por", "asked by"),
    "bytes": ("bytes", "bytes"),
    "code_sha256": ("SHA-256 del código", "code SHA-256"),
    "commit": ("commit del código", "code commit"),
    "contract_sha256": ("SHA-256 del contrato", "contract SHA-256"),
    "contract_version": ("versión del contrato", "contract version"),
    "data_as_of": ("datos hasta", "data as of"),
    "dataset": ("conjunto de datos", "data set"),
    "ended": ("terminó", "ended"),
    "feature_service": ("servicio de variables", "feature service"),
    "file": ("archivo", "file"),
    "horizon": ("semanas", "weeks ahead"),
    "kind": ("tipo", "kind"),
    "known_on": ("sabido al", "known on"),
    "landed": ("recibido", "received"),
    "licence": ("licencia", "licence"),
    "made": ("hechas", "made"),
    "modified": ("modificado", "modified"),
    "origin": ("última semana vista", "last week seen"),
    "page": ("página", "page"),
    "parts": ("partes", "parts"),
    "passed": ("aprobada", "passed"),
    "published": ("publicado", "published"),
    "publisher": ("publica", "publisher"),
    "python": ("Python", "Python"),
    "reason": ("motivo", "reason"),
    "registered": ("registrado", "registered"),
    "requested": ("pedido", "requested"),
    "rows": ("filas", "rows"),
    "rows_that_broke_one": ("filas que incumplen alguna", "rows that broke one"),
    "rules": ("reglas", "rules"),
    "run": ("corrida", "run"),
    "seconds": ("segundos", "seconds"),
    "sha256": ("SHA-256", "SHA-256"),
    "step": ("paso", "step"),
    "time": ("hora (UTC)", "time (UTC)"),
    "ubigeo": ("ubigeo", "district code"),
    "uv_lock_sha256": ("SHA-256 de uv.lock", "uv.lock SHA-256"),
}


def named(station: Station) -> list[tuple[str, str, str]]:
    """The facts of a station for a page: Spanish name, English name, value.

    What a source said of itself keeps its own name.
    """
    told = {k: v for k, v in station.facts.items() if k not in _UNTOLD}
    # Where the platform keeps its pages says nothing to who has this one.
    told |= {"page": Path(told["page"]).name} if "page" in told else {}
    return [(*_NAMES.get(k, (k, k)), v) for k, v in told.items()]
