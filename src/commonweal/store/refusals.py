"""Why a write is refused by a reach: words that are the same whatever the record holds; both stores use them."""

from commonweal.access.reach import Reach
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change
from commonweal.store import masking


def not_there(change: Change) -> Problem:
    """What is changed is out of reach, or is not there at all."""
    return Problem.not_found(change.type, change.id)


def elsewhere() -> Problem:
    """What would be written is about what is out of reach, whether that is there or not."""
    return Problem.forbidden(["You may not write about this person, place or organization."])


def in_part(change: Change, reach: Reach) -> Problem | None:
    """Whoever sees a resource without its masked elements would take them away by replacing it."""
    if change.method == "update" and masking.hides(change.type, reach):
        return Problem.forbidden([f"You see a {change.type} only in part, so you may not replace it."])
    return None
