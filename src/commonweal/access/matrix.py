"""Who may do what, as one table: roles across, permissions down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonweal.access.permission import Permission
from commonweal.access.roles import ROLES, SYSTEM, Role


@dataclass(frozen=True, slots=True)
class Row:
    """One permission, and the names of the roles that hold it."""

    permission: Permission
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`roles` by name, in the order in which they are declared; a role that only a permission names comes last."""

    roles: tuple[str, ...]
    rows: tuple[Row, ...]

    def of(self, role: str) -> tuple[Permission, ...]:
        """What one role may do."""
        return tuple(row.permission for row in self.rows if role in row.held)


def matrix(permissions: Iterable[Permission], roles: Mapping[str, Role] = ROLES) -> Matrix:
    """The table of these permissions; without the platform itself, which may do all.

    >>> table = matrix([Permission("dose.give", "Give a dose", ("clinician",))])
    >>> [row.permission.name for row in table.rows if "clinician" in row.held]
    ['dose.give']
    """
    rows = tuple(Row(each, frozenset(each.roles)) for each in permissions)
    others = sorted({name for row in rows for name in row.held} - roles.keys())
    return Matrix(tuple(name for name in (*roles, *others) if name != SYSTEM), rows)
