"""Requests to tell somebody by phone are fulfilled, once, and what became of them is written back."""

from typing import Any

import pytest

from commonweal.boot.trial import Trial
from commonweal.external.gateway import Undelivered
from commonweal.external.notifying import WAITS, Notifier
from commonweal.fhir import codec
from commonweal.identity.house import Message

MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
PERSON = {
    "resourceType": "Patient",
    "id": "li",
    "telecom": [
        {"system": "phone", "value": "139 0000 0000", "use": "old"},
        {"system": "phone", "value": "138-0013-8000"},
        {"system": "sms", "value": "+8613800138001", "rank": 1},
        {"system": "email", "value": "li@example.org"},
    ],
}


def request(**changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "CommunicationRequest",
        "id": "r1",
        "status": "active",
        "medium": [{"coding": [{"system": MODES, "code": "SMSWRIT"}]}],
        "subject": {"reference": "Patient/li"},
        "recipient": [{"reference": "Patient/li"}],
        "payload": [{"contentString": "Your record was opened in an emergency."}],
        "authoredOn": "2026-01-05T09:00:00Z",
    } | changed


class Phones:
    """A line that keeps what it is given, or refuses."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Message]] = []
        self.refuses: Undelivered | None = None

    async def deliver(self, message: Message, key: str) -> None:
        if self.refuses:
            raise self.refuses
        self.told.append((key, message))


class Desk:
    """A trial with a notifier over a line of its own, and a clock for its waits."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.phones, self.clock = trial, Phones(), 0.0
        self.notifier = Notifier(trial.platform, trial.feed, self.phones, "test", lambda: self.clock)

    async def save(self, *resources: dict[str, Any]) -> None:
        async with self.trial.work() as work:
            for each in resources:
                await work.save(each)

    async def settle(self) -> None:
        while await self.notifier.tick():
            continue

    async def request(self) -> dict[str, Any]:
        async with self.trial.work() as work:
            return codec.parse((await work.read("CommunicationRequest", "r1")).body)

    async def communications(self) -> list[dict[str, Any]]:
        async with self.trial.work() as work:
            page = await work.search("Communication?based-on=CommunicationRequest/r1")
            return [codec.parse(each.body) for each in page.matches]


@pytest.fixture
def desk(trial: Trial) -> Desk:
    return Desk(trial)


async def test_a_message_is_sent_once_and_written_back(desk: Desk) -> None:
    await desk.save(PERSON, request())
    await desk.settle()
    await desk.settle()
    ((key, message),) = desk.phones.told
    assert (key, message.channel, message.to) == ("r1-0", "sms", "+8613800138001")
    assert message.text == "Your record was opened in an emergency."
    assert (await desk.request())["status"] == "completed"
    (told,) = await desk.communications()
    assert (told["status"], told["recipient"]) == ("completed", [{"reference": "Patient/li"}])
    assert "sent" in told and "payload" not in told


async def test_a_call_goes_to_a_phone(desk: Desk) -> None:
    call = [{"coding": [{"system": MODES, "code": "PHONE"}]}]
    await desk.save(PERSON, request(medium=call))
    await desk.settle()
    assert [(m.channel, m.to) for _, m in desk.phones.told] == [("voice", "+8613800138000")]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "draft"},
        {"status": "revoked"},
        {"medium": [{"coding": [{"system": MODES, "code": "WRITTEN"}]}]},
        {"medium": [{"text": "by pigeon"}]},
    ],
)
async def test_what_is_not_for_phones_is_left(desk: Desk, changed: dict[str, Any]) -> None:
    await desk.save(PERSON, request(**changed))
    await desk.settle()
    assert not desk.phones.told and not await desk.communications()


@pytest.mark.parametrize(
    "resources",
    [
        [{"resourceType": "Patient", "id": "li"}, request()],
        [PERSON | {"telecom": [{"system": "phone", "value": "none"}]}, request()],
        [PERSON, request(payload=[{"contentReference": {"reference": "Patient/li"}}])],
    ],
)
async def test_whoever_cannot_be_told_is_said(desk: Desk, resources: list[dict[str, Any]]) -> None:
    await desk.save(*resources)
    await desk.settle()
    assert (await desk.request())["status"] == "on-hold"
    (told,) = await desk.communications()
    assert told["status"] == "not-done" and told["statusReason"]["text"]


async def test_while_the_gateway_is_down_all_waits_longer_each_time(desk: Desk) -> None:
    await desk.save(PERSON, request())
    desk.phones.refuses = Undelivered("the gateway answered 503", True)
    for wait in WAITS:
        await desk.settle()
        assert (await desk.request())["status"] == "active"
        asked = desk.phones.refuses
        desk.phones.refuses = None
        await desk.settle()
        assert not desk.phones.told, "it waits before it asks again"
        desk.phones.refuses = asked
        desk.clock += wait + 0.1
    desk.phones.refuses = None
    await desk.settle()
    assert len(desk.phones.told) == 1
    assert (await desk.request())["status"] == "completed"


async def test_what_is_refused_for_good_or_waited_too_long_is_given_up(desk: Desk) -> None:
    await desk.save(PERSON, request())
    desk.phones.refuses = Undelivered("the gateway answered 400", False)
    await desk.settle()
    assert (await desk.request())["statusReason"]["text"] == "the gateway answered 400"


async def test_after_two_days_it_is_given_up(desk: Desk) -> None:
    await desk.save(PERSON, request(authoredOn="2026-01-01T09:00:00Z"))
    desk.phones.refuses = Undelivered("the gateway answered 503", True)
    await desk.settle()
    assert (await desk.request())["status"] == "on-hold"


async def test_a_message_that_was_handed_over_before_a_crash_keeps_its_key(desk: Desk) -> None:
    await desk.save(PERSON, request())
    failing = desk.notifier._write_back

    async def dies(*_: object) -> None:
        raise RuntimeError("the machine is gone")

    desk.notifier._write_back = dies  # type: ignore[method-assign, assignment]
    await desk.settle()
    desk.notifier._write_back = failing  # type: ignore[method-assign]
    await desk.settle()
    assert {key for key, _ in desk.phones.told} == {"r1-0"}
    assert (await desk.request())["status"] == "completed"
