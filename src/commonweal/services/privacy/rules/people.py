"""Who may act for whom: parents of children, guardians by document, and whom a person chose; when a proxy ends."""

from datetime import date, timedelta
from typing import Any

from commonweal.platform import Decision, decide
from commonweal.services.privacy.rules.duties import coded

Json = dict[str, Any]

DECIDED = "urn:commonweal:privacy:consent"
"""Code system of what a person has decided: proxy, permit, deny."""
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
PARENT, GUARDIAN, CHOSEN = "PRN", "GUARD", "DELEGATEE"
"""https://terminology.hl7.org/CodeSystem-v3-RoleCode.html"""
BY_LAW = (PARENT, GUARDIAN)
"""They decide for the person, too; whom a person chose only acts within what was allowed."""


def proxy(consent: Json) -> Json:
    """The actor of a consent who acts for its person: {} where there is none."""
    actors: list[Json] = consent.get("provision", {}).get("actor", [])
    return next((each for each in actors if coded(each.get("role", {}), ROLE)), {})


def proxy_of(consent: Json) -> str:
    """ "Patient/x" who acts."""
    return str(proxy(consent).get("reference", {}).get("reference", ""))


def role_of(consent: Json) -> str:
    """PRN, GUARD or DELEGATEE."""
    return coded(proxy(consent).get("role", {}), ROLE)


def is_in_force(consent: Json, today: str) -> bool:
    """Is it active, and does its period hold today ("2026-01-05")?"""
    period = consent.get("provision", {}).get("period", {})
    begun = period.get("start", "")[:10] <= today
    return consent.get("status") == "active" and begun and today <= (period.get("end", "")[:10] or "9999")


def years_after(day: str, years: int) -> str:
    """The same day so many years later; 29 February becomes 1 March, by when a year is complete in law."""
    when = date.fromisoformat(day)
    try:
        return when.replace(year=when.year + years).isoformat()
    except ValueError:
        return date(when.year + years, 3, 1).isoformat()


def day_before(day: str) -> str:
    """The last day before one."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def may_last(until: str, today: str, latest: str) -> Decision:
    """May somebody act until this last day?"""
    return decide(
        (until, "say until when"),
        (not until or until >= today, "the last day has passed"),
        (not until or until <= latest, "the last day is too far away"),
    )


def may_be_child(born: str, today: str, years: int) -> Decision:
    """May a parent act for somebody born on this day, by being a parent alone?"""
    whole = len(born) == 10
    return decide(
        (whole, "the whole birth date of the child is needed"),
        (
            not whole or today < years_after(born, years),
            "the child is too old for a parent to act by being one",
        ),
    )


def is_parent_of(related: Json, child: str) -> bool:
    """Is this RelatedPerson a parent of that child ("Patient/x")?"""
    parent = any(coded(each, ROLE) in ("MTH", "FTH", PARENT) for each in related.get("relationship", ()))
    return parent and related.get("patient", {}).get("reference") == child


def is_found(person: Json | None) -> Decision:
    """Was exactly one person found? One sentence for all that look somebody up beyond reach."""
    return decide((person is not None, "nobody was found by exactly this, or more than one person was"))


def may_be_disputed(words: str, disputed: bool) -> Decision:
    """May somebody say that it is disputed who acts for a person?"""
    return decide(
        (words, "say why it is disputed"),
        (not disputed, "it is being decided already who may act for this person"),
    )


def may_act(proxy: str, ward: str, role: str, others: list[Json], disputed: bool) -> Decision:
    """May somebody begin to act for a person? `others`: those who do now; `disputed`: it is being decided."""
    twice = any(proxy_of(each) == proxy and role_of(each) == role for each in others)
    return decide(
        (proxy != ward, "nobody is their own proxy"),
        (not disputed, "it is disputed who may act for this person; nobody new may until that is decided"),
        (not twice, "this person acts for them already"),
    )


def conflicts(role: str, proxy: str, others: list[Json]) -> list[Json]:
    """Those whom a guardian by document stands against: guardians of another document, and parents."""
    if role != GUARDIAN:
        return []
    return [each for each in others if role_of(each) in BY_LAW and proxy_of(each) != proxy]


def may_decide(consent: Json | None) -> Decision:
    """May whoever acts by this consent decide about consents and proxies of the person? None: it is themselves."""
    mine = consent is None or role_of(consent) in BY_LAW
    return decide((mine, "only the person, a parent or a guardian decides this"))


def names(person: Json) -> list[str]:
    """A person's names in one piece, those of old ones left out."""
    return [spoken(each) for each in person.get("name", []) if each.get("use") != "old"]


def spoken(name: Json) -> str:
    """A name as it is said: its text, else its parts in the order of its script."""
    given, family = " ".join(name.get("given", [])), name.get("family", "")
    if not (given + family).isascii():
        given = given.replace(" ", "")
        return str(name.get("text") or f"{family}{given}")
    return str(name.get("text") or f"{given} {family}".strip())


def plain(name: str) -> str:
    """A name for comparison: without spaces, in one case."""
    return "".join(name.split()).casefold()


def called(named: Json) -> str:
    """What somebody, an organization or a device is called; "" where that is not recorded."""
    name = named.get("name") or [{"text": each["name"]} for each in named.get("deviceName", [])]
    if isinstance(name, str):
        return name
    return next((spoken(each) for each in name), "")
