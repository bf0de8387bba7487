"""What is asked of the record about duties, proxies and consents, and who somebody is by what they show."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from commonweal.fhir import codec
from commonweal.fhir.search.escapes import escape
from commonweal.platform import Facts, Work
from commonweal.services.privacy.rules import duties, people
from commonweal.services.privacy.rules.duties import TASK, Opening
from commonweal.services.privacy.rules.people import DECIDED

Json = dict[str, Any]
PAGE = 200


async def found(work: Work, query: str, *, hold: bool = False) -> list[Json]:
    """What a search finds, parsed. `hold`: it stays so until this work ends, for what is done once."""
    return [codec.parse(each.body) for each in (await work.search(query, hold=hold)).matches]


async def by_number(work: Work, number: str, born: str) -> Json | None:
    """The one person with exactly this identity number and birth date; None for nobody, and for several."""
    digits = "".join(number.upper().split())
    if not digits or not born:
        return None
    return _only(await found(work, f"Patient?identifier={_value(digits)}&birthdate={_value(born)}"), born)


async def by_name(work: Work, family: str, given: str, born: str) -> Json | None:
    """The one person of exactly this name and birth date; None for nobody, and for several."""
    if not family + given or not born:
        return None
    parts = [f"{name}:exact={_value(text)}" for name, text in (("family", family), ("given", given)) if text]
    asked = [f"Patient?{'&'.join(parts)}&birthdate={_value(born)}"]
    asked += [f"Patient?name:exact={_value(each)}&birthdate={_value(born)}" for each in _whole(family, given)]
    several = [person for query in asked for person in await found(work, query)]
    return _only((each for each in several if _is_called(each, family, given)), born)


async def named(work: Work, number: str, family: str, given: str) -> Json | None:
    """The one person with this identity number, if the name is theirs as well."""
    digits = "".join(number.upper().split())
    if not digits or not family + given:
        return None
    person = _only(await found(work, f"Patient?identifier={_value(digits)}"), None)
    return person if person and _is_called(person, family, given) else None


def _only(several: Iterable[Json], born: str | None) -> Json | None:
    """The one of them whose record is in use: not merged into another, not waiting to be compared."""
    left = {
        each["id"]: each
        for each in several
        if each.get("active", True) and born in (None, each.get("birthDate"))
    }
    return next(iter(left.values())) if len(left) == 1 else None


def _is_called(person: Json, family: str, given: str) -> bool:
    """Is this the whole of one of their names?"""
    said = {people.plain(each) for each in _whole(family, given)}
    return not said.isdisjoint(people.plain(each) for each in people.names(person))


def _whole(family: str, given: str) -> list[str]:
    """A name in one piece, as either script writes it."""
    return list(dict.fromkeys((f"{family}{given}", f"{given} {family}".strip(), f"{family} {given}".strip())))


def _value(text: str) -> str:
    return quote(escape(text), safe="")


async def duty(work: Work, id: str) -> tuple[Json, int]:
    """One duty of privacy and its version."""
    stored = await work.read("Task", id)
    return codec.parse(stored.body), stored.version


async def consent(work: Work, id: str) -> tuple[Json, int]:
    """One consent and its version."""
    stored = await work.read("Consent", id)
    return codec.parse(stored.body), stored.version


async def arrived(work: Work, patient: str, organization: str) -> Json | None:
    """The encounter of somebody who is at an organization now."""
    asked = f"Encounter?patient={patient}&service-provider={organization}&status=arrived,triaged,in-progress"
    several = await found(work, asked, hold=True)
    return next((each for each in several if duties.is_going_on(each, work.now())), None)


def seeing(encounter: Json) -> list[str]:
    """The practitioners of an encounter ("Practitioner/x")."""
    return [each.get("individual", {}).get("reference", "") for each in encounter.get("participant", ())]


async def waiting(work: Work, names: Iterable[str]) -> list[Json]:
    """Open duties of these kinds, the oldest first."""
    codes = ",".join(f"{TASK}|{name}" for name in names)
    return await found(
        work, f"Task?code={codes}&business-status={TASK}|waiting&_sort=authored-on&_count={PAGE}"
    )


async def answered(work: Work, names: Iterable[str]) -> list[Json]:
    """The last that were answered."""
    codes = ",".join(f"{TASK}|{name}" for name in names)
    return await found(work, f"Task?code={codes}&status=completed&_sort=-_lastUpdated&_count=20")


async def about(work: Work, patient: str) -> list[Json]:
    """The duties about one person, the newest first."""
    codes = ",".join(
        f"{TASK}|{name}" for name in ("emergency-access", "access-objection", "guardian-conflict")
    )
    return await found(work, f"Task?patient={patient}&code={codes}&_sort=-authored-on&_count={PAGE}")


async def is_disputed(work: Work, patient: str, *, hold: bool = False) -> bool:
    """Is it being decided who may act for this person?"""
    asked = f"Task?patient={patient}&code={TASK}|guardian-conflict&business-status={TASK}|waiting"
    return bool(await found(work, asked, hold=hold))


async def disputed(work: Work, task: Json) -> list[Json]:
    """The consents that a conflict is about."""
    references = [each["reference"].partition("/") for each in duties.given(task, "about")]
    pairs = [(type, id) for type, _, id in references if type == "Consent"]
    stored = await work.read_all(pairs) if pairs else []
    return [codec.parse(each.body) for each in stored if each is not None]


async def emergencies(
    work: Work, practitioner: str, patient: str | None = None, *, hold: bool = False
) -> list[Json]:
    """The accesses that somebody has open now, the newest first."""
    whose = f"&patient={patient}" if patient else ""
    since = work.now() - timedelta(seconds=work.parameter("emergency_access_seconds", work.now()))
    asked = (
        f"Task?code={TASK}|emergency-access&requester={practitioner}{whose}&authored-on=ge{since:%Y-%m-%d}"
    )
    several = await found(work, f"{asked}&_sort=-authored-on&_count={PAGE}", hold=hold)
    return [each for each in several if duties.is_open(each, work.now())]


async def opening(work: Facts, task: Json) -> Opening:
    """The facts of an emergency access."""
    now = work.now()
    before = next(iter(await found(work, f"Task?_id={task['id']}")), None)
    references = [each.get("reference", "").partition("/") for each in duties.given(task, "notice")]
    notices = await work.read_all(
        [(type, id) for type, _, id in references if type == "CommunicationRequest"]
    )
    notice = next((codec.parse(each.body) for each in notices if each is not None), None)
    seconds, letters = (
        work.parameter(name, now) for name in ("emergency_access_seconds", "emergency_reason_letters_least")
    )
    return Opening(now, seconds, letters, before, notice)


async def consents(work: Work, patient: str) -> list[Json]:
    """What a person has decided, proxies included, the newest first."""
    asked = f"Consent?patient={patient}&category={DECIDED}|proxy,{DECIDED}|permit,{DECIDED}|deny"
    return await found(work, f"{asked}&_sort=-date&_count={PAGE}")


async def proxies(work: Work, patient: str, *, hold: bool = False) -> list[Json]:
    """By what others act for a person now."""
    asked = f"Consent?patient={patient}&category={DECIDED}|proxy&status=active&_count={PAGE}"
    return [each for each in await found(work, asked, hold=hold) if people.is_in_force(each, today(work))]


async def wards(work: Work, proxy: str) -> list[Json]:
    """By what somebody acts for others now."""
    asked = f"Consent?actor={proxy}&category={DECIDED}|proxy&status=active&_count={PAGE}"
    several = await found(work, asked)
    return [
        each for each in several if people.is_in_force(each, today(work)) and people.proxy_of(each) == proxy
    ]


async def person(work: Work, reference: str) -> Json:
    """A patient by reference; Problem 404 when there is none."""
    return codec.parse((await work.read("Patient", reference.removeprefix("Patient/"))).body)


async def is_parent(work: Work, parent: Json, child: str) -> bool:
    """Does the parent's record say, by what the registry recorded at a birth, that they are one of this child?"""
    linked = [
        link["other"].get("reference", "") for link in parent.get("link", ()) if link["type"] == "seealso"
    ]
    pairs = [
        ("RelatedPerson", each.partition("/")[2]) for each in linked if each.startswith("RelatedPerson/")
    ]
    stored = await work.read_all(pairs) if pairs else []
    return any(people.is_parent_of(codec.parse(each.body), child) for each in stored if each is not None)


