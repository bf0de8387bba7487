"""What an operation is given: body and address as one Parameters resource.

https://hl7.org/fhir/R4/operations.html#request
"""

from typing import Any

from commonweal.api.request import Pairs, Request
from commonweal.api.rest.instance import checked_id
from commonweal.fhir import codec

Json = dict[str, Any]
INSTANCE = "_instance"
"""Name of the parameter by which an operation learns that it was called on "Type/id"."""


def parameters_of(request: Request) -> Json:
    """Those of the address come first, as strings; a body that is no Parameters is the one named resource."""
    said: list[Json] = [{"name": name, "valueString": value} for name, value in request.asked]
    if request.body:
        body = codec.check(request.body)
        if body["resourceType"] != "Parameters":
            body = {"parameter": [{"name": "resource", "resource": body}]}
        said += body.get("parameter", [])
    return {"resourceType": "Parameters", "parameter": said}


def with_instance(request: Request, parameters: Json) -> Json:
    """The same with the instance that it was called on, which no caller can state otherwise."""
    said = [each for each in parameters["parameter"] if each.get("name") != INSTANCE]
    if len(request.segments) == 3:
        type, id, _ = request.segments
        reference = {"reference": f"{type}/{checked_id(type, id)}"}
        said.append({"name": INSTANCE, "valueReference": reference})
    return {**parameters, "parameter": said}


def as_pairs(parameters: Json) -> Pairs:
    """Parameters with a primitive value as names and texts, as if they had come with the address."""
    return [
        (each["name"], str(value))
        for each in parameters["parameter"]
        for key, value in each.items()
        if key.startswith("value") and isinstance(value, (str, int))
    ]
