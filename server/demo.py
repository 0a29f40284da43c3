"""A fresh interview to try the product with: two rounds, an interviewer each, one candidate."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hr.interviews.schemas import NewInterview, NewParticipant, NewRound
from hr.interviews.service import InterviewService
from hr.links.service import LinkService

LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Demo:
    """The secrets of the demo's links, by what they are for."""

    interview_id: str
    hr: str = field(repr=False)
    interviewer: str = field(repr=False)
    interviewer_2: str = field(repr=False)
    candidate: str = field(repr=False)


async def make_demo(interviews: InterviewService, links: LinkService, now: datetime) -> Demo:
    interview = await interviews.create(
        NewInterview(
            title="前端工程师 Frontend Engineer",
            starts_at=now,
            ends_at=now + LIFETIME,
            rounds=(NewRound(title="初面"), NewRound(title="复面")),
            participants=(
                NewParticipant(name="李明", role="candidate", round=0),
                NewParticipant(name="王芳", role="interviewer", round=0),
                NewParticipant(name="陈静", role="interviewer", round=1),
            ),
        )
    )
    issued = await links.issue_all(interview)
    hr = await links.issue_hr("HR", LIFETIME)
    candidate, first, second = (issued[one.id].secret for one in interview.participants)
    return Demo(interview.id, hr.secret, first, second, candidate)
