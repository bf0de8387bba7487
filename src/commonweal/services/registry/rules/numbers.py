"""Identity numbers: could its issuer have given this one? No reason repeats the number."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from commonweal.platform import Decision, decide

Json = dict[str, Any]

RESIDENT = "urn:oid:2.16.156.10011.1.3"
ABHA = "https://healthid.ndhm.gov.in"
AADHAAR = "https://uidai.gov.in"
CREDIT = "urn:commonweal:id:unified-social-credit-code"
DIVISION = "urn:commonweal:id:gbt-2260"
PASSPORT = "http://hl7.org/fhir/sid/passport-"
"""The systems, each with its definition in NamingSystem-*.yaml; a passport's ends in its country (ISO 3166)."""
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
INDIAN_TYPES = "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code"

PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
"""GB/T 2260, first two digits; 81 to 83 begin the residence permits of Hong Kong, Macao and Taiwan people."""
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS = "10X98765432"
CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def is_resident_number(value: str) -> Decision:
    """Is this a Chinese resident number? 18 characters, the last by ISO 7064 MOD 11-2: GB 11643-1999."""
    if re.fullmatch(r"[0-9]{15}", value):
        return Decision(("this is the old form of 15 digits; ask for the number of 18 characters",))
    if not re.fullmatch(r"[0-9]{17}[0-9X]", value):
        return Decision(("a resident number has 17 digits and then a digit or X",))
    total = sum(int(digit) * weight for digit, weight in zip(value, RESIDENT_WEIGHTS, strict=False))
    return decide(
        (PROVINCE.match(value), "its first two digits are no province's"),
        (born(value), "its digits 7 to 14 are no date"),
        (value[17] == RESIDENT_CHECKS[total % 11], "its check character does not fit its digits"),
    )


def born(value: str) -> str | None:
    """The birth date inside a resident number, as FHIR writes dates; None when it is none."""
    text = f"{value[6:10]}-{value[10:12]}-{value[12:14]}"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def is_abha_number(value: str) -> Decision:
    """Is this an ABHA number? 14 digits, with or without hyphens: Ayushman Bharat Digital Mission."""
    form = r"[0-9]{14}|[0-9]{2}-[0-9]{4}-[0-9]{4}-[0-9]{4}"
    return decide((re.fullmatch(form, value), "an ABHA number has 14 digits"))


def is_record_key(value: str) -> Decision:
    """May an Aadhaar number name a record? Never, whatever it is."""
    return Decision(("an Aadhaar number may not name a record; use the ABHA number",))


def is_passport_number(value: str) -> Decision:
    """Is this a passport number? Letters and digits, nine at most in the zone a machine reads: ICAO Doc 9303-4."""
    return decide((re.fullmatch(r"[A-Z0-9]{1,9}", value), "a passport number has up to 9 letters and digits"))


def is_credit_code(value: str) -> Decision:
    """Is this a unified social credit code? 18 characters, the last by MOD 31-3: GB 32100-2015."""
    if not re.fullmatch(f"[{CREDIT_LETTERS}]{{18}}", value):
        return Decision(("a credit code has 18 digits and capital letters, without I, O, S, V and Z",))
    total = sum(CREDIT_LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(value[:17]))
    fits = CREDIT_LETTERS.index(value[17]) == -total % 31
    return decide((fits, "its check character does not fit the others"))


def is_division_code(value: str) -> Decision:
    """Is this the code of an administrative division? Six digits that begin with a province: GB/T 2260."""
    six = re.fullmatch(r"[0-9]{6}", value)
    return decide((six and PROVINCE.match(value), "a division's code has six digits, a province's first"))


CHECKS: Mapping[str, Callable[[str], Decision]] = {
    RESIDENT: is_resident_number,
    ABHA: is_abha_number,
    AADHAAR: is_record_key,
    CREDIT: is_credit_code,
    DIVISION: is_division_code,
}
"""What is asked of a number, by its system."""


def check_of(system: str) -> Callable[[str], Decision] | None:
    """The question for numbers of a system; None: it is not one of those checked here."""
    if re.fullmatch(re.escape(PASSPORT) + "[A-Z]{3}", system):
        return is_passport_number
    return CHECKS.get(system)


def may_identify(identifier: Json) -> Decision:
    """May this identifier stand on a record? A system that is not one of ours is its sender's to answer for."""
    system, value = identifier.get("system", ""), identifier.get("value", "")
    check = check_of(system)
    if is_typed(identifier, INDIAN_TYPES, "ADN"):
        check = is_record_key
    is_passport = system.startswith(PASSPORT[:-1]) or is_typed(identifier, IDENTIFIER_TYPES, "PPN")
    if is_passport and check is None and (not system or system.startswith(PASSPORT[:-1])):
        return Decision(("a passport names its country: its system ends in the three letters of ISO 3166",))
    return check(value) if check else Decision()


def is_typed(identifier: Json, system: str, code: str) -> bool:
    """Does its type say so?"""
    codings = identifier.get("type", {}).get("coding", ())
    return any((each.get("system"), each.get("code")) == (system, code) for each in codings)


def judged(asked: Json) -> Json:
    """The judgement `identity`: {"system", "value"} → {"known", "valid", "reasons"}.

    `valid` is null where the system is not known here. A resident number that is valid tells its "birthDate".
    """
    system, value = asked.get("system"), asked.get("value")
    if not isinstance(system, str) or not isinstance(value, str):
        return {"error": "system and value must be texts"}
    decision = may_identify({"system": system, "value": value})
    known = check_of(system) is not None or not decision
    answer: Json = {
        "known": known,
        "valid": bool(decision) if known else None,
        "reasons": [*decision.reasons],
    }
    if system == RESIDENT and decision:
        answer["birthDate"] = born(value)
    return answer
