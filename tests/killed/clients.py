"""Sixteen clients that write without pause and remember what was acknowledged, through any death of the server."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

TAG = "urn:killed"


@dataclass(slots=True)
class Acknowledged:
    """What the server said it had done: versions by reference, and tags of whole transactions."""

    versions: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: list[str] = field(default_factory=list)
    asked_transactions: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def count(self) -> int:
        return len(self.versions) + len(self.transactions)


class Writers:
    """Creates, updates and transactions by turns until told to stop; a lost connection is tried again."""

    def __init__(self, base: str, token: str, clients: int = 16) -> None:
        self.told = Acknowledged()
        self._base = base
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        self._stop = asyncio.Event()
        self._clients = clients
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._write(n)) for n in range(self._clients)]

    async def until(self, count: int) -> None:
        """Wait until so much has been acknowledged."""
        async with asyncio.timeout(60):
            while self.told.count < count:
                await asyncio.wait(self._tasks, timeout=0.02)

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _write(self, client: int) -> None:
        number = 0
        async with httpx.AsyncClient(base_url=self._base, headers=self._headers, timeout=10) as http:
            while not self._stop.is_set():
                number += 1
                turn = (self._create, self._update, self._transact)[number % 3]
                try:
                    await turn(http, client, number)
                except httpx.TransportError:
                    self.told.refused += 1
                    await asyncio.wait({asyncio.create_task(self._stop.wait())}, timeout=0.05)

    async def _create(self, http: httpx.AsyncClient, client: int, number: int) -> None:
        self._note(await http.post("/Observation", json=_observation(f"{client}-{number}")))

    async def _update(self, http: httpx.AsyncClient, client: int, number: int) -> None:
        """Every client updates one resource of its own again and again, so that versions pile up."""
        body = {**_observation(f"own {number}"), "id": f"client-{client}"}
        self._note(await http.put(f"/Observation/client-{client}", json=body))

    async def _transact(self, http: httpx.AsyncClient, client: int, number: int) -> None:
        tag = f"t{client}-{number}"
        entry = [
            {
                "resource": {**_observation(str(part)), "meta": {"tag": [{"system": TAG, "code": tag}]}},
                "request": {"method": "POST", "url": "Observation"},
            }
            for part in range(5)
        ]
        self.told.asked_transactions.append(tag)
        answer = await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entry})
        if answer.status_code == 200:
            self.told.transactions.append(tag)
        else:
            self.told.refused += 1

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code not in (200, 201):
            self.told.refused += 1
            return
        body = answer.json()
        reference = f"Observation/{body['id']}"
        self.told.versions[reference] = int(body["meta"]["versionId"])
        self.told.bodies[reference] = body


def _observation(note: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/killed"},
        "effectiveDateTime": "2026-01-02T03:04:05Z",
        "valueQuantity": {"value": 72, "system": "http://unitsofmeasure.org", "code": "/min"},
        "note": [{"text": note}],
    }
