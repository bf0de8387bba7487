"""A permission: `noun.verb`, a sentence, what it allows and the roles that have it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing a role may do; whatever no permission allows is denied.

    `allows` lists interactions as "Type.interaction" (read, search, history, create, update, delete) or
    "Type/$operation"; "*" stands for any type or any interaction.
    `app`: the letters ("rs") that some scope of an app must hold for a person or partner to do this by name through
    it; None: never through an app. What `allows` lists is asked of the scopes by type and interaction instead.
    """

    name: str
    sentence: str
    roles: tuple[str, ...]
    allows: tuple[str, ...] = ()
    app: str | None = None
