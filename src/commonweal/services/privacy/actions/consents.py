"""What a person decides about who sees what."""

from typing import Any

from commonweal.platform import Work
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions.duties import admitted, asker, moment, must_decide_for
from commonweal.services.privacy.rules import consents, people
from commonweal.services.privacy.rules.consents import Choice

Json = dict[str, Any]
WISH = "the person's decision"


async def give(work: Work, patient: str, choice: Choice) -> Stored:
    """It holds from now on."""
    await must_decide_for(work, patient)
    today = queries.today(work)
    latest = people.years_after(today, work.parameter("consent_years_most", work.now()))
    admitted(consents.may_be_given(choice, today, latest), "Consent")
    return await work.save(consents.given(patient, choice, asker(work), moment(work)), because=WISH)
