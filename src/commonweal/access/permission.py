"""A permission: `noun.verb`, a sentence, what it allows and the roles that have it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing a role may do; whatever no permission allows is denied.

    `allows` lists interactions as "Type.interaction" (read, search, history, create, update, delete) or
    "Type/$operation"; "*" stands for any type or any interaction.
    """

    name: str
    sentence: str
    roles: tuple[str, ...]
    allows: tuple[str, ...] = ()
