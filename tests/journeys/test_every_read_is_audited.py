"""No answer tells of a person without a row that names them: the walk over all pages and all of the API compares."""

from pathlib import Path
from typing import Any

import pytest

from commonweal.access import Permission
from commonweal.boot import discovery
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue, Definitions
from commonweal.platform.service import Operation, Service
from commonweal.platform.unit import Unit
from commonweal.platform.work import Work
from tests.journeys.walking import AGENTS, WORDS, Walk

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "src/commonweal/web/static/built/manifest.json"
JSON_PATCH = {"content-type": "application/json-patch+json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
READS = (
    "/Patient/id-wombat", "/Patient/id-quokka/_history/1", "/Patient/id-wombat/_history", "/Patient/_history",
    "/_history", "/Observation/test-quokka", "/Patient", "/Observation?_count=2", "/Patient?name=ann",
    "/Patient?identifier=urn:walk:id|number-numbat", "/Patient?birthdate=1980", "/?_type=Patient,Observation",
    "/Observation?_include=Observation:subject", "/Observation?_include=*", "/Patient?_revinclude=Observation:subject",
    "/Patient?_revinclude=Encounter:subject&_revinclude:iterate=Observation:encounter",
    "/Patient?_has:Observation:patient:code:text=test", "/Observation?subject:Patient.name=ann",
    "/Encounter?_elements=subject", "/Patient?_summary=true", "/Patient?_summary=text", "/Observation?_summary=count",
    "/Patient/id-wombat/Observation", "/Patient/id-quokka/*", "/Patient/id-wombat/$everything",
    "/Encounter/visit-quokka/$everything", "/Patient/id-numbat/$meta", "/Observation?_sort=-date&_total=accurate",
    "/Condition?patient=id-wombat", "/DocumentReference", "/Appointment?actor=Patient/id-quokka", "/RelatedPerson",
    "/Group/all", "/Group?member=Patient/id-wombat", "/AuditEvent", "/AuditEvent?patient=id-quokka",
    "/Provenance?target=Patient/id-wombat", "/Patient/id-wombat/AuditEvent", "/metadata", "/Practitioner/doctor",
    "/Location?_revinclude=Encounter:location", "/Nothing", "/Patient/nobody", "/Patient?unknown=x",
)  # fmt: skip
TELLING = {
    "operator": (
        "GET /Patient/id-wombat", "GET /Patient/id-quokka/_history/1", "GET /Patient/_history", "GET /_history",
        "GET /Observation?_include=Observation:subject", "GET /Patient?_revinclude=Observation:subject",
        "GET /Patient/id-wombat/$everything", "GET /Patient/id-numbat/$meta", "GET /AuditEvent",
        "POST /Patient/_search", "POST /", "PATCH /Observation/test-quokka",
        "file of /$export", "file of /Patient/$export", "file of /Group/all/$export",
        "GET page /?name=ann", "GET page /people/id-wombat",
        "GET page /record/Observation?parameter=status&value=final", "GET page /record/Observation/test-quokka/json",
        "GET page /record/Encounter/visit-numbat/referring", "GET page /audit", "GET page /audit/export?format=ndjson",
    ),
}  # fmt: skip
"""What must have told of somebody, so that the walk is no walk past closed doors."""


@pytest.fixture
async def walk(trial: Trial, tmp_path: Path) -> Walk:
    if not BUILT.is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    walk = Walk(trial, tmp_path)
    await walk.settle()
    return walk


async def machines(walk: Walk, who: str) -> None:
    """Every way to ask over the API."""
    for path in READS:
        await walk.ask(who, "GET", path)
    await walk.ask(who, "POST", "/Patient/_search", "name=ann", FORM)
    await walk.ask(who, "GET", "/Patient/id-wombat", headers={"if-none-match": 'W/"2"'})
    entries = [
        {"request": {"method": "GET", "url": url}} for url in ("Patient/id-wombat", "Observation?_count=3")
    ]
    for type in ("batch", "transaction"):
        await walk.ask(who, "POST", "/", {"resourceType": "Bundle", "type": type, "entry": entries})
    patch = '[{"op": "add", "path": "/issued", "value": "2026-01-01T00:00:00Z"}]'
    await walk.ask(who, "PATCH", "/Observation/test-quokka", patch, JSON_PATCH)
    await walk.ask(who, "PATCH", "/Observation?code:text=numbat", patch, JSON_PATCH)
    none = {"if-none-exist": "identifier=urn:walk:id|number-quokka"}
    await walk.ask(who, "POST", "/Patient", {"resourceType": "Patient"}, none)
    await walk.ask(who, "PUT", "/Patient?identifier=urn:walk:id|none-at-all", {"resourceType": "Patient"})
    await walk.ask(who, "DELETE", "/RelatedPerson/kin-numbat")
    await walk.ask(who, "DELETE", "/Observation?code:text=nothing")
    for path in ("/$export", "/Patient/$export", "/Group/all/$export"):
        await walk.export(who, path)


async def operations(walk: Walk, who: str) -> None:
    """Every operation that a service declares, asked with what it may want to know."""
    values: list[dict[str, Any]] = [
        {"name": name, "valueReference": {"reference": "Patient/id-wombat"}}
        for name in ("patient", "source", "person", "subject", "child", "source-patient")
    ]
    values += [
        {"name": name, "valueReference": {"reference": "Patient/id-quokka"}}
        for name in ("target", "target-patient")
    ]
    values += [{"name": name, "valueString": "because"} for name in ("reason", "because", "name", "family")]
    parameters = {"resourceType": "Parameters", "parameter": values}
    for name in sorted(walk.trial.platform.catalogue.operations):
        type, _, operation = name.rpartition("/")
        places = [f"/{type}/{operation}" if type else f"/{operation}"]
        places += [f"/{type}/id-wombat/{operation}"] if type else []
        for place in places:
            await walk.ask(who, "POST", place, parameters)
            await walk.ask(who, "POST", place, {"resourceType": "Parameters"})
            await walk.ask(who, "GET", f"{place}?patient=Patient/id-wombat")


PAGES = (
    "/?name=ann", "/?born=1980", "/record/Observation?parameter=status&value=final",
    "/record/Patient?parameter=name&value=ann", "/record/Patient/id-wombat/changes?from=1&to=2",
    "/record/Observation/mention", "/audit?did=changed", "/audit/export?format=ndjson", "/audit/export?format=csv",
)  # fmt: skip


async def pages(walk: Walk, who: str) -> None:
    """Every page, filled with what is there, and those that are asked something."""
    for path, methods, _ in walk.pages():
        if "GET" in methods:
            await walk.visit(who, path)
    for path in PAGES:
        await walk.visit(who, path)


async def forms(walk: Walk, who: str) -> None:
    """Every form, sent empty and sent with a person."""
    for path, methods, _ in walk.pages():
        if "POST" in methods:
            await walk.visit(who, path, {})
            await walk.visit(
                who, path, {"patient": "id-wombat", "person": "id-wombat", "id": "id-wombat", "name": "ann"}
            )


@pytest.mark.parametrize("who", AGENTS)
async def test_whoever_is_told_of_is_named(walk: Walk, who: str) -> None:
    for part in (pages, machines, operations, forms):
        await part(walk, who)
    assert not walk.complaints, "\n".join(sorted(set(walk.complaints)))
    missing = [label for label in TELLING.get(who, ()) if label not in walk.told]
    assert not missing, f"these told of nobody: {missing}"
    assert walk.asked > 100


@pytest.mark.parametrize("left_out", ["read", "vread", "read-all", "search", "history", "journal"])
async def test_a_read_without_its_row_is_noticed(
    walk: Walk, left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Unit._audit

    async def short(self: Unit, interaction: str, *rest: Any, **named: Any) -> None:
        if interaction != left_out:
            await whole(self, interaction, *rest, **named)

    monkeypatch.setattr(Unit, "_audit", short)
    await pages(walk, "operator")
    await machines(walk, "operator")
    assert walk.complaints


def test_the_words_stand_in_no_address() -> None:
    assert not [word for word in WORDS if any(word in path for path in (*READS, *PAGES))]


async def crash(work: Work, parameters: dict[str, Any]) -> dict[str, Any]:
    """Ends the work in the middle."""
    await work.read("Patient", "id-wombat")
    raise RuntimeError("planted")


async def cost(work: Work, parameters: dict[str, Any]) -> dict[str, Any]:
    raise Problem.too_costly("planted")


async def go_away(work: Work, parameters: dict[str, Any]) -> dict[str, Any]:
    raise Problem.of("cw-unavailable", why="planted")


FAULTS = {"$crash": (crash, 500), "$cost": (cost, 403), "$go-away": (go_away, 503)}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_failure_leaves_its_row(name: str, tmp_path: Path) -> None:
    faults = Service(
        name="faults",
        title="Faults",
        permissions=[Permission("fault.make", "Make a fault", ("operator",), ("*",))],
        operations=[Operation(each, "fault.make", run, "Fail") for each, (run, _) in FAULTS.items()],
    )
    services = (*discovery.services(), faults)
    definitions = {each.name: discovery.definitions(each.name) for each in discovery.services()}
    catalogue = Catalogue(services, {**definitions, "faults": Definitions([])}, discovery.RECORD)
    walk = Walk(Trial(catalogue), tmp_path)
    await walk.settle()
    before = len(walk.trial.store.audited)
    answer = await walk.ask("operator", "POST", f"/{name}", {"resourceType": "Parameters"})
    rows = [row for _, row in walk.trial.store.audited[before:]]
    status = FAULTS[name][1]
    assert answer.status_code == status
    assert [row.outcome for row in rows if row.outcome >= 400] == [status]
    assert all(row.agent == "operator" and row.role == "operator" for row in rows)
