"""The page of the ledger: what is in it, whether it is whole, and how to check that offline."""

from __future__ import annotations

from yupana.monitoring.site.parts import Answer, Asked, Missing, Page

NAME = "registro"


def page(asked: Asked) -> Page:
    """The state of the ledger."""
    missing = Missing("No hay registro.", "There is no ledger.", "yupana audit verify")
    return Page(NAME, {"state": None}, missing=(missing,), answer=Answer("unknown", "", ""))
