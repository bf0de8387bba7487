"""Messages to phones: delivered once, tried again, bounded, and never told in a log."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from commonweal.external import sms
from commonweal.external.gateway import Gateway, Undelivered
from commonweal.external.sms import FileLine, Sender
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Message

CODE = Message("sms", "+8613800138000", "Your code is 493817", "sign-in")
BODY = {"mobile": "{to}", "content": "Commonweal: {text} ({channel})", "more": [1, {"id": "{key}"}]}
Answer = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def sender(line: Any, pauses: list[float] | None = None, **more: Any) -> AsyncIterator[Sender]:
    """A sender at work, whose pauses are told and not waited for."""
    told = pauses if pauses is not None else []

    async def pause(seconds: float) -> None:
        told.append(seconds)
        await asyncio.sleep(0)

    keys = count(1)
    made = Sender(line, lambda: f"key-{next(keys)}", pause=pause, **more)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def gateway(answer: Answer, accepted: dict[str, Any] | None = None, **headers: str) -> Gateway:
    return Gateway("https://sms.example/send", BODY, accepted or {}, headers, httpx.MockTransport(answer))


async def test_on_a_laptop_messages_go_to_a_file_of_ones_own(tmp_path: Path) -> None:
    async with sender(sms.line(tmp_path)) as made:
        await made.send(CODE)
        await made.send(Message("voice", "+8613800138001", "验证码 一二三"))
        await made.settle()
    path = tmp_path / "messages.ndjson"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(line["channel"], line["text"]) for line in lines] == [
        ("sms", "Your code is 493817"),
        ("voice", "验证码 一二三"),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_put_there_by_somebody_else_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "messages.ndjson").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        await FileLine(tmp_path / "messages.ndjson").deliver(CODE, "1")
    assert not (tmp_path / "elsewhere").exists()


async def test_a_gateway_gets_what_its_template_says() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    await gateway(answer, Authorization="Bearer s3cret").deliver(CODE, "key-7")
    assert json.loads(seen[0].content) == {
        "mobile": "+8613800138000",
        "content": "Commonweal: Your code is 493817 (sms)",
        "more": [1, {"id": "key-7"}],
    }
    assert seen[0].headers["authorization"] == "Bearer s3cret"
    assert seen[0].headers["idempotency-key"] == "key-7"


async def test_a_text_cannot_change_the_shape_of_what_is_sent() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200)

    hostile = '","mobile":"+1","x":"{to}{text}'
    await gateway(answer).deliver(Message("sms", "+86", hostile), "1")
    assert seen[0]["content"] == f"Commonweal: {hostile} (sms)"
    assert seen[0]["mobile"] == "+86"


async def test_a_busy_gateway_is_asked_again_with_the_same_key() -> None:
    keys, pauses = [], []
    statuses = iter([503, 429, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(next(statuses))

    async with sender(gateway(answer), pauses, delays=(2.0, 8.0, 30.0)) as made:
        await made.send(CODE)
        await made.settle()
    assert keys == ["key-1"] * 3
    assert [each for each in pauses if each >= 1] == [2.0, 8.0]
    assert made.failed == 0


@pytest.mark.parametrize(
    ("status", "content", "tries"), [(400, b"", 1), (403, b"", 1), (500, b"", 3), (200, b'{"code":"1"}', 1)]
)
async def test_what_is_not_taken_is_reported_and_tells_nothing(
    status: int, content: bytes, tries: int
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, content=content)

    with structlog.testing.capture_logs() as logs:
        async with sender(gateway(answer, {"code": "0"}), delays=(1.0, 1.0)) as made:
            await made.send(CODE)
            await made.settle()
    assert (len(asked), made.failed) == (tries, 1)
    assert logs[-1]["event"] == "message not delivered"
    assert "493817" not in str(logs) and "13800138" not in str(logs)
    assert logs[-1]["to"] == "…00"


async def test_an_error_inside_tells_nothing_of_the_message() -> None:
    class Broken:
        async def deliver(self, message: Message, key: str) -> None:
            raise OSError(f"cannot write {message.text} for {message.to}")

    with structlog.testing.capture_logs() as logs:
        async with sender(Broken(), delays=()) as made:
            await made.send(CODE)
            await made.settle()
    assert logs[-1]["why"] == "OSError"
    assert "493817" not in str(logs) and "13800138" not in str(logs)


async def test_a_gateway_that_cannot_be_reached_is_asked_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to +8613800138000")

    with pytest.raises(Undelivered) as refused:
        await gateway(answer).deliver(CODE, "1")
    assert refused.value.again and "138" not in str(refused.value)


async def test_a_redirect_is_not_followed_with_the_secret() -> None:
    with pytest.raises(Undelivered):
        await gateway(lambda _: httpx.Response(307, headers={"location": "https://evil.example"})).deliver(
            CODE, "1"
        )


async def test_sending_returns_at_once_and_its_rate_is_bounded() -> None:
    pauses: list[float] = []
    never = asyncio.Event()

    class Stuck:
        async def deliver(self, message: Message, key: str) -> None:
            await never.wait()

    async with sender(Stuck(), pauses, a_second=4) as made:
        for _ in range(3):
            await asyncio.wait_for(made.send(CODE), 5)
        for _ in range(20):
            await asyncio.sleep(0)
    assert pauses == [0.25, 0.25, 0.25]


async def test_messages_without_end_are_refused() -> None:
    made = Sender(FileLine(Path("unused")), str)
    for _ in range(sms.WAITING):
        await made.send(CODE)
    with pytest.raises(Problem) as refused:
        await made.send(CODE)
    assert refused.value.status == 503


def test_settings_of_a_gateway_are_checked(tmp_path: Path) -> None:
    template, header = tmp_path / "template.json", tmp_path / "header"
    template.write_text(json.dumps({"body": BODY}))
    header.write_text("X-Key: abc\n")
    assert sms.line(tmp_path, "https://sms.example", str(template), str(header))
    for address, text, line in (
        ("http://sms.example", json.dumps({"body": BODY}), "X-Key: abc"),
        ("https://sms.example", "{}", "X-Key: abc"),
        ("https://sms.example", json.dumps({"body": {"a": "b"}}), "X-Key: abc"),
        ("https://sms.example", json.dumps({"body": BODY}), "no header"),
    ):
        template.write_text(text)
        header.write_text(line)
        with pytest.raises(ValueError):
            sms.line(tmp_path, address, str(template), str(header))


def test_a_number_is_masked() -> None:
    assert sms.masked("+8613800138000") == "…00"
    assert sms.masked("12345") == "…"
    assert "13800138000" not in repr(CODE)
