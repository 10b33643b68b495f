"""PostgreSQL: the platform's role may read the ledger and the event log and append to them, and
nothing else."""

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
_POWER = sa.text(
    "SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles "
    "WHERE rolname = :role"
)


def restrict(url: str, role: str) -> list[str]:
    """Make the ledger as its owner, and let a role append to it; the statements that were run.

    Other tables the role makes and owns itself. Who owns the ledger can still drop its triggers:
    that account is for set-up alone, and what it does shows against a witness.

    Args:
        url: the platform database, as the account that is to own the ledger.
        role: the account that the platform is to run as; it is there already.

    Raises:
        UsageError: no PostgreSQL, or no role that can be bound.
    """
    if not url.startswith("postgresql"):
        raise UsageError(
            "SQLite has no roles.",
            where="YUPANA_PLATFORM_URL",
            fix="Set it to the PostgreSQL database, as the account that is to own the ledger.",
        )
    statements = [grant.format(role=f'"{role}"') for grant in _GRANTS]
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
