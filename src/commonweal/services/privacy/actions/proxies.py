"""Who acts for whom: granted by the person, by being a parent, by a document; ended, and disputed."""

from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform import Work
from commonweal.platform.ports import Stored
from commonweal.services.privacy import queries
from commonweal.services.privacy.actions.duties import (
    admitted,
    asker,
    consent_of,
    decides_for,
    duty,
    end_consent,
    existing,
    moment,
    must_decide_for,
    notice_to,
    said,
)
from commonweal.services.privacy.rules import consents, people
from commonweal.services.privacy.rules.consents import Party

Json = dict[str, Any]
TOLD = (
    "Somebody was recorded as acting for you. Who it is, and until when, is written under “Who acts for whom”; there "
    "you can dispute it. 已登记他人为您的代理人。代理人及期限见“代理关系”，您可在该处提出争议。"
)


async def grant(work: Work, patient: str, proxy: Json | None, types: list[str], until: str) -> Stored:
    """A person lets somebody act for them until a last day, for some types of records or for all."""
    await must_decide_for(work, patient)
    proxy = existing(proxy)
    ward = await queries.person(work, patient)
    years = work.parameter("proxy_years_most", work.now())
    latest = people.years_after(queries.today(work), years)
    admitted(people.may_last(until, queries.today(work), latest), "Consent.provision.period")
    return await _act(work, ward, proxy, people.CHOSEN, types, until, "")


async def record_parent(work: Work, child: Json | None, parent: Json | None, document: str) -> Stored:
    """A parent of a child is recorded at a help desk; until the child is old enough to be asked itself."""
    child, parent = existing(child), existing(parent)
    years = work.parameter("guardian_consent_years", work.now())
    born = child.get("birthDate", "")
    admitted(people.may_be_child(born, queries.today(work), years), "Patient.birthDate")
    until = people.day_before(people.years_after(born, years))
    return await _act(work, child, parent, people.PARENT, [], until, document)


async def record_guardian(work: Work, ward: Json | None, guardian: Json | None, document: str) -> Stored:
    """A guardian by document is recorded at a help desk: a Consent; or the Task of a conflict, where somebody else
    acts by law for this person already."""
    ward, guardian = existing(ward), existing(guardian)
    patient, proxy = f"Patient/{ward['id']}", f"Patient/{guardian['id']}"
    others = people.conflicts(people.GUARDIAN, proxy, await queries.proxies(work, patient))
    if others and not await queries.is_disputed(work, patient):
        disputed = [f"Consent/{each['id']}" for each in others]
        return await _dispute(work, patient, disputed, f"{people.called(guardian) or proxy}: {document}")
    years = work.parameter("guardian_document_years", work.now())
    until = people.day_before(people.years_after(queries.today(work), years))
    return await _act(work, ward, guardian, people.GUARDIAN, [], until, document)


async def claim_child(work: Work, child: Json | None) -> Stored:
    """Whoever asks is the parent of this child, as its record says already (a mother of whom it was born here)."""
    parent = await queries.person(work, work.agent.id)
    related = child is not None and await queries.is_parent(work, parent, f"Patient/{child['id']}")
    return await record_parent(work, child if related else None, parent, "as recorded at birth")


async def contest(work: Work, patient: str, reference: str, words: str) -> Stored:
    """It is disputed that somebody acts for a person; nobody new may until it is decided."""
    await must_decide_for(work, patient)
    consent, _ = await consent_of(work, reference)
    if consent["patient"]["reference"] != patient or consents.kind_of(consent) != "proxy":
        raise Problem.not_found("Consent", reference.partition("/")[2])
    admitted(
        people.may_be_disputed(words, await queries.is_disputed(work, patient, hold=True)), "Task.reasonCode"
    )
    return await _dispute(work, patient, [reference], words)


async def end(work: Work, reference: str, because: str) -> Stored:
    """A consent or proxy ends: by the person, by who decides for them, or by the proxy."""
    consent, _ = await consent_of(work, reference)
    mine = people.proxy_of(consent) == work.agent.id
    if consents.kind_of(consent) == "" or not (
        mine or await decides_for(work, consent["patient"]["reference"])
    ):
        raise Problem.not_found("Consent", reference.partition("/")[2])
    if people.role_of(consent) in people.BY_LAW and not mine:
        raise Problem.forbidden(["whoever acts by law is contested, not dismissed"])
    return await end_consent(work, reference, because)


async def _act(
    work: Work, ward: Json, proxy: Json, role: str, types: list[str], until: str, document: str
) -> Stored:
    patient, by = f"Patient/{ward['id']}", f"Patient/{proxy['id']}"
    others = await queries.proxies(work, patient, hold=True)
    disputed = await queries.is_disputed(work, patient, hold=True)
    admitted(people.may_act(by, patient, role, others, disputed), "Consent.provision.actor")
    if document:
        await work.save(notice_to(work, ward, TOLD), because="it is told")
    consent = consents.proxying(
        Party(patient, people.called(ward)),
        Party(by, people.called(proxy)),
        role,
        types,
        until,
        asker(work),
        moment(work),
        document,
    )
    return await work.save(consent, because=document or "the person's own wish")


async def _dispute(work: Work, patient: str, disputed: list[str], words: str) -> Stored:
    about = [said("about", valueReference={"reference": each}) for each in disputed]
    return await work.save(duty(work, "guardian-conflict", patient, {"text": words}, about), because=words)
