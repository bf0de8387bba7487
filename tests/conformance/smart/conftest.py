"""The installation that these tests talk to."""

from collections.abc import AsyncIterator

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.conformance.smart.smart_world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    here = World()
    yield here
    await here.http.aclose()


@pytest.fixture(scope="session")
def ec_key() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "an-ec-key"})


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "an-rsa-key"})
