"""Mark pending invitations to addresses that the organization no longer allows

Revision: 0009
Follows: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEX = ("ix_invitations_by_need", "invitations", ["organization_id", "state", "needs_you", "created_at", "id"])
BEFORE = (
    "asked_at IS NOT NULL OR (ended_at IS NULL AND (inviter_lost_right OR role_id IS NULL OR no_seat_at IS NOT NULL"
    " OR undelivered_at IS NOT NULL OR (wrong_account_at IS NOT NULL AND opened_at IS NULL)))"
)
AFTER = (
    "asked_at IS NOT NULL OR (ended_at IS NULL AND (inviter_lost_right OR role_id IS NULL OR domain_not_allowed"
    " OR no_seat_at IS NOT NULL OR undelivered_at IS NOT NULL"
    " OR (wrong_account_at IS NOT NULL AND opened_at IS NULL)))"
)
MARK = {
    "sqlite": "json_array_length(allowed_domains) > 0 AND NOT EXISTS (SELECT 1 FROM json_each(allowed_domains)"
    " WHERE value = substr(invitations.email, instr(invitations.email, '@') + 1))",
    "postgresql": "jsonb_array_length(allowed_domains) > 0"
    " AND NOT jsonb_exists(allowed_domains, split_part(invitations.email, '@', 2))",
}


def upgrade() -> None:
    op.add_column(
        "invitations", sa.Column("domain_not_allowed", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.execute(
        "UPDATE invitations SET domain_not_allowed = true WHERE state = 'pending' AND EXISTS (SELECT 1"  # noqa: S608 - constants
        f" FROM organizations WHERE organizations.id = invitations.organization_id AND {MARK[_dialect()]})"
    )
    _compute(AFTER)


def downgrade() -> None:
    _compute(BEFORE)
    op.execute("ALTER TABLE invitations DROP COLUMN domain_not_allowed")


def _compute(needs_you: str) -> None:
    """Replace the computed column, which no database lets change in place, with its index.

    Plain statements: SQLite would copy the table, which it cannot do with a computed column, and it adds no stored
    column to a table that has rows.
    """
    op.drop_index(INDEX[0], table_name="invitations")
    op.execute("ALTER TABLE invitations DROP COLUMN needs_you")
    computed = sa.Computed(needs_you, persisted=_dialect() != "sqlite")
    op.add_column("invitations", sa.Column("needs_you", sa.Boolean(), computed, nullable=False))
    op.create_index(*INDEX)


def _dialect() -> str:
    return op.get_context().dialect.name
