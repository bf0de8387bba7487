"""`commonweal user …`: who can sign in, and in which roles; also while the platform runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import click

from commonweal.access.agent import Agent
from commonweal.access.roles import OPERATOR, ROLES
from commonweal.boot.assembly import opened
from commonweal.boot.settings import Settings
from commonweal.identity import accounts, sessions
from commonweal.identity.account import STAFF, Account, Assignment
from commonweal.identity.accounts import UNASSIGNED
from commonweal.identity.drawers import FOREVER
from commonweal.identity.house import SECOND, Identity
from commonweal.identity.phones import hidden

BY = Agent("operator", frozenset({OPERATOR}), ROLES[OPERATOR].purpose, name="command line")
"""As whom the audit knows what is done here."""
ASSIGNED = sorted(set(ROLES) - UNASSIGNED)


@click.group("user")
def command() -> None:
    """Accounts: who can sign in, in which roles, and what is signed in now."""


data_option = click.option("--data", help="Data folder of the installation.")
because_option = click.option("--because", default="", help="Why; the audit keeps it.")
login_argument = click.argument("login")


@command.command("add")
@login_argument
@click.option("--name", default="", help="The person's name.")
@click.option("--practitioner", default="", help="Who this is in the record: Practitioner/id.")
@click.option("--language", default="en", show_default=True)
@data_option
def add(login: str, name: str, practitioner: str, language: str, data: str | None) -> None:
    """Make an account of staff and print its first password, this once; give it roles with `assign`."""

    async def done(identity: Identity) -> str:
        account, password = await accounts.invite(
            identity, BY, login=login, name=name, reference=practitioner, language=language
        )
        return f"{account.login}\t{password}"

    _run(data, done)


@command.command("list")
@click.option("--residents", is_flag=True, help="Those who sign in with a phone, instead of staff.")
@data_option
def list_all(residents: bool, data: str | None) -> None:
    """Accounts with what they may act in: login, state, who it is, name, roles."""

    async def done(identity: Identity) -> None:
        async for account in _all(identity):
            if (account.kind != STAFF) == residents:
                click.echo(_told(account, identity.now()))

    _run(data, done)


@command.command("disable")
@login_argument
@because_option
@data_option
def disable(login: str, because: str, data: str | None) -> None:
    """Nobody signs in with it any more; its sessions end within seconds."""
    _change(data, login, lambda identity, id: accounts.disable(identity, BY, id, because), "disabled")


@command.command("enable")
@login_argument
@because_option
@data_option
def enable(login: str, because: str, data: str | None) -> None:
    """It can be used again."""
    _change(data, login, lambda identity, id: accounts.enable(identity, BY, id, because), "enabled")


@command.command("assign")
@login_argument
@click.argument("role", type=click.Choice(ASSIGNED))
@click.option("--organization", default="", help="For which it acts: Organization/id.")
@click.option("--area", "areas", multiple=True, help="Where it acts: Location/id; may be given again.")
@click.option("--since", type=click.DateTime(), help="From this day on (UTC).")
@click.option("--until", type=click.DateTime(), help="Before this day (UTC).")
@click.option("--clearance", "clearances", multiple=True, help="A sensitivity label: system|code.")
@because_option
@data_option
def assign(
    login: str,
    role: str,
    organization: str,
    areas: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    clearances: tuple[str, ...],
    because: str,
    data: str | None,
) -> None:
    """Let a person act in a role; prints the assignment's id."""

    async def done(identity: Identity) -> str:
        account = await _named(identity, login)
        made = await accounts.assign(
            identity,
            BY,
            account.id,
            role,
            organization=organization,
            areas=areas,
            since=_instant(since, 0),
            until=_instant(until, FOREVER),
            clearances=clearances,
            because=because,
        )
        return f"{account.login}\t{made.id}"

    _run(data, done)


@command.command("unassign")
@login_argument
@click.argument("assignment")
@because_option
@data_option
def unassign(login: str, assignment: str, because: str, data: str | None) -> None:
    """Take an assignment (its id, as `list` prints it) away; sessions that act in it end within seconds."""
    _change(
        data,
        login,
        lambda identity, id: accounts.unassign(identity, BY, id, assignment, because),
        f"no longer has {assignment}",
    )


