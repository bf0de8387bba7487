"""A large write is checked and indexed beside the event loop: https://hl7.org/fhir/R4/http.html#create."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from commonweal.platform.unit import LARGE
from tests.conformance.conftest import TESTER, platform


async def test_only_a_large_write_is_settled_aside() -> None:
    aside: list[str] = []

    async def noted(function: Callable[..., Any], *arguments: Any) -> Any:
        aside.append("aside")
        return function(*arguments)

    here = replace(platform(), aside=noted)
    head = b'{"resourceType":"Basic","code":{"text":"'
    for size, expected in ((10, 0), (LARGE, 2)):
        async with here.work(TESTER, single=True) as work:
            stored = await work.save(head + b"x" * size + b'"}}')
        assert stored.version == 1
        assert len(aside) == expected
