"""Operations: those built in here and those of the services, https://hl7.org/fhir/R4/operations.html."""

from commonweal.api import validating
from commonweal.api.answer import Answer
from commonweal.api.bulk import exporting, importing
from commonweal.api.negotiate import check_media
from commonweal.api.request import Handler, Request
from commonweal.api.rest import everything, metas
from commonweal.api.rest.given import parameters_of, with_instance
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.work import Work

READING: dict[str, Handler] = {
    "$export": exporting.of_system,
    "Patient/$export": exporting.of_patients,
    "Group/id/$export": exporting.of_group,
    "Patient/id/$everything": everything.everything,
    "Encounter/id/$everything": everything.everything,
    "Type/$validate": validating.judged,
    "Type/id/$validate": validating.judged,
    "Type/id/$meta": metas.shown,
    "Type/id/_history/vid/$meta": metas.shown,
}
WRITING: dict[str, Handler] = {
    "Type/id/$meta-add": metas.add,
    "Type/id/$meta-delete": metas.take_away,
    "$import": importing.imported,
}
TAKES = {"$import": ("application/fhir+ndjson", "application/ndjson", "application/x-ndjson")}
"""Media types of those that take something else than FHIR's JSON."""


async def ask(request: Request, work: Work) -> Answer:
    """GET …/$name?…: only what changes nothing may be asked so."""
    return await _run(request, work)


async def call(request: Request, work: Work) -> Answer:
    """POST …/$name with Parameters, or a resource that is the only parameter."""
    if request.body:
        check_media(request.headers.get(b"content-type", b""), *TAKES.get(_name(request.segments), ()))
    return await _run(request, work)


async def _run(request: Request, work: Work) -> Answer:
    is_get = request.method in ("GET", "HEAD")
    for address in _addresses(request.segments):
        if address in READING or (address in WRITING and not is_get):
            return await (READING | WRITING)[address](request, work)
        if address in WRITING:
            raise Problem.of("cw-method-not-allowed", method=request.method)
    operation = request.site.catalogue.operations.get(_name(request.segments))
    if operation is None:
        raise Problem.of("cw-unknown-operation", name=_name(request.segments)[:100])
    if is_get and operation.affects_state:
        raise Problem.of("cw-method-not-allowed", method=request.method)
    parameters = with_instance(request, parameters_of(request))
    return Answer(200, codec.encode(await work.operation(operation.name, parameters)))


def _name(segments: tuple[str, ...]) -> str:
    return segments[0] if len(segments) == 1 else f"{segments[0]}/{segments[-1]}"


def _addresses(segments: tuple[str, ...]) -> tuple[str, str]:
    """The address with ids as such, for its own type and for any: "Patient/id/$meta" and "Type/id/$meta"."""
    said = zip(segments[1:], ("id", "Type", "vid", "last"), strict=False)
    rest = [word if word[:1] in ("$", "_") else kind for word, kind in said]
    return "/".join((segments[0], *rest)), "/".join(("Type", *rest))
