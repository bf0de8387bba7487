"""A topic: what happened, told after commit; the only way one service reacts to another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where in the order of all commits: (transaction id, sequence). Only positions below every transaction
    still open are ever handed out, so that a reader who remembers one never skips a late commit."""

    transaction: int = 0
    sequence: int = 0

    def __str__(self) -> str:
        return f"{self.transaction}-{self.sequence}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position written by `str`; ValueError when it is none."""
        transaction, _, sequence = text.partition("-")
        return cls(int(transaction), int(sequence))


@dataclass(frozen=True, slots=True)
class Notice:
    """One delivery of a topic: ids only, never content.

    `topic` is "Type.created", "Type.updated" or "Type.deleted", or "Kind-name.move" for kinds;
    `subject` is what order is kept for: the patient when there is one, else the resource itself;
    `cause` is the id of the work that wrote it, so that a chain of reactions can be traced.
    """

    position: Position
    topic: str
    type: str
    id: str
    version: int
    subject: str
    cause: str
    attempts: int = 0
