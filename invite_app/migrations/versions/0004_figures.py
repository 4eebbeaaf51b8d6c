"""Figures of inviting per week, kept by triggers, and indexes for more orders and filters of lists

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WEEKS = {
    "sqlite": "date(substr({}, 1, 10), 'weekday 0', '-6 days')",
    "postgresql": "CAST(date_trunc('week', {} AT TIME ZONE 'UTC') AS date)",
}

# What invitations add to the figures of weeks: `{rows}` is a table, or one row, of invitations.
SHARES = """
SELECT organization_id, week, sum(sent) AS sent, sum(accepted) AS accepted, sum(accepted_of_sent) AS accepted_of_sent
FROM (
  SELECT organization_id, {created} AS week, 1 AS sent, 0 AS accepted,
    CASE WHEN state = 'accepted' THEN 1 ELSE 0 END AS accepted_of_sent FROM {rows}
  UNION ALL
  SELECT organization_id, {ended}, 0, 1, 0 FROM {rows} WHERE state = 'accepted' AND ended_at IS NOT NULL
) AS shares WHERE true GROUP BY organization_id, week
"""
ADD = """
INSERT INTO weekly_figures (organization_id, week, sent, accepted, accepted_of_sent) {shares}
ON CONFLICT (organization_id, week) DO UPDATE SET sent = weekly_figures.sent + excluded.sent,
  accepted = weekly_figures.accepted + excluded.accepted,
  accepted_of_sent = weekly_figures.accepted_of_sent + excluded.accepted_of_sent;
"""
TAKE = """
UPDATE weekly_figures SET sent = weekly_figures.sent - shares.sent,
  accepted = weekly_figures.accepted - shares.accepted,
  accepted_of_sent = weekly_figures.accepted_of_sent - shares.accepted_of_sent
FROM ({shares}) AS shares
WHERE weekly_figures.organization_id = shares.organization_id AND weekly_figures.week = shares.week;
"""
SQLITE_ROW = "(SELECT {0}.organization_id, {0}.created_at, {0}.ended_at, {0}.state)"
SQLITE_TRIGGERS = (
    "CREATE TRIGGER figures_added AFTER INSERT ON invitations BEGIN {add_new} END",
    """
CREATE TRIGGER figures_changed AFTER UPDATE OF state ON invitations
WHEN (old.state = 'accepted') <> (new.state = 'accepted') BEGIN {take_old} {add_new} END
""",
    "CREATE TRIGGER figures_removed AFTER DELETE ON invitations BEGIN {take_old} END",
)
# Many at once are counted at once: ten thousand changes of one figure in one transaction would be slow.
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION figures_add() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {add_many} RETURN NULL; END$$",
    "CREATE FUNCTION figures_take() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {take_many} RETURN NULL; END$$",
    """
CREATE FUNCTION figures_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {take_old} {add_new} RETURN NULL; END$$
""",
    """
CREATE TRIGGER figures_added AFTER INSERT ON invitations REFERENCING NEW TABLE AS many
FOR EACH STATEMENT EXECUTE FUNCTION figures_add()
""",
    """
CREATE TRIGGER figures_removed AFTER DELETE ON invitations REFERENCING OLD TABLE AS many
FOR EACH STATEMENT EXECUTE FUNCTION figures_take()
""",
    """
CREATE TRIGGER figures_changed AFTER UPDATE OF state ON invitations FOR EACH ROW
WHEN ((old.state = 'accepted') <> (new.state = 'accepted')) EXECUTE FUNCTION figures_change()
""",
)


def upgrade() -> None:
    op.create_table(
        "weekly_figures",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("accepted_of_sent", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_weekly_figures_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "week", name=op.f("pk_weekly_figures")),
    )
    op.create_index("ix_memberships_by_time", "memberships", ["organization_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_audit_events_by_action", "audit_events", ["organization_id", "action", "at", "id"], unique=False
    )
    kind = op.get_context().dialect.name
    row = SQLITE_ROW if kind == "sqlite" else SQLITE_ROW + " AS one"
    parts = {f"add_{name}": ADD.format(shares=_shares(row.format(name), kind)) for name in ("old", "new")}
    parts |= {f"take_{name}": TAKE.format(shares=_shares(row.format(name), kind)) for name in ("old", "new")}
    parts |= {
        "add_many": ADD.format(shares=_shares("many", kind)),
        "take_many": TAKE.format(shares=_shares("many", kind)),
    }
    op.execute(ADD.format(shares=_shares("invitations", kind)))
    for trigger in SQLITE_TRIGGERS if kind == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(trigger.format(**parts))


def downgrade() -> None:
    for trigger in ("figures_added", "figures_changed", "figures_removed"):
        is_embedded = op.get_context().dialect.name == "sqlite"
        op.execute(f"DROP TRIGGER {trigger}" if is_embedded else f"DROP TRIGGER {trigger} ON invitations")
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP FUNCTION figures_add, figures_take, figures_change")
    op.drop_index("ix_audit_events_by_action", table_name="audit_events")
    op.drop_index("ix_memberships_by_time", table_name="memberships")
    op.drop_table("weekly_figures")


def _shares(rows: str, kind: str) -> str:
    week = WEEKS[kind]
    return SHARES.format(rows=rows, created=week.format("created_at"), ended=week.format("ended_at"))