async def acting(work: Work, proxy: str, patient: str) -> Json | None:
    """By what one acts for the other; None: by nothing."""
    several = [each for each in await wards(work, proxy) if each["patient"]["reference"] == patient]
    return max(several, key=lambda each: people.role_of(each) in people.BY_LAW, default=None)


def today(work: Work) -> str:
    """The day, as FHIR writes it."""
    return f"{work.now():%Y-%m-%d}"


async def words(work: Work, references: Iterable[str]) -> Mapping[str, str]:
    """The names of practitioners and organizations, by their reference; of others nothing is read."""
    asked = dict.fromkeys(tuple(each.split("/")) for each in references if each.count("/") == 1)
    pairs = [(type, id) for type, id in asked if type in NAMED]
    stored = await work.read_all(pairs) if pairs else []
    read = (codec.parse(each.body) for each in stored if each is not None)
    return {f"{each['resourceType']}/{each['id']}": people.called(each) for each in read}


NAMED = ("Practitioner", "Organization")


async def directory(work: Work, type: str, name: str) -> Sequence[Json]:
    """Organizations or practitioners whose whole name contains this, however its parts are recorded."""
    if type == "Organization":
        return await found(work, f"{type}?name:contains={_value(name)}&_sort=name&_count=20")
    parts = name.split() if name.isascii() else [name.strip()[:1]]
    several = await found(work, f"{type}?{'&'.join(f'name={_value(each)}' for each in parts)}&_count={PAGE}")
    return [each for each in several if people.plain(name) in people.plain(people.called(each))][:20]