@command.command("reset")
@login_argument
@click.option("--because", required=True, help="Why, and how the person was recognised; the audit keeps it.")
@click.option("--factors", is_flag=True, help="Take the app, passkeys and recovery codes away, too.")
@data_option
def reset(login: str, because: str, factors: bool, data: str | None) -> None:
    """Print a new first password, this once; all sessions end within seconds."""

    async def done(identity: Identity) -> str:
        account = await _named(identity, login)
        password = await accounts.reset(identity, BY, account.id, because, factors=factors)
        return f"{account.login}\t{password}"

    _run(data, done)


@command.command("sessions")
@login_argument
@data_option
def list_sessions(login: str, data: str | None) -> None:
    """Where this person is signed in: id, last used, device, network."""

    async def done(identity: Identity) -> None:
        account = await _named(identity, login)
        for each in await sessions.list(identity, account.id):
            used = datetime.fromtimestamp(each.used // SECOND, UTC).isoformat(" ", "minutes")
            click.echo(f"{each.id[:SHOWN]}\t{used}\t{each.device or '-'}\t{each.address or '-'}")

    _run(data, done)


SHOWN = 16
"""Characters of a session's id that are printed and may be given back."""


@command.command("end")
@login_argument
@click.argument("session", required=False)
@data_option
def end(login: str, session: str | None, data: str | None) -> None:
    """End one session (its id, as `sessions` prints it), or all of them, within seconds."""

    async def done(identity: Identity) -> str:
        account = await _named(identity, login)
        if session is None:
            ended = await sessions.end_all(identity, account.id)
        else:
            found = [
                each
                for each in await sessions.list(identity, account.id)
                if each.id[:SHOWN] == session[:SHOWN]
            ]
            ended = sum([await sessions.end_one(identity, account.id, each.id) for each in found])
            if not ended:
                raise ValueError(f"{login} has no session {session}; see: commonweal user sessions {login}")
        await identity.note(BY, "session-end", account.party)
        return f"{ended} ended"

    _run(data, done)


def _change(
    data: str | None, login: str, change: Callable[[Identity, str], Awaitable[Account]], told: str
) -> None:
    async def done(identity: Identity) -> str:
        account = await change(identity, (await _named(identity, login)).id)
        return f"{account.login} {told}"

    _run(data, done)


def _run(data: str | None, done: Callable[[Identity], Awaitable[Any]]) -> None:
    settings = Settings.read(data=data)
    assert settings.installation  # says what to do when there is none

    async def run() -> Any:
        async with opened(settings) as assembly:
            return await done(assembly.identity)

    told = asyncio.run(run())
    if told is not None:
        click.echo(told)


async def _named(identity: Identity, login: str) -> Account:
    account = await accounts.by_login(identity, login)
    if account is None:
        raise ValueError(f"there is no account {login}; see: commonweal user list")
    return account


async def _all(identity: Identity) -> AsyncIterator[Account]:
    after = ""
    while found := await accounts.page(identity, after):
        for account in found:
            yield account
        after = found[-1].id


def _told(account: Account, now: int) -> str:
    login = account.login if account.kind == STAFF else hidden(account.login)
    state = (
        "disabled"
        if account.disabled
        else "can sign in"
        if account.has_second or account.kind != STAFF
        else "new"
    )
    roles = "; ".join(_assigned(each, now) for each in account.assignments)
    return "\t".join((login, state, account.reference or "-", account.name or "-", roles or "-"))


def _assigned(each: Assignment, now: int) -> str:
    places = " ".join(filter(None, (each.organization, *each.areas)))
    held = "" if each.holds(now) else " (not now)"
    return f"{each.role}{' at ' + places if places else ''}{held} [{each.id}]"


def _instant(day: datetime | None, otherwise: int) -> int:
    return int(day.replace(tzinfo=UTC).timestamp()) * SECOND if day else otherwise
