"""The prediction log holds predictions of any kind: an entity, and a payload with its version.

What weekly forecasts alone have (horizon, weeks, the day asked for; in feedback, week and cases)
moves into JSON. Tables get the names of what they hold. Rows keep their numbers and keys, so that
the ledger's digests of them still hold.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from yupana.core.errors import UsageError

revision = "0004"
down_revision = "0003"

_NAMES = {
    "forecasts_told": "predictions",
    "answers_given": "prediction_records",
    "log_signs": "prediction_log_state",
    "requests_counted": "request_counts",
    "entities_asked": "entity_counts",
}
_COLUMNS = (
    ("predictions", "ubigeo", "entity"),
    ("prediction_records", "told", "prediction_key"),
    ("entity_counts", "asked", "n"),
)
# Feedback on a record that moved to the lake: its use case is that of all predictions, if one.
_USE_CASE = """
UPDATE feedback SET
  use_case = COALESCE(
    (SELECT p.use_case FROM prediction_records r JOIN predictions p ON r.prediction_key = p.key
     WHERE r.prediction_id = feedback.prediction_id),
    (SELECT CASE WHEN count(DISTINCT use_case) = 1 THEN min(use_case) END FROM predictions),
    ''),
  entity = COALESCE(
    (SELECT p.entity FROM prediction_records r JOIN predictions p ON r.prediction_key = p.key
     WHERE r.prediction_id = feedback.prediction_id), '')
"""


def upgrade() -> None:
    for old, new in _NAMES.items():
        op.rename_table(old, new)
    for table, old, new in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    _predictions()
    _records()
    _feedback()


def _predictions() -> None:
    _add("predictions", sa.Column("payload_version", sa.Integer(), server_default="1"))
    op.execute("ALTER TABLE predictions RENAME COLUMN answer TO payload")
    op.execute("""UPDATE predictions SET payload = '{"weeks": ' || payload || '}'""")


def _records() -> None:
    _add("prediction_records", sa.Column("parameters", sa.Text(), server_default="{}"))
    op.execute(
        """UPDATE prediction_records SET parameters =
        '{"as_of": "' || as_of || '", "horizon": ' || horizon || '}'"""
    )
    _drop("prediction_records", "horizon", "as_of")


def _feedback() -> None:
    _add("feedback", sa.Column("use_case", sa.String(), server_default=""))
    _add("feedback", sa.Column("entity", sa.String(), server_default=""))
    _add("feedback", sa.Column("payload", sa.Text(), server_default="{}"))
    _add("feedback", sa.Column("payload_version", sa.Integer(), server_default="1"))
    op.execute(_USE_CASE)
    # A complaint may have neither, or one of them.
    op.execute(
        """UPDATE feedback SET payload = CASE
        WHEN cases IS NULL THEN '{"week_ending": "' || week_ending || '"}'
        WHEN week_ending IS NULL THEN '{"cases": ' || cases || '}'
        ELSE '{"week_ending": "' || week_ending || '", "cases": ' || cases || '}' END
        WHERE week_ending IS NOT NULL OR cases IS NOT NULL"""
    )
    _drop("feedback", "week_ending", "cases")


def downgrade() -> None:
    """The ledger's events since then name digest 2, which only the way up again can check."""
    _demand_weekly_forecasts()
    _add("feedback", sa.Column("week_ending", sa.String(), nullable=True))
    _add("feedback", sa.Column("cases", sa.Integer(), nullable=True))
    week, cases = _member("payload", "week_ending"), _member("payload", "cases")
    op.execute(f"UPDATE feedback SET week_ending = {week}, cases = CAST({cases} AS INTEGER)")
    _drop("feedback", "use_case", "entity", "payload", "payload_version")

    _add("prediction_records", sa.Column("horizon", sa.Integer(), server_default="0"))
    _add("prediction_records", sa.Column("as_of", sa.String(), server_default=""))
    horizon, as_of = _member("parameters", "horizon"), _member("parameters", "as_of")
    op.execute(
        f"UPDATE prediction_records SET horizon = CAST({horizon} AS INTEGER), as_of = {as_of}"
    )
    _drop("prediction_records", "parameters")

    op.execute(f"UPDATE predictions SET payload = {_member('payload', 'weeks')}")
    op.execute("ALTER TABLE predictions RENAME COLUMN payload TO answer")
    _drop("predictions", "payload_version")
    for table, old, new in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
    for old, new in _NAMES.items():
        op.rename_table(new, old)


def _demand_weekly_forecasts() -> None:
    """Of what an earlier schema cannot hold, nothing is lost: there is no way down with it."""
    for table, missing in (
        ("predictions", f"{_member('payload', 'weeks')} IS NULL"),
        (
            "prediction_records",
            f"{_member('parameters', 'horizon')} IS NULL "
            f"OR {_member('parameters', 'as_of')} IS NULL",
        ),
        (
            "feedback",
            f"payload <> '{{}}' AND {_member('payload', 'week_ending')} IS NULL "
            f"AND {_member('payload', 'cases')} IS NULL",
        ),
    ):
        rows = op.get_bind().scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {missing}"))
        if rows:
            raise UsageError(
                f"{rows:,} rows of {table} are no weekly forecasts: an earlier schema cannot hold "
                "them.",
                where=f"{table}, schema {revision}",
                fix="Stay with this release, or restore a copy from before the upgrade.",
            )


def _member(column: str, name: str) -> str:
    """SQL of a member of a JSON text: as text; NULL where it has none."""
    if _postgresql():
        # Not jsonb, which would refuse \\u0000 and write numbers anew.
        return f"({column}::json ->> '{name}')"
    return f"({column} ->> '$.{name}')"


def _postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _add(table: str, column: sa.Column[object]) -> None:
    """A column that no row may lack, unless it says so; its default is for the rows of now."""
    default = column.server_default
    if default is not None:
        column.nullable = False
    op.add_column(table, column)
    if default is not None and _postgresql():
        op.alter_column(table, column.name, server_default=None)


def _drop(table: str, *columns: str) -> None:
    for column in columns:
        op.drop_column(table, column)
