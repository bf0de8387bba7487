"""A balance: a quantity that cannot be spent twice, kept by one double-entry ledger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Movement:
    """So many whole units from one account to another.

    Amounts are integers in the smallest unit (places, doses, cents). A reservation is refused when it would
    take `source` below zero; a `fact` (an offline dose, a stock count) never is: what is missing is drawn
    from the account "discrepancy/<source>" instead. The same `key` moves once only; a reversal names the key
    it undoes and is exact.
    """

    key: str
    source: str
    target: str
    amount: int
    fact: bool = False
    because: str = ""


OUTSIDE = "outside"
"""The account that goods and money come from and go to; it alone may be below zero without a discrepancy."""


def reversal(of: Movement, because: str) -> Movement:
    """The exact opposite of a movement, under a key of its own, so that it too happens once."""
    return Movement(f"{of.key}/reversed", of.target, of.source, of.amount, fact=True, because=because)
