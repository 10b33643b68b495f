"""What vouches for the rows of each table, and what nothing does, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Rows:
    """How the rows of a table are vouched for.

    Attributes:
        key: the columns that name a row in the ledger, or rows that are vouched for together.
        free: columns that change without an event, each with the reason.
        free_rows: rows, by key, that do, each with the reason.
        nonce: False where the content cannot be guessed, and nobody is ever erased from it.
        daily: a day's rows are vouched for together once the day is over; `key` is the day.
    """

    key: tuple[str, ...]
    free: Mapping[str, str] = field(default_factory=dict)
    free_rows: Mapping[str, str] = field(default_factory=dict)
    nonce: bool = True
    daily: bool = False


class Reason(NamedTuple):
    """Why something is not looked at."""

    es: str
    en: str


VOUCHED = {
    "activity": Rows(("id",)),
    "alert_messages": Rows(("id", "channel")),
    "alerts": Rows(("id",)),
    "case_attachments": Rows(("id",)),
    "case_events": Rows(("id",)),
    "case_notices": Rows(
        ("id",),
        dict.fromkeys(("state", "tries", "error", "due"), "how its tries went; decides nothing"),
    ),
    "cases": Rows(
        ("id",),
        dict.fromkeys(("claimed_by", "claimed_until"), "which router is at work"),
    ),
    "deployment_slots": Rows(("use_case", "slot")),
    "entity_counts": Rows(("day",), daily=True),
    "feedback": Rows(("feedback_id",)),
    "keys": Rows(("id",), {"last_used": "a statistic, written twice a second; decides nothing"}),
    "keys_revision": Rows(("id",)),
    "labels": Rows(("id",)),
    "monitor_checks": Rows(("run",)),
    "monitor_runs": Rows(("run",)),
    "people": Rows(("pseudonym",)),
    "prediction_log_state": Rows(
        ("name",), free_rows={"alive": "the writer's sign of life; decides nothing"}
    ),
    "predictions": Rows(("key",), nonce=False),
    "projects": Rows(("name",)),
    "request_counts": Rows(("day",), daily=True),
    "subjects_revoked": Rows(("id",)),
    "webhook_notices": Rows(("id", "webhook")),
    "webhooks": Rows(("id",)),
}
"""The tables whose rows `rows` events vouch for."""

OTHERWISE = {
    "ledger": "its own chain, the witness and the signed roots",
    "events": "the `step` event of each row",
    "event_refs": "the `step` event of the row that they belong to",
    "prediction_records": "the `predictions` event of each group, and `archive` when it moves",
    "row_nonces": "the digests that they are part of",
}
"""The tables that other events vouch for, and which."""

OUTSIDE = {
    "quota_spent": Reason(
        "cuentas de una ventana de minutos o de un día; quien las baja obtiene más consultas, y "
        "cada respuesta está igual en el registro de predicciones",
        "counts of a window of minutes or a day; who sets one back gets more requests, and each "
        "answer is in the prediction log all the same",
    ),
    "request_counts, entity_counts": Reason(
        "solo los días aún no cerrados: cada uno se sella cuando se cuenta el siguiente",
        "only days that are not closed yet: each is sealed when the next one is counted",
    ),
    "yupana_schema": Reason(
        "el número del esquema; uno equivocado detiene toda orden",
        "the schema's number; a wrong one stops every command",
    ),
    "MLflow, Feast, Airflow": Reason(
        "bases de datos propias; los modelos se comprueban por el SHA-256 de sus archivos en cada "
        "decisión",
        "databases of their own; models are checked by the SHA-256 of their files in decisions",
    ),
    "candidates, members, training, exchange, cache, staging, BentoML": Reason(
        "archivos de trabajo; lo que decide se compara por su SHA-256 al usarse (landing: --all)",
        "work files; what decides is compared by its SHA-256 when it is used (landing: by --all)",
    ),
}
"""What `audit verify` does not look at, and why; it prints this list."""
