"""Gate 1: may this agent do this?"""

from commonweal.access.agent import Agent
from commonweal.access.policy import Policy
from commonweal.fhir.outcome import Problem


def permitted(policy: Policy, agent: Agent, interaction: str) -> None:
    """Problem 403 with the reasons when the agent may not do "Type.interaction"."""
    decision = policy.may(agent, interaction)
    if not decision:
        raise Problem.forbidden(decision.reasons)
