"""The county as fixtures, and how an operation is asked."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.platform import Draft
from commonweal.services.privacy.tests.county import COUNTY

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Json]]


@pytest.fixture
async def county(trial: Trial) -> Trial:
    """The people above, on a record in memory."""
    async with trial.work() as work:
        await work.save_all([Draft(each) for each in COUNTY], imported=True)
    return trial


@pytest.fixture
def ask(county: Trial) -> Ask:
    """Ask an operation as somebody: `await ask(DOCTOR, "Patient/$arrive", identifier="…")`."""

    async def asked(agent: Agent, name: str, **values: str | list[str]) -> Json:
        pairs = [
            (key.replace("_", "-"), each)
            for key, value in values.items()
            for each in ([value] if isinstance(value, str) else value)
        ]
        parameters = [{"name": key, "valueString": value} for key, value in pairs]
        async with county.work(agent=agent) as work:
            return await work.operation(name, {"resourceType": "Parameters", "parameter": parameters})

    return asked
