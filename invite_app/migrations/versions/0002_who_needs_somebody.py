"""Who needs somebody, and the orders of the list of invitations

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEEDS_YOU = (
    "asked_at IS NOT NULL OR (ended_at IS NULL AND (inviter_lost_right OR role_id IS NULL OR no_seat_at IS NOT NULL"
    " OR undelivered_at IS NOT NULL OR (wrong_account_at IS NOT NULL AND opened_at IS NULL)))"
)


def upgrade() -> None:
    # SQLite adds no stored column to a table that has rows, and needs none: the index holds the value.
    is_stored = op.get_context().dialect.name != "sqlite"
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("undelivered_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE invitations SET undelivered_at = (SELECT next_attempt_at FROM outbox_messages"
        " WHERE outbox_messages.invitation_id = invitations.id AND outbox_messages.state = 'failed')"
        " WHERE id IN (SELECT invitation_id FROM outbox_messages WHERE state = 'failed')"
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("needs_you", sa.Boolean(), sa.Computed(NEEDS_YOU, persisted=is_stored), nullable=False)
        )
        batch_op.drop_index(
            "ix_invitations_overdue",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_invitations_by_need", ["organization_id", "state", "needs_you", "created_at", "id"], unique=False
        )
        batch_op.create_index("ix_invitations_by_end", ["organization_id", "state", "expires_at", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index("ix_invitations_by_end")
        batch_op.drop_index("ix_invitations_by_need")
        batch_op.create_index(
            "ix_invitations_overdue",
            ["organization_id", "expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
    # Plain statements: SQLite would copy the table, which it cannot do with a computed column.
    op.execute("ALTER TABLE invitations DROP COLUMN needs_you")
    op.execute("ALTER TABLE invitations DROP COLUMN undelivered_at")
