"""Passwords: what may be one, and that unknown logins take as long as known ones."""

import statistics
import time
from dataclasses import replace
from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import passwords, signing
from commonweal.identity.finishing import From
from commonweal.identity.parameters import Argon2
from tests.store.identity.conftest import House
from tests.store.identity.people import doctor


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "at least 12"),
        ("x" * 12, "too few characters"),
        ("abababababab", "too few characters"),
        ("PasswordPassword", "tries first"),
        ("Ｐａｓｓｗｏｒｄ12345", "tries first"),
        ("administrator!", "tries first"),
        ("1234567890123", "tries first"),
        ("qwertyuiopas", "tries first"),
        ("zyxwvutsrqpon", "tries first"),
        ("abc12abc12abc12", "tries first"),
        ("xx-Lin.Wei-2026", "contains the login"),
        ("i am weiwei today", "contains the login"),
        ("y7!" * 100, "at most 256"),
    ],
)
def test_what_may_not_be_a_password(house: House, password: str, why: str) -> None:
    decision = passwords.may_be(house.identity, password, "lin.wei", "Weiwei")
    assert any(why in reason for reason in decision.reasons)


@pytest.mark.parametrize(
    "password",
    [
        "a long walk by the river",
        "今天天气很好我们去公园散步吧",
        "tr0ub4dor&3 horse",
        "         a b c d",
        passwords.made(),
    ],
)
def test_what_may_be_a_password(house: House, password: str) -> None:
    assert passwords.may_be(house.identity, password, "lin.wei", "Wei", "")


async def test_a_password_fits_however_a_keyboard_makes_it(house: House) -> None:
    kept = await passwords.hashed(house.identity, "café au lait, s'il")
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await passwords.fits(house.identity, kept, "café au lait, s'il")
    for other in ("cafe au lait, s'il", "café au lait, s'il ", ""):
        assert not await passwords.fits(house.identity, kept, other)
    assert not await passwords.fits(house.identity, "", "anything")
    assert not await passwords.fits(house.identity, "damaged", "anything")


def test_made_passwords_differ_and_are_long() -> None:
    made = {passwords.made() for _ in range(100)}
    assert len(made) == 100 and {len(each) for each in made} == {23}


async def test_unknown_logins_take_as_long_as_known_ones(either: House) -> None:
    await doctor(either)
    slower = replace(
        either.identity.parameters, argon2=Argon2(memory_kib=4096, passes=2, lanes=1), delays=(0,)
    )
    identity: Any = replace(either.identity, parameters=slower)
    with pytest.raises(Problem):  # hashed anew, so that both are compared with the parameters of today
        await signing.begin(identity, "nobody", "wrong", From("192.0.2.1"))
    await signing.begin(identity, "lin", "a long walk by the river", From("192.0.2.1"))
    ratios = []
    for attempt in range(5):
        times: dict[str, list[float]] = {"lin": [], "nobody": []}
        for turn in range(30):
            for login in times if turn % 2 else reversed(times):
                address = From(f"10.{attempt}.{turn}.1")
                start = time.perf_counter()
                with pytest.raises(Problem, match="not right"):
                    await signing.begin(identity, login, "a wrong password", address)
                times[login].append(time.perf_counter() - start)
        known, unknown = map(statistics.median, times.values())
        ratios.append(known / unknown)
        if 0.9 < ratios[-1] < 1.1:
            return
    pytest.fail(f"sign-in takes another time for unknown logins: {ratios}")
