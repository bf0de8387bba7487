"""Fulfils requests to tell somebody by phone: https://hl7.org/fhir/R4/communicationrequest.html.

A request that is active and wants a message or a call is handed to the line to phones, and what became of it written
back: a Communication, and the request's own status. While the gateway is down nothing is given up: all waits, longer
each time. A process that dies in between hands the same message over again under the same key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog

from commonweal.access.agent import SYSTEM, Agent
from commonweal.external.gateway import Undelivered
from commonweal.external.sms import Line
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Message
from commonweal.identity.phones import normalised
from commonweal.platform.platform import Platform
from commonweal.platform.ports import Feed
from commonweal.platform.topic import Notice
from commonweal.platform.work import Work

log = structlog.get_logger("commonweal.external.notifying")

READER = "external:phones"
TOPICS = ("CommunicationRequest.created", "CommunicationRequest.updated")
AT_ONCE = 20
LEASE_SECONDS = 120
WAITS = (1.0, 5.0, 15.0, 60.0)
"""Seconds before the gateway is asked again, after each time it could not be reached."""
STALE = timedelta(days=2)
"""What could not be told for so long is given up, and says so [P]."""
CHANNELS: dict[str, Literal["sms", "voice"]] = {"SMSWRIT": "sms", "PHONE": "voice"}
"""v3-ParticipationMode: http://terminology.hl7.org/CodeSystem/v3-ParticipationMode."""
AGENT = Agent("system:phones", frozenset({SYSTEM}), "HOPERAT", name="phones")
Json = dict[str, Any]


class Notifier:
    """A job of the background worker; any number may run, one at a time works."""

    def __init__(
        self,
        platform: Platform,
        feed: Feed,
        line: Line,
        holder: str,
        clock: Callable[[], float],
        calling_code: str = "86",
    ) -> None:
        self._platform = platform
        self._feed = feed
        self._line = line
        self._holder = holder
        self._clock = clock
        self._calling_code = calling_code
        self._failures, self._until = 0, 0.0

    async def tick(self) -> bool:
        """Tell a few; True when there may be more at once."""
        if self._clock() < self._until:
            return False
        if await self._feed.lease(f"reader:{READER}", self._holder, LEASE_SECONDS) is None:
            return False
        notices = await self._feed.notices(READER, AT_ONCE, TOPICS)
        if not notices:
            await self._feed.skip(READER, TOPICS)
            return False
        return await self._all(notices)

    async def _all(self, notices: Sequence[Notice]) -> bool:
        done: list[Notice] = []
        held: set[str] = set()
        try:
            for notice in notices:
                if notice.subject in held:
                    continue
                if await self._one(notice):
                    done.append(notice)
                else:
                    held.add(notice.subject)
        except Undelivered:
            self._until = self._clock() + WAITS[min(self._failures, len(WAITS) - 1)]
            self._failures += 1
        else:
            self._failures = 0
        await self._feed.done(READER, done, TOPICS)
        return bool(done) and not self._failures

    async def _one(self, notice: Notice) -> bool:
        """False: something of ours was in the way, and it is tried again. Undelivered: the gateway was."""
        try:
            async with self._platform.work(AGENT) as work:
                await self._tell(work, notice.id)
        except Undelivered:
            raise
        except Exception as error:
            log.exception("request not fulfilled", request=notice.id, error=type(error).__name__)
            await self._feed.failed(READER, notice, type(error).__name__)
            return False
        return True

    async def _tell(self, work: Work, id: str) -> None:
        try:
            stored = await work.read("CommunicationRequest", id)
        except Problem:
            return  # it is gone, and with it the wish
        request = codec.parse(stored.body)
        channel = _channel(request)
        if request.get("status") != "active" or channel is None:
            return
        numbers = await self._numbers(work, request, channel)
        text = "\n".join(
            each["contentString"] for each in request.get("payload", []) if "contentString" in each
        )
        why = "" if numbers and text else "nobody to tell, or nothing to say"
        for number, to in enumerate(numbers if text else ()):
            try:
                await self._line.deliver(Message(channel, to, text, "request"), f"{id}-{number}")
            except Undelivered as refusal:
                if refusal.again and not _is_stale(request, work.now()):
                    raise
                why = str(refusal)
        await self._write_back(work, request, stored.version, why)

    async def _write_back(self, work: Work, request: Json, version: int, why: str) -> None:
        told: Json = {
            "resourceType": "Communication",
            "status": "not-done" if why else "completed",
            "basedOn": [{"reference": f"CommunicationRequest/{request['id']}"}],
            "sent": work.now().isoformat(timespec="seconds"),
        }
        told |= {
            name: request[name] for name in ("category", "medium", "subject", "recipient") if name in request
        }
        changed = request | {"status": "on-hold" if why else "completed"}
        if why:
            told = {key: value for key, value in told.items() if key != "sent"} | {
                "statusReason": {"text": why}
            }
            changed["statusReason"] = {"text": why}
            log.error("request could not be fulfilled", request=request["id"], why=why)
        await work.save(told, because="told, or why not")
        await work.save(changed, because="told, or why not", if_match=version)

    async def _numbers(self, work: Work, request: Json, channel: str) -> list[str]:
        """One number of each recipient that has any."""
        named = [each.get("reference", "").split("/") for each in request.get("recipient", [])]
        wanted = [(parts[-2], parts[-1]) for parts in named if len(parts) > 1]
        found = [codec.parse(each.body) for each in await work.read_all(wanted) if each is not None]
        numbers = (self._number(each.get("telecom", []), channel) for each in found)
        return list(dict.fromkeys(each for each in numbers if each))

    def _number(self, telecom: Sequence[Json], channel: str) -> str | None:
        systems = ("sms", "phone") if channel == "sms" else ("phone",)
        fit = [each for each in telecom if each.get("system") in systems and each.get("use") != "old"]
        fit.sort(key=lambda each: (systems.index(each["system"]), each.get("rank", 99)))
        numbers = (normalised(each.get("value", ""), self._calling_code) for each in fit)
        return next((each for each in numbers if each), None)


def _channel(request: Json) -> Literal["sms", "voice"] | None:
    codes = [c.get("code", "") for medium in request.get("medium", []) for c in medium.get("coding", [])]
    return next((CHANNELS[code] for code in codes if code in CHANNELS), None)


def _is_stale(request: Json, now: datetime) -> bool:
    """Has it waited too long? One that does not say since when has not."""
    try:
        authored = datetime.fromisoformat(request.get("authoredOn", ""))
    except ValueError:
        return False
    return authored.tzinfo is not None and now - authored > STALE
