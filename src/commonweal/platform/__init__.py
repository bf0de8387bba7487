"""The words services are written in, and the ports that boot fills.

Twelve words carry everything (GLOSSARY.md): resource, definition, rule, workflow, query, action, work,
permission, topic, balance, signal, service. Each file here defines one of them.
"""

from commonweal.access import Agent, Decision, Permission, decide
from commonweal.platform.balance import OUTSIDE, Movement, reversal
from commonweal.platform.service import Admit, Every, Judgement, Kind, On, Operation, Page, Service
from commonweal.platform.signal import Signal
from commonweal.platform.topic import Notice, Position
from commonweal.platform.work import Draft, Facts, Work
from commonweal.platform.workflow import Deadline, Move, Workflow

__all__ = [
    "OUTSIDE",
    "Admit",
    "Agent",
    "Deadline",
    "Decision",
    "Draft",
    "Every",
    "Facts",
    "Judgement",
    "Kind",
    "Move",
    "Movement",
    "Notice",
    "On",
    "Operation",
    "Page",
    "Permission",
    "Position",
    "Service",
    "Signal",
    "Work",
    "Workflow",
    "decide",
    "reversal",
]
