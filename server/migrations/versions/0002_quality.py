"""Quality records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLE = "quality_sittings"
SPANS = (
    "frozen_ms",
    "watched_ms",
    "concealed_ms",
    "heard_ms",
    "good_ms",
    "fair_ms",
    "poor_ms",
    "lost_ms",
    "server_ms",
)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("interview_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("path", sa.String(8), nullable=True),
        sa.Column("join_ms", sa.Integer(), nullable=True),
        sa.Column("first_frame_ms", sa.Integer(), nullable=True),
        sa.Column("reconnects", sa.Integer(), nullable=False),
        sa.Column("freezes", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SPANS),
        sa.Column("rtt_ms", sa.Integer(), nullable=True),
        sa.Column("loss_up_ratio", sa.Float(), nullable=True),
        sa.Column("loss_down_ratio", sa.Float(), nullable=True),
        sa.Column("step_ms", sa.Integer(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"fk_{TABLE}_{column}", ondelete="CASCADE"
            )
            for column, table in (
                ("interview_id", "interviews"),
                ("participant_id", "participants"),
            )
        ),
    )
    for column in ("interview_id", "participant_id", "seen_at"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


def downgrade() -> None:
    op.drop_table(TABLE)
