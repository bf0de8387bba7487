"""What a person permits and forbids, and what comes of it for those who look."""

from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.boot.trial import Trial
from commonweal.fhir.outcome import Problem
from commonweal.services.privacy.rules import consents
from commonweal.services.privacy.tests.conftest import Ask
from commonweal.services.privacy.tests.county import DOCTOR, NUMBERS, WANG, ZHAO, read, reference, resources

Json = dict[str, Any]
PERMIT = {
    "patient": "Patient/wang", "type": "permit", "party": "Organization/hospital", "party_name": "洪湖医院",
    "label": "PSY", "purpose": "TREAT", "until": "2026-06-30",
}  # fmt: skip
DENY = {"patient": "Patient/wang", "type": "deny", "party": "Practitioner/chen", "party_name": "陈明"}
VISIT = {
    "resourceType": "Encounter",
    "status": "in-progress",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/wang"},
    "participant": [{"individual": {"reference": "Practitioner/chen"}}],
}
MOOD = {
    "resourceType": "Observation",
    "status": "final",
    "meta": {"security": [{"system": consents.LABEL, "code": "PSY"}]},
    "code": {"text": "mood"},
    "subject": {"reference": "Patient/wang"},
}


@pytest.fixture
async def cared_for(county: Trial) -> Trial:
    """The doctor looks after her, and there is a note of her mood."""
    async with county.work() as work:
        await work.save(VISIT)
        await work.save(MOOD)
    return county


async def _seen(trial: Trial, agent: Agent) -> int:
    async with trial.work(agent=agent) as work:
        return await work.count("Observation?subject=Patient/wang")


async def test_a_sensitive_kind_is_seen_by_whom_it_is_permitted_while_it_is(
    cared_for: Trial, ask: Ask
) -> None:
    assert await _seen(cared_for, DOCTOR) == 1
    consent = reference(await ask(WANG, "Patient/$give-consent", **PERMIT), "consent")
    assert await _seen(cared_for, DOCTOR) == 2
    await ask(WANG, "$withdraw-consent", consent=consent)
    assert await _seen(cared_for, DOCTOR) == 1
    assert await _seen(cared_for, WANG) == 2


async def test_whoever_is_kept_out_sees_nothing_until_it_is_withdrawn(cared_for: Trial, ask: Ask) -> None:
    consent = reference(await ask(WANG, "Patient/$give-consent", **DENY), "consent")
    assert "end" not in (await read(cared_for, consent))["provision"]["period"]
    assert await _seen(cared_for, DOCTOR) == 0
    await ask(WANG, "$withdraw-consent", consent=consent)
    assert await _seen(cared_for, DOCTOR) == 1


async def test_an_emergency_opens_what_was_denied_and_what_is_sensitive(cared_for: Trial, ask: Ask) -> None:
    """As the page says before somebody is kept out; the person is told."""
    await ask(WANG, "Patient/$give-consent", **DENY)
    assert await _seen(cared_for, DOCTOR) == 0
    who = {"identifier": NUMBERS["wang"], "birthDate": "1988-03-15", "code": "life-threatening"}
    await ask(DOCTOR, "Patient/$emergency-access", **who, reason="a haemorrhage after delivery")
    assert await _seen(cared_for, DOCTOR) == 2


async def test_a_proxy_sees_a_sensitive_kind_only_when_it_is_permitted(cared_for: Trial, ask: Ask) -> None:
    to_zhao = {"patient": "Patient/wang", "identifier": NUMBERS["zhao"], "family": "赵", "given": "安"}
    await ask(WANG, "Patient/$grant-proxy", **to_zhao, until="2026-12-31")
    assert await _seen(cared_for, ZHAO) == 1
    permitted = PERMIT | {"party": "Patient/zhao", "party_name": "赵安", "purpose": "PATRQT"}
    await ask(WANG, "Patient/$give-consent", **permitted)
    assert await _seen(cared_for, ZHAO) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"party": ""}, "say who may see it"),
        ({"label": ["PSY", "HIV"]}, "each sensitive kind takes a consent of its own"),
        ({"label": []}, "each sensitive kind takes a consent of its own"),
        ({"label": "ALL"}, "there is no such kind or purpose"),
        ({"purpose": []}, "say for what it may be used"),
        ({"until": ""}, "what is permitted has an end"),
        ({"until": "2026-01-04"}, "the last day has passed"),
        ({"until": "2031-01-06"}, "the last day is too far away"),
    ],
)
async def test_what_is_permitted_is_one_kind_for_a_purpose_until_a_day(
    ask: Ask, wrong: Json, said: str
) -> None:
    with pytest.raises(Problem, match=said):
        await ask(WANG, "Patient/$give-consent", **(PERMIT | wrong))


async def test_nobody_decides_for_another(ask: Ask) -> None:
    for name in ("Patient/$give-consent", "Patient/$consents", "Patient/$privacy-cases"):
        with pytest.raises(Problem) as refusal:
            await ask(ZHAO, name, **PERMIT)
        assert refusal.value.status == 403
    assert not resources(await ask(WANG, "Patient/$consents", patient="Patient/wang"), "consent")


async def test_consents_of_others_are_not_ended_here(county: Trial, ask: Ask) -> None:
    """What was not decided here (a consent to an operation) is the business of whoever recorded it."""
    paper = {
        "resourceType": "Consent", "status": "active", "scope": {"text": "treatment"},
        "category": [{"text": "operation"}], "patient": {"reference": "Patient/wang"},
        "policyRule": {"text": "x"}, "organization": [{"reference": "Organization/hospital"}],
    }  # fmt: skip
    async with county.work() as work:
        stored = await work.save(paper)
    with pytest.raises(Problem) as refusal:
        await ask(WANG, "$withdraw-consent", consent=stored.reference)
    assert refusal.value.status == 404
