"""The page of the ledger: what is in it, whether it is whole, and how to check that offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.ledger import roots, signing, vouched_tables, witness
from yupana.ledger.check import Audit
from yupana.ledger.table import LEDGER
from yupana.monitoring.site.parts import Answer, Basis, Missing, Page, SiteRequest
from yupana.trace import audit

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
    "archive": ("predicciones que pasaron al lago", "predictions that moved to the lake"),
    "rows": ("cambios de tablas", "changes of tables"),
    "release": ("publicaciones retiradas o aceptadas", "releases retracted or accepted"),
    "alert": ("alertas", "alerts"),
    "acknowledge": ("alertas atendidas", "alerts that were answered"),
    "case": ("decisiones sobre casos", "decisions on cases"),
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
    "clock": "de otra hora",
    "missing": "perdido",
    "unvouched": "sin paso que responda",
}
"""What a check can find (`verifier.Finding`, `Fault`), in Spanish."""
MOST_FAULTS = 20


def page(request: SiteRequest) -> Page:
    """Verify the ledger as it is now, and tell what is in it."""
    settings = request.settings
    public = signing.key_file(settings).with_suffix(".pub")
    kinds = _kinds(settings.platform_db)
    if not kinds and not any(path.exists() for path in witness.files(settings)):
        missing = Missing("El registro está vacío.", "The ledger is empty.", "make run")
        none = Answer("unknown", "El registro está vacío.", "The ledger is empty.")
        return Page(NAME, {"v": None, "lost": False}, missing=(missing,), answer=none)
    if not public.is_file():
        answer = Answer("no", "Falta la llave pública del registro (keys/ledger.pub).",
                      "The ledger's public key (keys/ledger.pub) is not there.")  # fmt: skip
        return Page(NAME, {"v": None, "lost": True}, answer=answer)
    key = public.read_text().strip()
    witnesses = [_witness(settings, path) for path in witness.files(settings)]
    # Everything: what an auditor reads says the same whenever it was last looked at.
    report = audit.verify(settings, Silent())
    faults = report.faults
    # Of a ledger that was tampered with, nothing is told but where.
    published_roots = roots.listing(settings.platform_db) if report.ok else []
    newest = list(reversed(published_roots))[:MOST_ROOTS]
    values = {
        "v": report,
        "lost": False,
        "found_es": FOUND.get(report.what, report.what),
        "key": key,
        "kinds": [(*KINDS[kind], kinds[kind]) for kind in KINDS if kind in kinds],
        "roots": newest,
        "roots_in_all": len(published_roots),
        "witnesses": witnesses,
        "outside": vouched_tables.OUTSIDE,
        "faults": [(FOUND[f.what], f) for f in faults[:MOST_FAULTS]],
        "more_faults": max(len(faults) - MOST_FAULTS, 0),
    }
    last = f"event:{report.checked}"
    basis = [Basis("Último evento", "Last event", last, report.head, report.time)]
    basis += [
        Basis(f"Raíz del día {root['day']}", "Root of the day", f"root:{root['day']}",
              root["root"], root["day"])
        for root in newest[:5]
    ]  # fmt: skip
    return Page(NAME, values, tuple(basis), answer=_answer(report, len(published_roots)))


def _witness(settings: Settings, path: Path) -> dict[str, Any]:
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
    with engine(url).connect() as connection:
        return {str(kind): int(n) for kind, n in connection.execute(query)}


def _answer(report: Audit, days: int) -> Answer:
    if report.first_bad:
        what = FOUND.get(report.what, report.what)
        return Answer(
            "no",
            f"No: {what} en el evento {report.first_bad}. {report.message}",
            f"No: {report.what} at event {report.first_bad}: {report.message}",
        )
    if not report.ok:
        first = report.faults[0]
        return Answer(
            "no",
            f"No: lo guardado no es lo que se registró: {first.place} {first.key} "
            f"({FOUND[first.what]}).",
            f"No: what is stored is not what was recorded: {first}.",
        )
    es, en = "Íntegro", "Whole"
    if not report.witness.files:
        es = "Sin testigo en otro lugar que muestre si fue cortado o rehecho; por lo demás íntegro"
        en = "No witness elsewhere would show that it was cut off or made anew; otherwise whole"
    return Answer(
        "yes" if report.witness.files else "part",
        f"{es}: {report.checked} eventos en una cadena, leída entera, {days} días con raíz "
        "firmada; ninguno fue cambiado, borrado ni insertado, y la bitácora, las respuestas y las "
        "tablas dicen lo mismo.",
        f"{en}: {report.checked} events in one chain, all of it read, {days} days with a signed "
        "root; none was changed, deleted or put in, and the log of the steps, the answers and the "
        "tables say the same.",
    )
