"""An address of its own for a message, such as the one that an account has left

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("email", sa.String(length=254), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox_messages", "email")
