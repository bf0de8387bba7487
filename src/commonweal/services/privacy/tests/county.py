"""A small county for the tests of privacy: people, and those who care for them."""

from typing import Any

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.fhir import codec

Json = dict[str, Any]
RESIDENT_NUMBER = "urn:oid:2.16.156.10011.1.3"

DOCTOR = Agent("Practitioner/chen", frozenset({"clinician"}), "TREAT", "Organization/hospital", name="陈明")
OTHER = Agent("Practitioner/li", frozenset({"clinician"}), "TREAT", "Organization/clinic", name="李娜")
DESK = Agent("Practitioner/desk", frozenset({"registrar"}), "HOPERAT", "Organization/clinic", name="Desk")
OFFICER = Agent("Practitioner/officer", frozenset({"privacy-officer"}), "HCOMPL", name="Officer")
WANG = Agent("Patient/wang", frozenset({"resident"}), "PATRQT", name="王秀英")
ZHAO = Agent("Patient/zhao", frozenset({"resident"}), "PATRQT", name="赵安")
SUN = Agent("Patient/sun", frozenset({"resident"}), "PATRQT", name="孙立")

NUMBERS = {
    "wang": "330106198803150026",
    "zhao": "330106198507120018",
    "sun": "330106197001010012",
    "child": "330106201805010025",
}


def person(id: str, family: str, given: str, born: str, **more: Any) -> Json:
    identifier = [{"system": RESIDENT_NUMBER, "value": NUMBERS[id]}]
    named = {"name": [{"family": family, "given": [given]}], "birthDate": born, "identifier": identifier}
    return {"resourceType": "Patient", "id": id, "gender": "unknown", **named, **more}


COUNTY: tuple[Json, ...] = (
    {"resourceType": "Organization", "id": "hospital", "name": "洪湖医院"},
    {"resourceType": "Organization", "id": "clinic", "name": "Third Street Clinic"},
    {"resourceType": "Practitioner", "id": "chen", "name": [{"family": "陈", "given": ["明"]}]},
    {"resourceType": "Practitioner", "id": "li", "name": [{"family": "李", "given": ["娜"]}]},
    person("wang", "王", "秀英", "1988-03-15", telecom=[{"system": "phone", "value": "13800000000"}]),
    person("zhao", "赵", "安", "1985-07-12"),
    person("sun", "孙", "立", "1970-01-01"),
    person("child", "赵", "小明", "2018-05-01"),
    {
        "resourceType": "Observation",
        "id": "pressure",
        "status": "final",
        "code": {"text": "blood pressure"},
        "subject": {"reference": "Patient/wang"},
    },
)


def reference(answer: Json, name: str) -> str:
    """What a reference in an answer leads to."""
    return str(
        next(each["valueReference"]["reference"] for each in answer["parameter"] if each["name"] == name)
    )


def resources(answer: Json, name: str) -> list[Json]:
    """The resources of a name."""
    return [each["resource"] for each in answer.get("parameter", ()) if each["name"] == name]


async def read(trial: Trial, reference: str) -> Json:
    """What the record holds, as an operator sees it."""
    type, _, id = reference.partition("/")
    async with trial.work() as work:
        return codec.parse((await work.read(type, id)).body)
