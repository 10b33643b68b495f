"""PostgreSQL: what the platform's roles may do. Its own appends to the ledger and the event log and
changes neither; a service's reads and writes what answering needs; the signer's, the ledger alone.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import engine

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_GRANTS = (
    "GRANT USAGE, CREATE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE ALL ON ledger, events, event_refs FROM PUBLIC, {role}",
    "GRANT SELECT, INSERT ON ledger, events, event_refs TO {role}",
)
_NOTHING = (
    "REVOKE ALL ON SCHEMA public FROM {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
    "GRANT USAGE ON SCHEMA public TO {role}",
)
_SERVICE = (
    *_NOTHING,
    "GRANT SELECT ON yupana_schema, events, event_refs, deployment_slots, keys, keys_revision, "
    "subjects_revoked TO {role}",
    "GRANT UPDATE (last_used) ON keys TO {role}",
    "GRANT SELECT, INSERT ON ledger, predictions, prediction_records, feedback, activity, "
    "row_nonces TO {role}",
    "GRANT SELECT, INSERT, UPDATE ON prediction_log_state, quota_spent, request_counts, "
    "entity_counts TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
)
# A service whose clerks decide: they stand in the ledger by pseudonyms.
_CASES = (
    *_SERVICE,
    "GRANT SELECT ON webhooks TO {role}",
    "GRANT SELECT, INSERT ON people, labels, case_events, case_attachments, webhook_notices "
    "TO {role}",
    "GRANT SELECT, INSERT, UPDATE ON cases, case_notices TO {role}",
)
_SIGNER = (
    *_NOTHING,
    "GRANT SELECT ON yupana_schema TO {role}",
    "GRANT SELECT, INSERT ON ledger TO {role}",
)
RIGHTS = {"platform": _GRANTS, "service": _SERVICE, "cases": _CASES, "signer": _SIGNER}
"""By what runs as the role."""
_POWER = sa.text(
    "SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles "
    "WHERE rolname = :role"
)


def restrict(url: str, role: str, runs: str = "platform") -> list[str]:
    """Make the tables as their owner, and bind a role; the statements that were run.

    Who owns the ledger can still drop its triggers:
    that account is for set-up alone, and what it does shows against a witness.

    Args:
        url: the platform database, as the account that is to own the ledger.
        role: the account to bind; it is there already.
        runs: what runs as it, one of `RIGHTS`.

    Raises:
        UsageError: no PostgreSQL, or no role that can be bound.
    """
    if not url.startswith("postgresql"):
        raise UsageError(
            "SQLite has no roles.",
            where="YUPANA_PLATFORM_URL",
            fix="Set it to the PostgreSQL database, as the account that is to own the ledger.",
        )
    statements = [grant.format(role=f'"{role}"') for grant in RIGHTS[runs]]
    with engine(url).begin() as connection:
        power = connection.scalar(_POWER, {"role": role})
        if not _ROLE.fullmatch(role) or power is not False:
            raise UsageError(
                f"'{role}' is no role that can be bound: it is not there, or it may do everything.",
                where="the role",
                fix=f"CREATE ROLE {role if _ROLE.fullmatch(role) else 'yupana_app'} LOGIN; and do "
                "not run the platform as the owner of the ledger.",
            )
        for statement in statements:
            connection.exec_driver_sql(statement)
    return statements
