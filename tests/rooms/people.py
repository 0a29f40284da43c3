"""An interview with people to play with."""

from rooms.interview import LiveInterview, Outcome
from rooms.ports import Admission, InterviewSpec, RoundSpec
from rooms.room.model import Person, Role

CANDIDATE = Person("cai", "蔡", "candidate")
INTERVIEWER = Person("ida", "Ida", "interviewer")
SECOND = Person("ivo", "Ivo", "interviewer")
OBSERVER = Person("ole", "Ole", "observer")
HR = Person("hua", "Hua", "hr")

BY_ROLE: dict[Role, Person] = {
    person.role: person for person in (CANDIDATE, INTERVIEWER, OBSERVER, HR)
}
FOREVER_MS = 2**50


def interview(
    *, admission: Admission = "manual", rounds: int = 2, observers_hidden: bool = False
) -> InterviewSpec:
    return InterviewSpec(
        "i1",
        "Engineer",
        tuple(RoundSpec(f"r{n}", f"Round {n}", admission) for n in range(1, rounds + 1)),
        opens_at_ms=0,
        closes_at_ms=FOREVER_MS,
        observers_hidden=observers_hidden,
    )


def seated(*people: tuple[Person, str], admission: Admission = "manual") -> LiveInterview:
    """An interview with these people entered in these rounds, in order, at time 0."""
    live = LiveInterview(interview(admission=admission))
    for person, round_id in people:
        live.enter(person, round_id, 0)
    return live


def events(outcomes: list[Outcome], round_id: str) -> list[object]:
    """The events of one round among the outcomes."""
    return [
        recorded.event
        for outcome in outcomes
        if getattr(outcome, "round", None) == round_id
        for recorded in outcome.recorded  # type: ignore[union-attr]
    ]
