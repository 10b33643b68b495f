"""Usage is counted by entities of any kind and length, no longer by districts of six digits.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.rename_table("districts_asked", "entities_asked")
    with op.batch_alter_table("entities_asked") as table:
        table.alter_column(
            "ubigeo", new_column_name="entity", type_=sa.Text(), existing_type=sa.String(6)
        )


def downgrade() -> None:
    # The text stays long: no count of an entity with a longer name is lost.
    with op.batch_alter_table("entities_asked") as table:
        table.alter_column("entity", new_column_name="ubigeo", existing_type=sa.Text())
    op.rename_table("entities_asked", "districts_asked")
