"""Who may do what, for what purpose, and why not.

Pure: decisions are computed from data, with reasons; nothing here reads, writes or looks at a clock.
"""

from commonweal.access.agent import ANONYMOUS, OPERATOR, SYSTEM, Agent
from commonweal.access.decision import YES, Decision, decide
from commonweal.access.permission import Permission
from commonweal.access.policy import Policy
from commonweal.access.reach import EVERYTHING, NOTHING, Grant, Reach

__all__ = [
    "ANONYMOUS",
    "EVERYTHING",
    "NOTHING",
    "OPERATOR",
    "SYSTEM",
    "YES",
    "Agent",
    "Decision",
    "Grant",
    "Permission",
    "Policy",
    "Reach",
    "decide",
]
