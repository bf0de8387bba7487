"""Ids of accounts and assignments: in order of time, impossible to guess."""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(now: int) -> str:
    """26 letters and digits: 48 bits of milliseconds (`now` is microseconds) and 80 random ones."""
    number = (now // 1000 % (1 << 48) << 80) | secrets.randbits(80)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
