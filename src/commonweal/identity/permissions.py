"""What may be done about accounts, roles and apps; boot declares it beside the permissions of the record."""

from commonweal.access.permission import Permission
from commonweal.access.roles import (
    ACCESS_MANAGER,
    ANONYMOUS,
    AUDITOR,
    OPERATOR,
    PRIVACY_OFFICER,
    REGISTRAR,
    ROLES,
    SYSTEM,
)

EVERYBODY = tuple(name for name in ROLES if name not in (ANONYMOUS, SYSTEM))
"""Whoever can sign in."""

OWN, MANAGE, HELP, APPS, MATRIX = (
    "account.own", "access.manage", "access.help", "access.apps", "access.matrix",
)  # fmt: skip

PERMISSIONS = (
    Permission(OWN, "Look after one's own account, sessions and apps", EVERYBODY),
    Permission(MANAGE, "Give people accounts and roles, and take them away", (OPERATOR, ACCESS_MANAGER)),
    Permission(HELP, "Help residents in person to sign in", (OPERATOR, ACCESS_MANAGER, REGISTRAR)),
    Permission(APPS, "Register apps and partner systems, and switch them off", (OPERATOR, ACCESS_MANAGER)),
    Permission(MATRIX, "See which role may do what", (OPERATOR, ACCESS_MANAGER, AUDITOR, PRIVACY_OFFICER)),
)
