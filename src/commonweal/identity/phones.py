"""Phone numbers in the one form in which they are compared: E.164 (ITU-T), "+8613800138000"."""

import re
import unicodedata

SHAPE = re.compile(r"\+[1-9][0-9]{6,14}")
ORNAMENTS = re.compile(r"[\s().\-/·‐-―]+")
TRUNKS = {
    "86": "0",
    "91": "0",
    "44": "0",
    "49": "0",
    "81": "0",
    "82": "0",
    "33": "0",
    "7": "8",
    "1": "1",
    "39": "",
}
"""National prefix that is left out behind the country's code, by calling code; elsewhere none is taken away but "0"
(ITU-T operational bulletin no. 994, list of dialling procedures; Italy keeps its zero)."""


def normalised(text: str, calling_code: str) -> str | None:
    """What was typed as E.164; None when it cannot be a number. Without "+" or "00" it is one of `calling_code`."""
    plain = ORNAMENTS.sub("", unicodedata.normalize("NFKC", text))
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if not plain.startswith("+"):
        plain = f"+{calling_code}{plain.removeprefix(TRUNKS.get(calling_code, '0'))}"
    return plain if SHAPE.fullmatch(plain) else None


def hidden(phone: str) -> str:
    """Enough to recognise one's own: "+86 … 8000"."""
    return f"{phone[:3]} … {phone[-4:]}"
