"""A risk register to begin with: on trial, of high risk until someone assesses it, all gaps open.

It holds for the stage `trial` alone. What stands in it as a gap is for the agency to answer.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import yaml

from yupana.gate.register import PRINCIPLES, REQUIREMENTS, Bound
from yupana.gate.register_parts import UNNAMED

_GAP = {"es": "Por evaluar.", "en": "To be assessed."}
_NORMS = ("Ley 31814", "DS 115-2025-PCM", "Ley 29733")
_DAYS = {
    "assessment": 180, "approval": 365, "impact": 180, "data_protection": 365, "ethics": 365,
    "adoption": 365, "notice": 365, "evidence": 400,
}  # fmt: skip


def files(use_case: str, title: str, bounds: list[Bound], today: date) -> dict[str, str]:
    """The register, and the transparency notice that it names, by path below the project.

    Args:
        title: what is predicted, for people.
        bounds: what the kind demands of every model.
    """
    path = f"docs/transparency/{use_case}.md"
    notice = _notice(title)
    register: dict[str, Any] = {
        "use_case": use_case,
        "stage": "trial",
        "purpose": _both("Por escribir", "To be written", title),
        "legal_basis": [{"norm": norm, "asks": _GAP} for norm in _NORMS],
        "risk": {
            "areas": [],
            "strategy": {"of": "high", "reasons": [_GAP]},
            "regulation": {"of": "high", "reasons": [_GAP]},
            "factors": [_open("Qué puede salir mal", "What can go wrong")],
        },
        "affected": [{"group": _GAP, "how": _GAP}],
        "people": [
            {"id": f"{role}-{n}", "name": UNNAMED, "roles": [role], "accounts": []}
            for role, count in (("supervisor", 1), ("deputy", 2), ("approver", 1), ("author", 1))
            for n in range(1, count + 1)
        ],
        "data_protection": {
            "reviewed": today,
            "items": [_open("Qué datos de personas entran", "Which data of persons enter")],
        },
        "ethics": {
            "reviewed": today,
            "principles": {name: [_open(name, name)] for name in PRINCIPLES},
            "requirements": {name: [_open(name, name)] for name in REQUIREMENTS},
        },
        "adoption": {
            "reviewed": today,
            **{
                part: [_open(part, part)] for part in ("introduction", "operation", "performance")
            },
        },
        "targets": {
            "quantitative": [_stated(bound) for bound in bounds],
            "qualitative": [_open("Sirve a quienes lo usan", "It serves those who use it")],
        },
        "costs": {
            "missed_alert": 1.0, "false_alarm": 1.0,
            "currency": "unidades relativas / relative units", "set_by": UNNAMED,
        },
        "limits": [_stated(bound) for bound in bounds],
        "notice": {
            "file": path, "published": today,
            "sha256": hashlib.sha256(notice.encode()).hexdigest(),
        },
        "validity": _DAYS,
    }  # fmt: skip
    head = (
        f"# The risk register of {use_case}. `yupana governance check {use_case}` says what of it\n"
        "# holds and what is missing; docs/governance.md says how it is filled in.\n"
    )
    text = yaml.dump(register, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100)
    return {f"models/{use_case}/governance.yaml": head + text, path: notice}


class _Plain(yaml.SafeDumper):
    """Writes a text that stands in several places each time, and not as a reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _both(es: str, en: str, title: str) -> dict[str, str]:
    return {"es": f"{es}: {title}", "en": f"{en}: {title}"}


def _open(es: str, en: str) -> dict[str, Any]:
    return {"what": {"es": es, "en": en}, "gap": _GAP}


def _stated(bound: Bound) -> dict[str, Any]:
    return bound.model_dump(mode="json", exclude_defaults=True)


def _notice(title: str) -> str:
    return (
        f"# Aviso de transparencia: {title}\n\n"
        "**Un sistema de inteligencia artificial hace esta predicción. Está a prueba: no está "
        "aprobado para decidir.** Por escribir: qué hace, para qué, con qué datos, en qué se "
        "equivoca, quién responde y cómo reclamar.\n\n---\n\n"
        f"# Transparency notice: {title}\n\n"
        "**An artificial-intelligence system makes this prediction. It is on trial: it is not "
        "approved for decisions.** To be written: what it does, what for, from which data, where "
        "it errs, who answers for it and how to complain.\n"
    )
