"""The tables of interviews."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hr.database import Base, UtcDateTime


class InterviewRow(Base):
    __tablename__ = "interviews"
    __table_args__ = (Index("ix_interviews_by_start", "organisation_id", "starts_at", "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(120))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    rounds: Mapped[list["RoundRow"]] = relationship(
        order_by="RoundRow.position", cascade="all, delete-orphan", lazy="raise"
    )
    participants: Mapped[list["ParticipantRow"]] = relationship(
        order_by="ParticipantRow.position", cascade="all, delete-orphan", lazy="raise"
    )


class RoundRow(Base):
    __tablename__ = "rounds"
    __table_args__ = (UniqueConstraint("interview_id", "position"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    interview_id: Mapped[str] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    admission: Mapped[str] = mapped_column(String(16))


class ParticipantRow(Base):
    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("interview_id", "position"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    interview_id: Mapped[str] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    round_id: Mapped[str | None] = mapped_column(ForeignKey("rounds.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    link_version: Mapped[int] = mapped_column(default=0)
    """The version that a link must carry to be valid; raising it revokes those before."""
