"""When delivery was last at work

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
    op.create_table(
        "delivery_heartbeat",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_delivery_heartbeat_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_heartbeat")),
    )


def downgrade() -> None:
    op.drop_table("delivery_heartbeat")
