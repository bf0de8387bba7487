"""A person does not know an access to the record."""

from datetime import UTC, datetime

from commonweal.platform import Work
from commonweal.platform.journal import Asked
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions.duties import admitted, duty, must_decide_for, said
from commonweal.services.privacy.rules import duties


async def object_to(work: Work, patient: str, key: str, words: str) -> Stored:
    """Somebody is to find out about an access (by its key in the journal); once for each."""
    await must_decide_for(work, patient)
    entry = next(iter(await work.journal(Asked(patient=patient, key=key, limit=1))), None) if key else None
    asked = any(key in duties.given(each, "access") for each in await queries.about(work, patient))
    admitted(duties.may_be_objected(entry is not None, asked), "Task")
    assert entry is not None
    when = f"{datetime.fromtimestamp(entry.at / 1_000_000, UTC):%Y-%m-%d %H:%M}"
    reason = {"text": words or f"{entry.agent}, {when} UTC"}
    told = [said("access", valueString=key), said("agent", valueString=entry.agent)]
    return await work.save(
        duty(work, "access-objection", patient, reason, told), because="an access is not known"
    )
