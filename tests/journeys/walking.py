"""A walk through the whole platform: whatever an answer tells of a person, some row of the audit must name them.

Three fictional people have a word each that stands in everything about them and in no address; whoever's word is in
an answer was read. Requests that bring the word themselves count only for what else they were told.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import httpx

from commonweal import api, web
from commonweal.access.agent import Agent
from commonweal.api.bulk.running import Exporter
from commonweal.api.bulk.shelf import Shelf
from commonweal.boot import discovery
from commonweal.boot.ids import new_id
from commonweal.boot.trial import Trial
from commonweal.fhir import codec
from commonweal.platform.ports import Audited, Lease
from commonweal.platform.status import Status
from commonweal.web.language import ENGLISH
from commonweal.web.viewer import Viewer

Json = dict[str, Any]
WORDS = ("Wombat", "Quokka", "Numbat")
DOCTOR, HOSPITAL, COUNTY = "Practitioner/doctor", "Organization/hospital", "Location/county"
AGENTS = {
    "operator": Agent("operator", frozenset({"operator"})),
    "doctor": Agent(DOCTOR, frozenset({"clinician"}), organization=HOSPITAL, client="ward-app"),
    "registrar": Agent("Practitioner/desk", frozenset({"registrar"}), "HOPERAT", organization=HOSPITAL),
    "officer": Agent("Practitioner/officer", frozenset({"officer"}), "PUBHLTH", areas=frozenset({COUNTY})),
    "resident": Agent("Patient/id-wombat", frozenset({"resident"}), "PATRQT", name="Resident"),
    "auditor": Agent("Practitioner/auditor", frozenset({"auditor"}), "HCOMPL"),
    "privacy officer": Agent("Practitioner/privacy", frozenset({"privacy-officer"}), "HCOMPL"),
    "backend": Agent("Device/backend", frozenset({"backend"}), "HOPERAT", organization=HOSPITAL),
    "stranger": Agent("Practitioner/stranger", frozenset({"clinician"})),
    "nobody": Agent("anonymous", frozenset({"anonymous"}), "PATRQT"),
}
FHIR = "application/fhir+json"


def about(word: str) -> list[Json]:
    """A person and what is recorded about them; each resource holds the word."""
    id = word.lower()
    subject = {"reference": f"Patient/id-{id}"}
    tag = {"meta": {"tag": [{"system": "urn:walk", "code": "walk", "display": word}]}}
    text = {"text": f"{word} test"}
    patient: Json = {
        "resourceType": "Patient", "id": f"id-{id}", "name": [{"family": word, "given": ["Ann"]}],
        "birthDate": "1980-01-01", "managingOrganization": {"reference": HOSPITAL},
        "generalPractitioner": [{"reference": DOCTOR}],
        "identifier": [{"system": "urn:walk:id", "value": f"number-{id}"}],
    }  # fmt: skip
    others: list[Json] = [
        {"resourceType": "Encounter", "id": f"visit-{id}", "status": "in-progress", "class": {"code": "AMB"},
         "subject": subject, "type": [text], "serviceProvider": {"reference": HOSPITAL},
         "participant": [{"individual": {"reference": DOCTOR}}]},
        {"resourceType": "Observation", "id": f"test-{id}", "status": "final", "code": text, "subject": subject,
         "encounter": {"reference": f"Encounter/visit-{id}"}, "valueQuantity": {"value": 1, "unit": "mmol/L"},
         "effectiveDateTime": "2026-01-01"},
        {"resourceType": "Condition", "id": f"illness-{id}", "code": text, "subject": subject},
        {"resourceType": "AllergyIntolerance", "id": f"allergy-{id}", "code": text, "patient": subject},
        {"resourceType": "DocumentReference", "id": f"letter-{id}", "status": "current", "subject": subject,
         "description": word, "content": [{"attachment": {"title": word, "url": "urn:x"}}]},
        {"resourceType": "Appointment", "id": f"booked-{id}", "status": "booked", "description": word,
         "participant": [{"actor": subject, "status": "accepted"}]},
        {"resourceType": "RelatedPerson", "id": f"kin-{id}", "patient": subject, "name": [{"family": word}]},
    ]  # fmt: skip
    return [each | tag for each in (patient, *others)]


def directory() -> list[Json]:
    """What is about nobody, about all, and of one by another, who is called by name on its page."""
    members = [{"entity": {"reference": f"Patient/id-{word.lower()}"}} for word in WORDS]
    return [
        {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Doctor"}]},
        {"resourceType": "Organization", "id": "hospital", "name": "Hospital"},
        {"resourceType": "Location", "id": "county", "name": "County", "status": "active"},
        {
            "resourceType": "Observation",
            "id": "mention",
            "status": "final",
            "code": {"text": "mention"},
            "subject": {"reference": "Patient/id-numbat"},
            "performer": [{"reference": "Patient/id-quokka"}],
        },
        {"resourceType": "Group", "id": "all", "type": "person", "actual": True, "member": members},
    ]


async def authenticate(scope: Any) -> Agent:
    return AGENTS[dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")]


async def _status() -> Status:
    return Status(0, "memory", 0, [], [], [], 0, 0, None, None, None, 0, True, [])


@dataclass
class Walk:
    """`complaints`: whoever was told of without a row. `told`: labels of requests that told of somebody."""

    trial: Trial
    folder: Path
    complaints: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    asked: int = 0

    def __post_init__(self) -> None:
        self.trial.platform = replace(self.trial.platform, new_id=new_id)
        self.shelf = Shelf(self.folder / "exports")
        self.machines = api.app(self.trial.platform, authenticate, exports=self.shelf)
        folders = {each.name: discovery.folder(each.name) for each in discovery.services()}
        self.people = web.app(self.trial.platform, lambda name: AGENTS[name], _status, folders=folders)
        self.hashes = {word: self.trial.store.tokens.self(f"Patient/id-{word.lower()}") for word in WORDS}

    async def settle(self) -> None:
        """Everything is there before the walk begins."""
        async with self.trial.work() as work:
            for word in WORDS:
                for each in about(word):
                    await work.save(each, id=each["id"])
                    await work.save({**each, "language": "en"}, id=each["id"])
            for each in directory():
                await work.save(each, id=each["id"])

    async def ask(
        self, who: str, method: str, path: str, body: Any = None, headers: "dict[str, str] | None" = None
    ) -> httpx.Response:
        """One request of a machine."""
        given = {"authorization": f"Bearer {who}", "content-type": FHIR} | (headers or {})
        content = body if isinstance(body, str) else codec.encode(body).decode() if body is not None else None
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.machines), base_url="http://walk/fhir", headers=given
        ) as client:
            return await self._heard(
                f"{method} {path}", who, content or "", lambda: client.request(method, path, content=content)
            )

    async def visit(self, who: str, path: str, form: "dict[str, str] | None" = None) -> httpx.Response:
        """One page; with a form, it is sent."""
        sent = {**form, "form": Viewer(None, ENGLISH, session=who).form_token()} if form is not None else None
        method = "POST" if sent is not None else "GET"
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.people), base_url="http://walk", cookies={"commonweal": who}
        ) as client:
            return await self._heard(
                f"{method} page {path}", who, str(sent), lambda: client.request(method, path, data=sent)
            )

    async def _heard(self, label: str, who: str, brought: str, send: Callable[[], Any]) -> httpx.Response:
        before = len(self.trial.store.audited)
        answer: httpx.Response = await send()
        self.asked += 1
        rows = [row for _, row in self.trial.store.audited[before:]]
        self._compare(label, who, brought, answer, rows)
        if answer.status_code in (403, 500) and not any(row.outcome >= 400 for row in rows):
            self.complaints.append(f"{label} as {who}: {answer.status_code} without a row")
        return answer

    def _compare(
        self, label: str, who: str, brought: str, answer: httpx.Response, rows: Sequence[Audited]
    ) -> None:
        named = {hash for row in rows for hash in row.patients}
        for word in self._words(answer.text, label + brought):
            self.told.add(label)
            if self.hashes[word] not in named:
                self.complaints.append(f"{label} as {who}: {word} was told of and is in no row")

    def _words(self, text: str, brought: str) -> Iterable[str]:
        for word in WORDS:
            if word.lower() not in brought.lower():
                found = word.lower() in text.lower()
            else:
                found = word in text and word not in brought
            if found:
                yield word

    async def export(self, who: str, path: str) -> None:
        """Begin, let the background worker do it, and fetch every file; the worker's rows are the order's."""
        before = len(self.trial.store.audited)
        begun = await self.ask(who, "GET", path, headers={"prefer": "respond-async"})
        if begun.status_code != 202:
            return
        while await self._exporter().tick():
            continue
        address = begun.headers["content-location"].partition("/fhir")[2]
        told = (await self.ask(who, "GET", address)).json()
        rows = [row for _, row in self.trial.store.audited[before:]]
        for item in told["output"]:
            seen = len(self.trial.store.audited)
            place = item["url"].partition("/fhir")[2]
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self.machines), base_url="http://walk/fhir"
            ) as client:
                answer = await client.get(place, headers={"authorization": f"Bearer {who}"})
            fetched = [row for _, row in self.trial.store.audited[seen:]]
            order = place.split("/")[2]
            assert any(order in row.query for row in fetched), f"{place} was fetched without a row"
            own = [row for row in rows if row.work == order]
            self._compare(f"file of {path}", who, "", answer, own)

    def _exporter(self) -> Exporter:
        async def take(name: str) -> Lease | None:
            return Lease(name, "walk", 1, 0)

        async def settled(time: int) -> None:
            """Nothing is ever open."""

        return Exporter(self.trial.platform, self.shelf, take, settled, 60)

    def pages(self) -> list[tuple[str, tuple[str, ...], str]]:
        """Every page there is, with all that its address may be filled with: (path, methods, declared path)."""
        site = self.people.state.site
        found = []
        for each in site.pages:
            for path in filled(each.path):
                found.append((path, each.methods, each.path))
        return found


FILLINGS = {
    "id": ("id-wombat", "test-quokka", "visit-numbat", "county", "x"),
    "type": ("Patient", "Observation", "Encounter"),
    "version": ("1",),
}


def filled(path: str) -> list[str]:
    """The addresses of a page."""
    names = [part.partition("}")[0] for part in path.split("{")[1:]]
    choices = [FILLINGS.get(name, ("x",)) for name in names]
    return [path.format(**dict(zip(names, choice, strict=True))) for choice in product(*choices)]
