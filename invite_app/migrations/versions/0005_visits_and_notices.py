"""When members were last here, and messages that tell a member of an invitation

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Each in the form in which the application writes it, so that both are equal; a column added with its value
    # leaves the table where it is, and its triggers on it.
    is_sqlite = op.get_context().dialect.name == "sqlite"
    never = "1970-01-01 00:00:00.000000" if is_sqlite else "1970-01-01 00:00:00+00"
    op.add_column(
        "memberships",
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False, server_default=never),
    )
    op.execute(
        "UPDATE memberships SET last_seen_at = (SELECT max(sessions.last_seen_at) FROM sessions"
        " WHERE sessions.user_id = memberships.user_id) WHERE user_id IN (SELECT user_id FROM sessions)"
    )
    op.create_index("ix_memberships_by_visit", "memberships", ["organization_id", "last_seen_at", "id"])
    with op.batch_alter_table("outbox_messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("about_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_outbox_messages_about_id_invitations"),
            "invitations",
            ["about_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_index(batch_op.f("ix_outbox_messages_about_id"), ["about_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("outbox_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_messages_about_id"))
        batch_op.drop_constraint(batch_op.f("fk_outbox_messages_about_id_invitations"), type_="foreignkey")
        batch_op.drop_column("about_id")
    op.drop_index("ix_memberships_by_visit", table_name="memberships")
    op.execute("ALTER TABLE memberships DROP COLUMN last_seen_at")
