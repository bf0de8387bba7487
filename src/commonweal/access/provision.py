"""One provision of a consent, as far as it can be read: https://hl7.org/fhir/R4/consent.html#8.8.4."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commonweal.access import purposes
from commonweal.access.lasting import ALWAYS, Span, lasting
from commonweal.fhir import reference
from commonweal.fhir.elements import RESOURCE_TYPES

Json = dict[str, Any]
Names = frozenset[str]
Bases = tuple[str, ...]

PARTIES = frozenset(("Practitioner", "Organization", "Patient", "RelatedPerson", "Device"))
"""Types of those who can ask; whoever else is named (a team, a role) cannot be recognised by a name."""
TYPES = frozenset(("http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/ValueSet/resource-types"))
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
SEEING = frozenset(("access", "use", "disclose"))
NOT_SEEING = frozenset(("collect", "correct"))
UNREADABLE = frozenset(("code", "data", "dataPeriod", "modifierExtension"))
"""Elements that narrow a provision by what no rule can ask of a row."""
PROXIES = frozenset((
    "PRN", "ADOPTP", "ADOPTF", "ADOPTM", "FTH", "FTHFOST", "NFTH", "STPFTH", "MTH", "GESTM", "MTHFOST", "NMTH",
    "STPMTH", "NPRN", "PRNFOST", "STPPRN", "RESPRSN", "GUADLTM", "GUARD", "POWATT", "DPOWATT", "HPOWATT",
    "SPOWATT", "DELEGATEE",
))  # fmt: skip
"""Who may act for a person: http://terminology.hl7.org/CodeSystem/v3-RoleCode."""
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Said:
    """What a provision asks of a request, None nothing. `unread`: its elements that are not wholly understood.

    `acting`: patients among the actors who act for the person. `is_about_seeing` is False of one that only says
    what may be collected or corrected.
    """

    parties: Names | None
    purposes: Names | None
    types: Names | None
    labels: Names | None
    holds: Span
    acting: Names
    unread: Names
    is_about_seeing: bool


def read(provision: Json, bases: Bases) -> Said:
    """All that it says; its nested provisions are not asked."""
    unread = {name for name in UNREADABLE if name in provision}
    values: dict[str, Names | None] = {}
    for name, meaning in _MEANINGS.items():
        found = [meaning(each, bases) for each in provision.get(name, ())]
        values[name] = frozenset().union(*found) if found else None
        if not all(found):
            unread.add(name)
    holds = lasting(provision.get("period", {}))
    if holds[0] >= holds[1]:
        unread.add("period")
        holds = ALWAYS
    actions = values["action"]
    actors = (each for each in provision.get("actor", ()) if _codes(each.get("role", {}), ROLE) & PROXIES)
    acting = frozenset(one for each in actors for one in _party(each, bases) if one.startswith("Patient/"))
    return Said(
        values["actor"],
        values["purpose"],
        values["class"],
        values["securityLabel"],
        holds,
        acting,
        frozenset(unread),
        "action" in unread or actions is None or not actions <= NOT_SEEING,
    )


def base_of(consent: Json) -> str:
    """ "permit" or "deny", as its policy rule says; "" where it says neither."""
    codes = {each.get("code", "") for each in consent.get("policyRule", {}).get("coding", ())}
    if codes & {"OPTOUT", "OPTOUTE"}:
        return "deny"
    return "permit" if codes & {"OPTIN", "OPTINR"} else ""


def _party(actor: Json, bases: Bases) -> Names:
    text = actor.get("reference", {}).get("reference")
    found = reference.parse(text, bases) if isinstance(text, str) else None
    is_party = found is not None and found.kind == "local" and found.type in PARTIES
    return frozenset((found.target,)) if found and is_party else frozenset()


def _purpose(coding: Json, _: Bases) -> Names:
    return purposes.under(coding.get("code", "")) if coding.get("system") == purposes.SYSTEM else frozenset()


def _type(coding: Json, _: Bases) -> Names:
    return RESOURCE_TYPES & {coding.get("code", "")} if coding.get("system") in TYPES else frozenset()


def _label(coding: Json, _: Bases) -> Names:
    return frozenset((f"{coding.get('system', '')}|{coding['code']}",)) if "code" in coding else frozenset()


def _action(concept: Json, _: Bases) -> Names:
    return _codes(concept, ACTION) & (SEEING | NOT_SEEING)


def _codes(concept: Json, system: str) -> Names:
    return frozenset(
        each.get("code", "") for each in concept.get("coding", ()) if each.get("system") == system
    )


_MEANINGS: dict[str, Callable[[Json, Bases], Names]] = {
    "actor": _party,
    "purpose": _purpose,
    "class": _type,
    "securityLabel": _label,
    "action": _action,
}
