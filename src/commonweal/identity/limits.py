"""How often something may be tried: counted before it is done, so that trying in parallel gains nothing."""

import ipaddress

import msgspec

from commonweal.fhir.outcome import Problem
from commonweal.identity.drawers import Taken
from commonweal.identity.house import SECOND, Identity
from commonweal.identity.kept import Kept
from commonweal.identity.parameters import Limit

KIND = "limit"
ROUNDS = 100


class Failing(msgspec.Struct, frozen=True):
    """Tries since the last that succeeded, and when the next one is let in."""

    tries: int = 0
    next: int = 0


FAILING = Kept("failing", Failing)


async def spend(identity: Identity, limit: Limit, whom: str) -> None:
    """One of the tries that `whom` (a phone, a network, an account) has in a while; Problem 429 when all are spent."""
    id, until = identity.hashed(limit.name, whom), identity.now() + limit.seconds * SECOND
    if await identity.drawers.count(KIND, id, until) > limit.most:
        entry = await identity.drawers.get(KIND, id)
        raise throttled((entry.until if entry else until) - identity.now())


async def attempt(identity: Identity, whom: str) -> None:
    """One more try at a sign-in; Problem 429 while the delay after the ones before lasts.

    A try counts as failed from its beginning until `succeeded` is told: a hundred begun at once are a hundred.
    """
    id, delays = identity.hashed("failing", whom), identity.parameters.delays
    for _ in range(ROUNDS):
        entry = await identity.drawers.get(FAILING.kind, id)
        failing = FAILING.read(entry) if entry else Failing()
        now = identity.now()
        if now < failing.next:
            raise throttled(failing.next - now)
        tries = failing.tries + 1
        following = Failing(tries, now + delays[min(tries, len(delays) - 1)] * SECOND)
        until = now + identity.parameters.failures_seconds * SECOND
        try:
            await FAILING.put(
                identity.drawers, id, following, until=until, version=entry.version if entry else 0
            )
        except Taken:
            continue
        return
    raise throttled(SECOND)


async def succeeded(identity: Identity, whom: str) -> None:
    """Whoever it is has shown who they are: earlier failures are forgotten."""
    await identity.drawers.remove(FAILING.kind, identity.hashed("failing", whom))


def throttled(wait: int) -> Problem:
    """Problem 429 that says after how many seconds to come again; `wait` is microseconds."""
    seconds = max(1, -(-wait // SECOND))
    problem = Problem.of("cw-throttled", why=f"try again in {seconds} seconds")
    problem.retry_after = seconds
    return problem


def network(address: str) -> str:
    """By what an address is limited: one IPv4 address, or the /64 that one customer is given of IPv6."""
    try:
        given = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    if given.version == 4:
        return str(given)
    if mapped := given.ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network(f"{given}/64", strict=False))
