"""One double-entry ledger for everything that cannot be spent twice: pure postings, and their tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform.balance import OUTSIDE, Movement

DISCREPANCY = "discrepancy/"
REVERSED = "/reversed"
LARGEST = 2**62
Connection = Any
"""An asyncpg connection, or one lent by a pool."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement as it was carried out.

    `short` is the part the source did not hold, drawn from its discrepancy account; `back` is the part
    that a reversal returns to the discrepancy account of the target, because it had come from there.
    """

    movement: Movement
    short: int = 0
    back: int = 0

    def entries(self) -> tuple[tuple[str, int], ...]:
        """What each account gains or loses; the sum is nothing."""
        moved = self.movement
        return (
            (moved.source, self.short - moved.amount),
            (DISCREPANCY + moved.source, -self.short),
            (moved.target, moved.amount - self.back),
            (DISCREPANCY + moved.target, self.back),
        )


def post(
    movements: Sequence[Movement], held: Mapping[str, int], known: Mapping[str, Posting]
) -> list[Posting]:
    """The postings of movements not yet known, worked out one after the other in key order.

    `held` is what each account holds, `known` the postings already made under these keys and under those
    they reverse. Problem 409 when a reservation would overdraw or a key was used for something else.
    """
    holds, done, new = dict(held), dict(known), []
    for movement in sorted(movements, key=lambda each: each.key):
        earlier = done.get(movement.key)
        if earlier is not None:
            _same(earlier.movement, movement)
            continue
        posting = _posting(movement, holds.get(movement.source, 0), _undone(movement, done))
        for account, amount in posting.entries():
            holds[account] = holds.get(account, 0) + amount
        if holds[movement.target] > LARGEST:
            raise Problem.conflict(f"'{movement.target}' cannot hold that much.")
        done[movement.key] = posting
        new.append(posting)
    return new


def check(movements: Sequence[Movement]) -> None:
    """Problem 400 for a movement that means nothing."""
    for each in movements:
        if not 0 < each.amount <= LARGEST:
            raise Problem.invalid(f"the amount of movement '{each.key}' must be a positive whole number")
        if each.source == each.target:
            raise Problem.invalid(f"movement '{each.key}' goes from '{each.source}' to itself")
        if not each.fact and each.source.startswith(DISCREPANCY):
            raise Problem.invalid(f"only a fact may draw from '{each.source}'")
        if not all((each.key, each.source, each.target)) or "\0" in each.key + each.source + each.target:
            raise Problem.invalid("a movement needs a key, a source and a target")


def keys(movements: Iterable[Movement]) -> list[str]:
    """The keys to look up: the movements' own and those they reverse."""
    own = {each.key for each in movements}
    return sorted(own | {key.removesuffix(REVERSED) for key in own})


def _same(earlier: Movement, again: Movement) -> None:
    def content(each: Movement) -> tuple[str, str, int, bool]:
        return each.source, each.target, each.amount, each.fact

    if content(earlier) != content(again):
        raise Problem.conflict(f"The key '{again.key}' was already used for another movement.")


def _undone(movement: Movement, done: Mapping[str, Posting]) -> Posting | None:
    """The posting this movement exactly reverses, if it does."""
    if not movement.key.endswith(REVERSED):
        return None
    posting = done.get(movement.key.removesuffix(REVERSED))
    if posting is None:
        return None
    there, back = posting.movement, movement
    mirrored = (there.source, there.target, there.amount) == (back.target, back.source, back.amount)
    return posting if mirrored else None


def _posting(movement: Movement, holds: int, undone: Posting | None) -> Posting:
    owed, back = (undone.back, undone.short) if undone else (0, 0)
    if movement.source == OUTSIDE or movement.source.startswith(DISCREPANCY):
        return Posting(movement, owed, back)
    missing = max(movement.amount - owed - holds, 0)
    if missing and not movement.fact:
        raise Problem.conflict(f"'{movement.source}' holds {holds}, which is less than {movement.amount}.")
    return Posting(movement, owed + missing, back)


LOCK_NEW = """
insert into beside.balance (account) select unnest($1::text[]) order by 1 on conflict do nothing"""
LOCK = """
select account, amount from beside.balance where account = any($1::text[]) order by account for update"""
KNOWN = """
select key, source, target, amount, fact, because, short, back from beside.movement
where key = any($1::text[])"""
WRITE = """
with moved as (
    insert into beside.movement (key, source, target, amount, fact, because, short, back)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::bool[], $6::text[],
                         $7::int8[], $8::int8[])
), discrepant as (
    insert into beside.balance as b (account, amount)
    select * from unnest($9::text[], $10::int8[]) as d (account, gain)
    where account like 'discrepancy/%' order by account
    on conflict (account) do update set amount = b.amount + excluded.amount
)
update beside.balance b set amount = b.amount + d.gain
from unnest($9::text[], $10::int8[]) as d (account, gain)
where b.account = d.account and d.account not like 'discrepancy/%'"""
BALANCES = "select account, amount from beside.balance where account = any($1::text[])"
ALL_OTHERS = "select coalesce(-sum(amount), 0)::int8 from beside.balance"


async def move(connection: Connection, movements: Sequence[Movement]) -> None:
    """Carry out all movements or none inside the connection's transaction (one is opened if there is none).

    Accounts are locked in the order of their names, so it belongs last in a transaction. "outside" has no
    row and a discrepancy is only added to at the very end, so neither makes anybody wait before.
    """
    if not movements:
        return
    check(movements)
    accounts = sorted(name for name in _accounts(movements) if _is_locked(name))
    async with connection.transaction():
        await connection.execute(LOCK_NEW, accounts)
        held = {row["account"]: row["amount"] for row in await connection.fetch(LOCK, accounts)}
        known = {row["key"]: _known(row) for row in await connection.fetch(KNOWN, keys(movements))}
        new = post(movements, held, known)
        if new:
            await connection.execute(WRITE, *_columns(new), *_gains(new))


async def balances(connection: Connection, accounts: Sequence[str]) -> Mapping[str, int]:
    """What each account holds; "outside" holds what all others lack."""
    found = {row["account"]: row["amount"] for row in await connection.fetch(BALANCES, list(accounts))}
    if OUTSIDE in accounts:
        found[OUTSIDE] = await connection.fetchval(ALL_OTHERS)
    return {account: found.get(account, 0) for account in accounts}


def _accounts(movements: Sequence[Movement]) -> set[str]:
    return {each.source for each in movements} | {each.target for each in movements}


def _is_locked(account: str) -> bool:
    return account != OUTSIDE and not account.startswith(DISCREPANCY)


def _known(row: Mapping[str, Any]) -> Posting:
    movement = Movement(
        row["key"], row["source"], row["target"], row["amount"], fact=row["fact"], because=row["because"]
    )
    return Posting(movement, row["short"], row["back"])


def _columns(postings: Sequence[Posting]) -> tuple[list[Any], ...]:
    rows = [
        (m.key, m.source, m.target, m.amount, m.fact, m.because, each.short, each.back)
        for each in postings
        for m in (each.movement,)
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _gains(postings: Sequence[Posting]) -> tuple[list[str], list[int]]:
    gains: dict[str, int] = {}
    for posting in postings:
        for account, amount in posting.entries():
            gains[account] = gains.get(account, 0) + amount
    gains.pop(OUTSIDE, None)
    # An account that only passed something on has its row already; only a real gain is worth an update.
    changed = sorted(account for account, amount in gains.items() if amount)
    return changed, [gains[account] for account in changed]
