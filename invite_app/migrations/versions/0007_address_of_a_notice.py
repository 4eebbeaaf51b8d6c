"""An address of its own for a message, such as the one that an account has left

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("email", sa.String(length=254), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox_messages", "email")
