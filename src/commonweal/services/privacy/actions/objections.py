"""A person does not know an access to the record."""

from datetime import UTC, datetime

from commonweal.fhir.outcome import Problem
from commonweal.platform import Work
from commonweal.platform.journal import Asked
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions.duties import duty, must_decide_for, said
from commonweal.services.privacy.rules import duties


async def object_to(work: Work, patient: str, key: str, words: str) -> Stored:
    """Somebody is to find out about an access (by its key in the journal); once for each."""
    await must_decide_for(work, patient)
    entry = next(iter(await work.journal(Asked(patient=patient, key=key, limit=1))), None) if key else None
    if entry is None:
        raise Problem.of("cw-business-rule", "Parameters", why="there is no such access to this record")
    if any(key in duties.given(each, "access") for each in await queries.about(work, patient)):
        raise Problem.conflict("somebody is finding out about this access already")
    when = f"{datetime.fromtimestamp(entry.at / 1_000_000, UTC):%Y-%m-%d %H:%M}"
    reason = {"text": words or f"{entry.agent}, {when} UTC"}
    told = [said("access", valueString=key), said("agent", valueString=entry.agent)]
    return await work.save(
        duty(work, "access-objection", patient, reason, told), because="an access is not known"
    )
