"""Many writes as imported history: all that is sound is written, what is wrong is told with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work
from commonweal.platform.writing import Writing

Numbered = Sequence[tuple[int, Draft]]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a batch: how many are new, became a version or were there already; and by their place in
    the batch, what was wrong and why."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    wrong: Sequence[tuple[int, str]] = ()


async def settle(
    platform: Platform, agent: Agent, drafts: Sequence[Draft], because: str, id: str | None = None
) -> Settled:
    """Write the batch in one transaction, set-wise; returns after the commit.

    At the first fault each draft is judged once by itself and the sound ones are written together, so that a
    batch of nothing but faults costs two looks at each. Problem for what is no fault of a single draft.
    """
    sound, wrong = list(enumerate(drafts)), dict[int, str]()
    while sound:
        async with platform.work(agent, id, single=True) as work:
            try:
                stored = await _written(work, sound, because)
            except Exception as error:
                wrong |= _faults(platform, work, sound, error, again=bool(wrong))
            else:
                return _counted(stored, sorted(wrong.items()))
        sound = [(number, draft) for number, draft in sound if number not in wrong]
    return Settled(wrong=sorted(wrong.items()))


async def _written(work: Work, sound: Numbered, because: str) -> Sequence[Stored]:
    return await work.save_all([d for _, d in sound], because=because, skip_same=True, imported=True)


def _faults(
    platform: Platform, work: Work, sound: Numbered, error: Exception, *, again: bool
) -> dict[int, str]:
    """Whose fault it was, by number; the error itself is raised again when it was nobody's."""
    found = {} if again else dict(_judged(platform, work, sound))
    if not found:
        if not isinstance(error, Problem) or error.index is None:
            raise error
        found = {sound[error.index][0]: str(error)}
    return found


def _judged(platform: Platform, work: Work, sound: Numbered) -> Sequence[tuple[int, str]]:
    """What is wrong with each draft by itself: it is checked and its index is made, nothing is written."""
    found = []
    for number, draft in sound:
        try:
            Writing(platform, work, [draft], skip_same=True, imported=True).changes()
        except Exception as error:
            found.append((number, str(error) if isinstance(error, Problem) else f"cannot be kept: {error!r}"))
    return found


def _counted(stored: Sequence[Stored], wrong: Sequence[tuple[int, str]]) -> Settled:
    methods = [each.method for each in stored]
    return Settled(methods.count("create"), methods.count("update"), methods.count("found"), wrong)
