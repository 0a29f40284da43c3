"""The table of quality records."""

from datetime import datetime

from sqlalchemy import BigInteger, Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hr.database import Base, UtcDateTime


class QualitySittingRow(Base):
    """One presence; it goes with its interview, and after the time that records are kept."""

    __tablename__ = "quality_sittings"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    interview_id: Mapped[str] = mapped_column(
        ForeignKey("interviews.id", ondelete="CASCADE"), index=True
    )
    participant_id: Mapped[str] = mapped_column(
        ForeignKey("participants.id", ondelete="CASCADE"), index=True
    )
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended: Mapped[bool]
    path: Mapped[str | None] = mapped_column(String(8))
    join_ms: Mapped[int | None]
    first_frame_ms: Mapped[int | None]
    reconnects: Mapped[int]
    freezes: Mapped[int]
    frozen_ms: Mapped[int] = mapped_column(BigInteger)
    watched_ms: Mapped[int] = mapped_column(BigInteger)
    concealed_ms: Mapped[int] = mapped_column(BigInteger)
    heard_ms: Mapped[int] = mapped_column(BigInteger)
    good_ms: Mapped[int] = mapped_column(BigInteger)
    fair_ms: Mapped[int] = mapped_column(BigInteger)
    poor_ms: Mapped[int] = mapped_column(BigInteger)
    lost_ms: Mapped[int] = mapped_column(BigInteger)
    server_ms: Mapped[int] = mapped_column(BigInteger)
    rtt_ms: Mapped[int | None]
    loss_up_ratio: Mapped[float | None] = mapped_column(Float)
    loss_down_ratio: Mapped[float | None] = mapped_column(Float)
    step_ms: Mapped[int]
    points: Mapped[str] = mapped_column(Text, deferred=True)
    """JSON: a list of rows, in the order of `QualityPoint`'s fields."""
