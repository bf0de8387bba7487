"""Ids for new resources and works: 26 letters and digits, in order of time, impossible to guess."""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def new_id() -> str:
    """48 bits of milliseconds and 80 random bits, as ULIDs are made: new rows land side by side in the index."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join([PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
