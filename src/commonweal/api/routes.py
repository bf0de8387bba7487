"""The interface as one table: shape of the address and method → interaction; OpenAPI is made of it too.

https://hl7.org/fhir/R4/http.html#summary
"""

from commonweal.api import (
    capability,
    conditional,
    entries,
    history,
    instance,
    openapi,
    operations,
    patching,
    searching,
)
from commonweal.api.route import Route

ROUTES: tuple[Route, ...] = (
    Route("GET", "metadata", "capabilities", capability.metadata, public=True),
    Route("GET", "openapi.json", "openapi", openapi.document, public=True, fhir=False),
    Route("GET", "openapi.html", "openapi-page", openapi.page, public=True, fhir=False),
    Route("POST", "", "batch or transaction", entries.bundle),
    Route("GET", "", "search-system", searching.system),
    Route("POST", "_search", "search-system by form", searching.system),
    Route("GET", "_history", "history-system", history.system),
    Route("GET", "Type", "search-type", searching.of_type),
    Route("POST", "Type/_search", "search-type by form", searching.of_type),
    Route("GET", "Type/id/Type", "search-compartment", searching.in_compartment),
    Route("POST", "Type/id/Type/_search", "search-compartment by form", searching.in_compartment),
    Route("GET", "Type/_history", "history-type", history.of_type),
    Route("GET", "Type/id/_history", "history-instance", history.of_instance),
    Route("GET", "Type/id", "read", instance.read, single=True),
    Route("GET", "Type/id/_history/vid", "vread", instance.vread, single=True),
    Route("POST", "Type", "create", conditional.create, single=True),
    Route("PUT", "Type/id", "update", instance.update, single=True),
    Route("PATCH", "Type/id", "patch", patching.patch),
    Route("DELETE", "Type/id", "delete", instance.delete, single=True),
    Route("PUT", "Type", "conditional update", conditional.update),
    Route("PATCH", "Type", "conditional patch", conditional.patch),
    Route("DELETE", "Type", "conditional delete", conditional.delete),
    Route("GET", "$", "operation", operations.ask),
    Route("POST", "$", "operation by form of Parameters", operations.call),
    Route("GET", "Type/$", "type operation", operations.ask),
    Route("POST", "Type/$", "type operation by Parameters", operations.call),
    Route("GET", "Type/id/$", "instance operation", operations.ask),
    Route("POST", "Type/id/$", "instance operation by Parameters", operations.call),
    Route("GET", "Type/id/_history/vid/$", "version operation", operations.ask),
)
