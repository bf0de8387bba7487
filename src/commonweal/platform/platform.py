"""The platform as boot puts it together: handed to api, web and handlers, which all begin with `work`."""

from dataclasses import dataclass

from commonweal.access.agent import Agent
from commonweal.platform.parts import Parts
from commonweal.platform.unit import Unit


@dataclass(frozen=True, slots=True)
class Platform(Parts):
    """Its parts, and the one way to do something with them."""

    def work(self, agent: Agent, id: str | None = None, *, single: bool = False) -> Unit:
        """A unit of work, used as `async with platform.work(agent) as work:`; `id` is the request's id.

        `single`: it does one thing, so that a plain write is one statement.
        """
        return Unit(self, agent, id or self.new_id(), single)
