"""The platform as boot puts it together: handed to api, web and handlers, which begin with `work` or `run`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.platform.parts import Parts
from commonweal.platform.unit import Unit
from commonweal.platform.work import Work

Result = TypeVar("Result")
TRIES = 4
"""How often one thing is begun before it is told that others are in its way."""


@dataclass(frozen=True, slots=True)
class Platform(Parts):
    """Its parts, and the two ways to do something with them."""

    def work(self, agent: Agent, id: str | None = None, *, single: bool = False) -> Unit:
        """A unit of work, used as `async with platform.work(agent) as work:`; `id` is the request's id.

        `single`: it does one thing, so that a plain write is one statement.
        """
        return Unit(self, agent, id or self.new_id(), single)

    async def run(
        self,
        agent: Agent,
        block: Callable[[Work], Awaitable[Result]],
        id: str | None = None,
        *,
        single: bool = False,
    ) -> Result:
        """Run a block in a work of its own; again, in a new one, when another transaction was in its way.

        So the block must do nothing that its work does not undo.
        """
        id = id or self.new_id()
        for _ in range(TRIES - 1):
            try:
                async with self.work(agent, id, single=single) as work:
                    result = await block(work)
            except Problem as problem:
                if not problem.again:
                    raise
            else:
                return result
        async with self.work(agent, id, single=single) as work:
            result = await block(work)
        return result
