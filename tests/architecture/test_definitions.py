"""What services ship in their definitions is FHIR, and is where their manifests say it is."""

from typing import Any

import pytest

from commonweal.boot import discovery
from commonweal.fhir import codec

SHIPPED = [
    (service.name, resource)
    for service in discovery.services()
    for resource in discovery.definitions(service.name).resources
]


@pytest.mark.parametrize(
    ("service", "resource"), SHIPPED, ids=lambda each: each["id"] if isinstance(each, dict) else each
)
def test_a_definition_is_well_formed(service: str, resource: dict[str, Any]) -> None:
    codec.check(codec.encode(resource))


@pytest.mark.parametrize("service", discovery.services(), ids=lambda each: each.name)
def test_every_profile_that_is_claimed_is_shipped(service: Any) -> None:
    shipped = {each.get("url") for each in discovery.definitions(service.name).resources}
    assert {kind.profile for kind in service.owns if kind.profile} <= shipped
