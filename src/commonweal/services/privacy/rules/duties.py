"""The duties of privacy: when an access may be opened, and when one of them is answered; tasks in, decisions out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commonweal.platform import Decision, decide

Json = dict[str, Any]

TASK = "urn:commonweal:privacy:task"
"""Code system of the kinds of tasks, of their states, and of the names of their inputs and outputs."""
REASON = "urn:commonweal:privacy:emergency-reason"
REASONS = ("unconscious", "life-threatening", "urgent-transfer", "danger-to-others")
SLACK = timedelta(minutes=2)
"""By so much a clock may differ."""
FIXED = ("for", "requester", "reasonCode", "input", "authoredOn")
"""What is never said anew of an access that was opened."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when an emergency access is written: the time, the numbers in force, the version before this
    one, and the notice that it names."""

    now: datetime
    seconds: int
    letters: int
    before: Json | None = None
    notice: Json | None = None


def may_be_opened(task: Json, known: Opening) -> Decision:
    """May this access be opened, or written again? What it allowed may be made shorter, and nothing else."""
    if known.before is not None:
        return _is_no_wider(task, known.before)
    start, end = opened(task)
    timely = start is not None and abs(start - known.now) <= SLACK
    short = start is not None and end is not None and end - start <= timedelta(seconds=known.seconds)
    return may_be_asked(task, known.letters) & decide(
        (_type(task, "for") == "Patient", "it does not say whose record is opened"),
        (_type(task, "requester") == "Practitioner", "it does not say who opens it"),
        (timely, "it begins when it is asked for"),
        (short, "it is open for longer than an emergency access may be"),
        (tells(known.notice, task), "the person is told of it"),
    )


def may_be_asked(task: Json, letters: int) -> Decision:
    """Is its reason one that can be reviewed: a code, and words of its own?"""
    said = " ".join(task.get("reasonCode", {}).get("text", "").split())
    return decide(
        (coded(task.get("reasonCode", {}), REASON) in REASONS, "choose what kind of emergency it is"),
        (len(said) >= letters, "say in words of your own why it cannot wait"),
    )


def may_go_on(text: str, earlier: list[Json]) -> Decision:
    """May an access be followed by another? By a new reason only. `earlier`: those that are open."""
    said = {"".join(each["reasonCode"]["text"].split()) for each in earlier}
    return decide(("".join(text.split()) not in said, "it is open already; to go on, say a new reason"))


def may_be_objected(there: bool, asked: bool) -> Decision:
    """May somebody be asked to find out about an access?"""
    return decide(
        (there, "there is no such access to this record"),
        (not asked, "somebody is finding out about this access already"),
    )


def _is_no_wider(task: Json, before: Json) -> Decision:
    (start, end), (began, ended) = opened(task), opened(before)
    same = all(task.get(each) == before.get(each) for each in FIXED) and start == began
    shorter = end is not None and ended is not None and end <= ended
    return decide(
        (same, "what was said when it was opened stays as it is"),
        (shorter, "an access is made longer only by opening another, with a new reason"),
    )


def opened(task: Json) -> tuple[datetime | None, datetime | None]:
    """From when until when an access is open."""
    period = task.get("restriction", {}).get("period", {})
    return _instant(period.get("start")), _instant(period.get("end"))


def is_open(task: Json, now: datetime) -> bool:
    """Does this access allow anything now? The second in which it ends is still its own."""
    start, end = opened(task)
    return start is not None and end is not None and start <= now < end + timedelta(seconds=1)


def is_going_on(encounter: Json, now: datetime) -> bool:
    """Has the end of this encounter, if it is known, not come yet?"""
    end = _instant(encounter.get("period", {}).get("end"))
    return end is None or now <= end


def ended(task: Json, now: datetime) -> Json:
    """Its restriction, ended with the last second; one that was opened within it lasts for that second."""
    start, _ = opened(task)
    last = max(filter(None, (start, now - timedelta(seconds=1))))
    period = task["restriction"]["period"] | {"end": f"{last:%Y-%m-%dT%H:%M:%SZ}"}
    return {"period": period}


def tells(notice: Json | None, task: Json) -> bool:
    """Does this notice go to the one whom the task is about?"""
    return notice is not None and notice.get("subject", {}).get("reference") == task["for"]["reference"]


def may_be_answered(task: Json) -> Decision:
    """May it be called answered? The person it is about can read what was found."""
    return decide((any(given(task, "finding", "output")), "it does not say what was found"))


def may_wait(task: Json, _: object = None) -> Decision:
    """May this duty stand? It says whose it is, why, and by when somebody answers; its two states agree."""
    closed = coded(task.get("businessStatus", {}), TASK) != "waiting"
    return decide(
        (_type(task, "for") == "Patient", "it does not say whose record it is about"),
        (task.get("reasonCode"), "it does not say why it is here"),
        (task.get("owner"), "it has no owner"),
        (given(task, "until"), "it has no deadline"),
        (
            task.get("status") == ("completed" if closed else "requested"),
            "its two states contradict each other",
        ),
    )


def coded(concept: Json, system: str) -> str:
    """The code of a concept in a system; "" where there is none."""
    return next((c.get("code", "") for c in concept.get("coding", ()) if c.get("system") == system), "")


def given(task: Json, name: str, element: str = "input") -> list[Any]:
    """The values of the inputs (or outputs) of a name."""
    return [
        value
        for each in task.get(element, [])
        if coded(each["type"], TASK) == name
        for key, value in each.items()
        if key.startswith("value")
    ]


def raised(task: Json, overdue: bool) -> str:
    """How urgent a duty is once its time runs out: never less than it was."""
    return "asap" if overdue else max(task.get("priority", "routine"), "urgent", key=PRIORITIES.index)


PRIORITIES = ("routine", "urgent", "asap", "stat")
"""In rising order: https://hl7.org/fhir/R4/valueset-request-priority.html."""


def _type(task: Json, element: str) -> str:
    type, slash, id = str(task.get(element, {}).get("reference", "")).partition("/")
    return type if slash and id else ""


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
