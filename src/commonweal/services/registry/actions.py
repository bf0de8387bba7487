"""What is done about people and places: one verb, one permission, one transaction."""

from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem, issue
from commonweal.platform import Decision, Draft, Work
from commonweal.platform.ports import Stored
from commonweal.services.registry import queries
from commonweal.services.registry.rules import people
from commonweal.services.registry.rules.households import HOUSEHOLD
from commonweal.services.registry.workflow import PLACE

Json = dict[str, Any]


async def register_person(work: Work, person: Json) -> Stored:
    """A new person; Problem 422 with the reasons when it does not say enough."""
    _admitted(people.may_be_registered(person), "Patient")
    return await work.save(person | {"resourceType": "Patient"}, because="registered")


async def register_once(work: Work, person: Json) -> Stored | None:
    """A new person of the organization of whoever asks. None: somebody has one of the numbers, perhaps beyond what
    the caller may see; what was said is kept apart, and the match review is told. Both take the same steps."""
    _admitted(people.may_be_registered(person), "Patient")
    here = {"managingOrganization": {"reference": work.agent.organization}} if work.agent.organization else {}
    person = person | here | {"resourceType": "Patient"}
    others = await queries.holders(work, people.keys(person))
    if not others:
        return await work.save(person, because="registered")
    await work.save(people.provisional(person, others), because="a number of this person is registered")
    return None


async def register_newborn(work: Work, mother: str, newborn: Json) -> Stored:
    """A child before it has a name, and its mother as the one related to it. The name comes into the same
    record by a plain update: it stays one person."""
    found = await work.read("Patient", mother)
    name = codec.parse(found.body).get("name", [{"text": "?"}])[0]
    relationship = [{"coding": [{"system": people.ROLES, "code": "MTH", "display": "mother"}]}]
    unnamed = {
        "resourceType": "Patient",
        "name": [{"use": "temp", "text": f"{spoken(name)} 之子女 (newborn)"}],
        "contact": [{"relationship": relationship, "name": name}],
    }
    child = await register_person(work, unnamed | newborn)
    related = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": child.reference},
        "relationship": relationship,
        "name": [name],
    }
    stored = await work.save(related, because="the mother of a newborn")
    also = [{"other": {"reference": stored.reference}, "type": "seealso"}]
    woman = codec.parse(found.body)
    woman["link"] = woman.get("link", []) + also
    await work.save(woman, because="the mother of a newborn", if_match=found.version)
    return child


def spoken(name: Json) -> str:
    """A name as it is said: its text, else its parts in the order of its script."""
    given, family = "".join(name.get("given", [])), name.get("family", "")
    is_chinese = not (given + family).isascii()
    parts = f"{family}{given}" if is_chinese else f"{' '.join(name.get('given', []))} {family}".strip()
    return str(name.get("text") or parts)


async def register_household(work: Work, head: str, members: list[str], place: str) -> Stored:
    """People who live together from now on; all are ids of patients, the head among them or beside."""
    everyone = dict.fromkeys([head, *members])
    group = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "code": _coding(HOUSEHOLD, "household"),
        "characteristic": [_said("head", f"Patient/{head}"), _said("place", f"Location/{place}")],
        "member": [{"entity": {"reference": f"Patient/{id}"}} for id in everyone],
    }
    return await work.save(group, because="a household was registered")


async def move_household(work: Work, household: str, place: str) -> Stored:
    """They live at another place from now on; where they lived stays in history."""
    found = await work.read("Group", household)
    group = codec.parse(found.body)
    kept = [each for each in group["characteristic"] if not _says(each, "place")]
    group["characteristic"] = [*kept, _said("place", f"Location/{place}")]
    return await work.save(group, because="a household moved", if_match=found.version)


def _says(characteristic: Json, code: str) -> bool:
    return any(each.get("code") == code for each in characteristic["code"].get("coding", ()))


def _said(code: str, reference: str) -> Json:
    return {"code": _coding(HOUSEHOLD, code), "valueReference": {"reference": reference}, "exclude": False}


def _coding(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


async def add_place(work: Work, kind: str, name: str, within: str | None = None, **more: Any) -> Stored:
    """A new area, grid, facility or venue, within another; `more` are further elements of Location."""
    place = {
        "resourceType": "Location",
        "status": "active",
        "mode": "instance",
        "name": name,
        "type": [_coding(PLACE, kind)],
        **({"partOf": {"reference": f"Location/{within}"}} if within else {}),
        **more,
    }
    return await work.save(place, because="a place was added")


async def merge(work: Work, source: str, target: str, because: str) -> None:
    """Two records are one person: the target goes on, a search by either finds what is about both. Nothing
    but these two records is written, so that it can be undone exactly."""
    old, new = await work.read("Patient", source), await work.read("Patient", target)
    left, right = codec.parse(old.body), codec.parse(new.body)
    _admitted(people.may_merge(left, right), "Patient")
    left["active"] = False
    left["link"] = [*left.get("link", []), _link(target, "replaced-by")]
    right["link"] = [*right.get("link", []), _link(source, "replaces")]
    await _save_both(work, (left, old.version), (right, new.version), because)


async def unmerge(work: Work, source: str, target: str, because: str) -> None:
    """Two records that were merged are two people after all; each is again as it would be without the merge."""
    old, new = await work.read("Patient", source), await work.read("Patient", target)
    left, right = codec.parse(old.body), codec.parse(new.body)
    _admitted(people.may_split(left, right), "Patient")
    active = await queries.active_before(work, source, target)
    left.pop("active", None)
    left = left if active is None else left | {"active": active}
    _unlink(left, _link(target, "replaced-by"))
    _unlink(right, _link(source, "replaces"))
    await _save_both(work, (left, old.version), (right, new.version), because)


async def _save_both(work: Work, one: tuple[Json, int], other: tuple[Json, int], because: str) -> None:
    drafts = [Draft(resource, "update", if_match=version) for resource, version in (one, other)]
    await work.save_all(drafts, because=because)


def _link(patient: str, type: str) -> Json:
    return {"other": {"reference": f"Patient/{patient}"}, "type": type}


def _unlink(patient: Json, link: Json) -> None:
    kept = [each for each in patient.get("link", []) if each != link]
    patient.pop("link", None)
    patient |= {"link": kept} if kept else {}


async def end_consent(work: Work, consent: Json, because: str) -> Stored:
    """It is in force no longer."""
    return await work.save(consent | {"status": "inactive"}, because=because)


def _admitted(decision: Decision, path: str) -> None:
    if not decision:
        raise Problem.unprocessable(issue("cw-business-rule", path, why=why) for why in decision.reasons)
