"""The duties of privacy: which state may follow which, and by when."""

from collections.abc import Mapping
from dataclasses import dataclass

from commonweal.platform import Deadline, Kind, Move, Workflow
from commonweal.services.privacy.rules import duties

OPEN, OBJECT, CONTEST, REVIEW = "emergency.open", "access.object", "guardian.contest", "privacy.review"
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Duty:
    """A kind of task that the privacy officer answers: who may open it, how it may be answered, within what time."""

    name: str
    by: str
    answers: tuple[str, ...]
    limit: str
    follow: str = ""
    """The answer from which a follow-up comes."""


DUTIES: Mapping[str, Duty] = {
    each.name: each
    for each in (
        Duty(
            "emergency-access",
            OPEN,
            ("justified", "not-justified"),
            "emergency_review_seconds",
            "not-justified",
        ),
        Duty(
            "access-objection",
            OBJECT,
            ("in-order", "not-in-order"),
            "objection_answer_seconds",
            "not-in-order",
        ),
        Duty("guardian-conflict", CONTEST, ("decided",), "guardian_conflict_seconds"),
        Duty("access-follow-up", REVIEW, ("closed",), "access_follow_up_seconds"),
    )
}


def _kind(name: str) -> Kind:
    matches = f"code.coding.where(system = '{duties.TASK}' and code = '{name}').exists()"
    return Kind("Task", name, matches=matches)


EMERGENCY, OBJECTION, CONFLICT, FOLLOW_UP = TASKS = tuple(map(_kind, DUTIES))
NOTICE = Kind(
    "CommunicationRequest",
    "privacy-notice",
    matches=f"category.coding.where(system = '{duties.TASK}' and code = 'notice').exists()",
)
KINDS = (*TASKS, NOTICE)


def _answered(duty: Duty) -> Workflow:
    return Workflow(
        kind=f"Task: {duty.name}",
        state="Task.businessStatus.coding.code",
        moves=[
            Move(None, WAITING, by=duty.by),
            *(
                Move(WAITING, answer, by=REVIEW, when=duties.may_be_answered, topic=f"{duty.name}.{answer}")
                for answer in duty.answers
            ),
        ],
        deadlines=[
            Deadline(WAITING, duty.limit, breach=f"{duty.name}.overdue", warning=f"{duty.name}.due-soon")
        ],
    )


WORKFLOWS = tuple(map(_answered, DUTIES.values()))
ALARMS = tuple(f"{name}.{alarm}" for name in DUTIES for alarm in ("due-soon", "overdue"))
"""Topics told of a duty whose time runs out."""
