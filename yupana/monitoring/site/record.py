"""The page of the ledger: what is in it, whether it is whole, and how to check that offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.governance.ledger import book, check, roots, signing, witness
from yupana.governance.ledger.table import LEDGER
from yupana.governance.ledger.verifier import Report
from yupana.monitoring.site.parts import Answer, Asked, Basis, Missing, Page

NAME = "registro"
MOST_ROOTS = 31
KINDS = {
    "step": ("pasos de la cadena de datos", "steps of the data's road"),
    "gate": ("decisiones de la compuerta", "decisions of the gate"),
    "assess": ("evaluaciones de riesgo", "risk assessments"),
    "approve": ("aprobaciones", "approvals"),
    "suspend": ("suspensiones", "suspensions"),
    "resume": ("reanudaciones", "resumptions"),
    "deploy": ("despliegues", "deployments"),
    "withdraw": ("retiros", "withdrawals"),
    "key": ("cambios de llaves de acceso", "changes of access keys"),
    "access": ("accesos a datos personales", "accesses to personal data"),
    "predictions": ("lotes de predicciones", "batches of predictions"),
    "alert": ("alertas", "alerts"),
    "acknowledge": ("alertas atendidas", "alerts that were answered"),
    "forget": ("personas borradas", "people erased"),
    "root": ("raíces diarias firmadas", "signed daily roots"),
}
FOUND = {
    "changed": "cambiado",
    "deleted": "borrado",
    "inserted": "insertado",
    "reordered": "desordenado",
    "truncated": "truncado",
    "rolled back": "revertido",
    "root forged": "raíz falsificada",
}
"""What a check can find (`verifier.Found`), in Spanish."""


def page(asked: Asked) -> Page:
    """Verify the ledger as it is now, and tell what is in it."""
    settings = asked.settings
    public = signing.key_file(settings).with_suffix(".pub")
    kinds = _kinds(settings.platform_db)
    if not kinds and not any(path.exists() for path in witness.files(settings)):
        missing = Missing("El registro está vacío.", "The ledger is empty.", "make run")
        none = Answer("unknown", "El registro está vacío.", "The ledger is empty.")
        return Page(NAME, {"v": None, "lost": False}, missing=(missing,), answer=none)
    if not public.is_file():
        lost = Answer("no", "Falta la llave pública del registro (keys/ledger.pub).",
                      "The ledger's public key (keys/ledger.pub) is not there.")  # fmt: skip
        return Page(NAME, {"v": None, "lost": True}, answer=lost)
    key = public.read_text().strip()
    seen = [_seen(settings, path) for path in witness.files(settings)]
    checked = check.live(settings, Silent())
    # Of a ledger that was tampered with, nothing is told but where.
    told = roots.listing(settings.platform_db) if checked.ok else []
    newest = list(reversed(told))[:MOST_ROOTS]
    values = {
        "v": checked,
        "lost": False,
        "found_es": FOUND.get(checked.what, checked.what),
        "key": key,
        "kinds": [(*KINDS[kind], kinds[kind]) for kind in KINDS if kind in kinds],
        "roots": newest,
        "roots_in_all": len(told),
        "witnesses": seen,
    }
    last = f"event:{checked.checked}"
    basis = [Basis("Último evento", "Last event", last, checked.head, checked.time)]
    basis += [
        Basis(f"Raíz del día {root['day']}", "Root of the day", f"root:{root['day']}",
              root["root"], root["day"])
        for root in newest[:5]
    ]  # fmt: skip
    return Page(NAME, values, tuple(basis), answer=_answer(checked, len(told)))


def _seen(settings: Settings, path: Path) -> dict[str, Any]:
    """Of a witness file: whether it lies in this home, its checkpoints, and the last one's time."""
    size = path.stat().st_size if path.exists() else 0
    lines, last = 0, b""
    for line in witness.until(path, size):
        lines, last = lines + 1, line
    return {"here": path.is_relative_to(settings.home), "checkpoints": lines, "time": _time(last)}


def _time(line: bytes) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, KeyError, TypeError):
        # A crash may tear the last line; the verifier judges it.
        return ""


def _kinds(url: str) -> dict[str, int]:
    """How many events there are of each kind."""
    query = sa.select(LEDGER.c.kind, sa.func.count()).group_by(LEDGER.c.kind)
    with book.prepare(url).connect() as connection:
        return {str(kind): int(n) for kind, n in connection.execute(query)}


def _answer(checked: Report, days: int) -> Answer:
    if not checked.ok:
        what = FOUND.get(checked.what, checked.what)
        return Answer(
            "no",
            f"No: {what} en el evento {checked.first_bad}. {checked.told}",
            f"No: {checked.what} at event {checked.first_bad}: {checked.told}",
        )
    return Answer(
        "yes",
        f"Íntegro: {checked.checked} eventos en una cadena, {days} días con raíz firmada; "
        "ninguno fue cambiado, borrado ni insertado, y la bitácora de pasos dice lo mismo.",
        f"Whole: {checked.checked} events in one chain, {days} days with a signed root; none was "
        "changed, deleted or put in, and the log of the steps says the same.",
    )
