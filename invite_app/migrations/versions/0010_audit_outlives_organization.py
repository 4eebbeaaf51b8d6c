"""The audit log of an organization outlives it

Revision: 0010
Follows: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FOREIGN_KEY = "fk_audit_events_organization_id_organizations"
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%audit_events%'"
ORPHANS = "DELETE FROM audit_events WHERE organization_id NOT IN (SELECT id FROM organizations)"


def upgrade() -> None:
    triggers = take_triggers()
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_constraint(FOREIGN_KEY, type_="foreignkey")
    make_triggers(triggers)


def downgrade() -> None:
    op.execute(ORPHANS)
    triggers = take_triggers()
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_foreign_key(FOREIGN_KEY, "organizations", ["organization_id"], ["id"], ondelete="CASCADE")
    make_triggers(triggers)


def take_triggers() -> dict[str, str]:
    """Drop the triggers of migration 0003 before SQLite copies their table, and return how they are made."""
    if op.get_context().dialect.name != "sqlite":
        return {}
    triggers = {trigger.name: trigger.sql for trigger in op.get_bind().exec_driver_sql(TRIGGERS)}
    for name in triggers:
        op.get_bind().exec_driver_sql(f"DROP TRIGGER {name}")
    return triggers


def make_triggers(triggers: dict[str, str]) -> None:
    for statement in triggers.values():
        op.get_bind().exec_driver_sql(statement)
