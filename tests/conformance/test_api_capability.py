"""What is said to be there is there: https://hl7.org/fhir/R4/http.html#capabilities, OpenAPI."""

import httpx

from commonweal.api.app import Api
from commonweal.api.route import ROUTES
from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES


async def test_the_statement_is_a_valid_resource_that_may_be_kept(fhir: httpx.AsyncClient) -> None:
    """#capabilities; ETag as for any resource"""
    answer = await fhir.get("/metadata")
    codec.check(answer.content, "CapabilityStatement")
    again = await fhir.get("/metadata", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_statement_names_what_is_there(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/R4/capabilitystatement.html: types, parameters, operations, a service's own too"""
    statement = (await fhir.get("/metadata")).json()
    rest = statement["rest"][0]
    types = {each["type"]: each for each in rest["resource"]}
    assert set(types) == RESOURCE_TYPES
    patient = types["Patient"]
    parameters = {each["name"]: each for each in patient["searchParam"]}
    assert parameters["birthdate"]["type"] == "date"
    assert parameters["nickname"]["definition"] == "http://example.org/SearchParameter/patient-nickname"
    assert {"everything", "export", "validate", "meta", "meta-add", "meta-delete", "shout"} == {
        each["name"] for each in patient["operation"]
    }
    assert "Observation:subject" in patient["searchRevInclude"]
    assert "Observation:subject" in types["Observation"]["searchInclude"]
    assert [each["name"] for each in rest["operation"]] == ["export", "import", "echo"]
    defined = {each["name"]: each["definition"] for each in rest["operation"]}
    assert defined["export"] == "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"
    assert statement["implementation"]["url"] == "http://test/fhir"


async def test_made_up_hosts_fill_no_memory(fhir: httpx.AsyncClient, fhir_app: Api) -> None:
    """The statement is kept for a few bases only"""
    for number in range(20):
        answer = await fhir.get("/metadata", headers={"Host": f"h{number}.example"})
        assert answer.json()["implementation"]["url"] == f"http://h{number}.example/fhir"
    assert len(fhir_app.site.kept["metadata"]) <= 8


async def test_openapi_lists_every_route(fhir: httpx.AsyncClient) -> None:
    """https://spec.openapis.org/oas/v3.1.0"""
    document = (await fhir.get("/openapi.json")).json()
    said = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert len(said) == len(ROUTES)
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


async def test_the_page_is_plain(fhir: httpx.AsyncClient) -> None:
    """For people: no script, and nothing that a Host header could put into it"""
    page = await fhir.get("/openapi.html", headers={"Host": "evil.example"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in page.text and "/{type}/{id}" in page.text
    refused = await fhir.get("/openapi.html", headers={"Host": "<script>"})
    assert (refused.status_code, refused.headers["content-type"][:16]) == (400, "application/fhir")
