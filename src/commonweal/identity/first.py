"""The first run: one operator, whose password is made here and shown once."""

from commonweal.access.roles import OPERATOR
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts
from commonweal.identity.finishing import ITSELF
from commonweal.identity.house import Identity

LOGIN = "operator"


async def first_operator(identity: Identity) -> tuple[str, str] | None:
    """Login and password when there was no account at all; None ever after. The first sign-in changes the password and
    adds a second factor."""
    if await accounts.page(identity, limit=1):
        return None
    try:
        account, password = await accounts.invite(identity, ITSELF, login=LOGIN, name="Operator")
    except Problem as problem:
        if problem.status != 409:
            raise
        return None  # another process was first
    await accounts.assign(identity, ITSELF, account.id, OPERATOR, because="first run of this installation")
    return LOGIN, password
