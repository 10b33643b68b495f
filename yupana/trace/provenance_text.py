"""What the facts of a trace are called, in Spanish and in English."""

from __future__ import annotations

from pathlib import Path

from yupana.trace.provenance import Station

# Who asked, and by which request, is nobody's business on a page that may be handed on.
_UNTOLD = {"agency", "request_id"}
_NAMES = {
    "alias": ("función", "role"),
    "answer": ("lo que se pronosticó", "what was predicted"),
    "area": ("área", "area"),
    "as_of": ("preguntada como del día", "asked as of"),
    "asked_by": ("pedida por", "asked by"),
    "bytes": ("bytes", "bytes"),
    "code_sha256": ("SHA-256 del código", "code SHA-256"),
    "commit": ("commit del código", "code commit"),
    "content_hash": ("hash del contenido", "content hash"),
    "contract_sha256": ("SHA-256 del contrato", "contract SHA-256"),
    "contract_version": ("versión del contrato", "contract version"),
    "data_as_of": ("datos hasta", "data as of"),
    "dataset": ("conjunto de datos", "data set"),
    "ended": ("terminó", "ended"),
    "entity": ("sobre", "about"),
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
    "registered_as": ("función al registrarse", "role when registered"),
    "requested": ("pedido", "requested"),
    "rows": ("filas", "rows"),
    "rows_that_broke_one": ("filas que incumplen alguna", "rows that broke one"),
    "rules": ("reglas", "rules"),
    "run": ("corrida", "run"),
    "seconds": ("segundos", "seconds"),
    "sha256": ("SHA-256", "SHA-256"),
    "slot": ("en uso como", "in use as"),
    "step": ("paso", "step"),
    "time": ("hora (UTC)", "time (UTC)"),
    "uv_lock_sha256": ("SHA-256 de uv.lock", "uv.lock SHA-256"),
}


def page_facts(station: Station) -> list[tuple[str, str, str]]:
    """The facts of a station for a page: Spanish name, English name, value.

    What a source said of itself keeps its own name.
    """
    facts = {k: v for k, v in station.facts.items() if k not in _UNTOLD}
    # Where the platform keeps its pages says nothing to who has this one.
    facts |= {"page": Path(facts["page"]).name} if "page" in facts else {}
    return [(*_NAMES.get(k, (k, k)), v) for k, v in facts.items()]
