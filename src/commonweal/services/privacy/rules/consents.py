"""What a person decides about the record, as FHIR Consent: https://hl7.org/fhir/R4/consent.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.platform import Decision, decide
from commonweal.services.privacy.rules.duties import coded
from commonweal.services.privacy.rules.people import DECIDED, ROLE

Json = dict[str, Any]

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
LABEL = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
"""System of sensitivity labels and of OPTIN and OPTOUT."""
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CLASS = "http://hl7.org/fhir/resource-types"
RECIPIENT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
SENSITIVE = ("PSY", "HIV", "SEX")
"""The kinds that need a consent of their own (PIPL Art. 29): mental health, HIV, sexual and reproductive health."""
PURPOSES = ("TREAT", "HPAYMT", "PUBHLTH", "HRESCH", "PATRQT")
"""Care, payment, public health, research; and the person's own request, for which a proxy acts."""


KEPT_OUT = ("Organization", "Practitioner")
PERMITTED = (*KEPT_OUT, "Patient")
"""A proxy may be permitted a sensitive kind; whoever acts for a person is not kept out, but ended or contested."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody by reference ("Organization/x") and name."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What is decided: `permit` a sensitive kind, or keep somebody out. `party` None: everybody; `labels`,
    `purposes`: none means all; `until`: the last day, "" for a denial that stands until it is withdrawn."""

    permit: bool
    party: Party | None
    labels: tuple[str, ...]
    purposes: tuple[str, ...]
    until: str


def may_be_given(choice: Choice, today: str, latest: str) -> Decision:
    """Can this be decided so?"""
    known = set(choice.labels) <= set(SENSITIVE) and set(choice.purposes) <= set(PURPOSES)
    party = choice.party.reference.partition("/")[0] if choice.party else ""
    return decide(
        (known, "there is no such kind or purpose"),
        (
            party in ("", *(PERMITTED if choice.permit else KEPT_OUT)),
            "this cannot be decided about them here",
        ),
        (not choice.permit or choice.party, "say who may see it"),
        (not choice.permit or len(choice.labels) == 1, "each sensitive kind takes a consent of its own"),
        (not choice.permit or choice.purposes, "say for what it may be used"),
        (not choice.permit or choice.until, "what is permitted has an end"),
        (not choice.until or choice.until >= today, "the last day has passed"),
        (not choice.until or choice.until <= latest, "the last day is too far away"),
    )


def given(patient: str, choice: Choice, by: Json, at: str) -> Json:
    """The consent; `at` is the moment, as FHIR writes it."""
    provision: Json = {
        "type": "permit" if choice.permit else "deny",
        "period": {"start": at[:10], **({"end": choice.until} if choice.until else {})},
        "actor": [_actor(RECIPIENT, choice.party)] if choice.party else [],
        "purpose": [{"system": PURPOSE, "code": each} for each in choice.purposes],
        "securityLabel": [{"system": LABEL, "code": each} for each in choice.labels],
    }
    return _consent("permit" if choice.permit else "deny", patient, provision, by, at)


def proxying(
    patient: Party,
    proxy: Party,
    role: str,
    types: Sequence[str],
    until: str,
    by: Json,
    at: str,
    document: str = "",
) -> Json:
    """That somebody acts for a person until a last day, for some types of records or for all; `document`: by what
    it was shown that they may."""
    provision: Json = {
        "type": "permit",
        "period": {"start": at[:10], "end": until},
        "actor": [_actor({"system": ROLE, "code": role}, proxy)],
        "class": [{"system": CLASS, "code": each} for each in types],
    }
    consent = _consent("proxy", patient.reference, provision, by, at)
    consent["patient"] = {"reference": patient.reference, "display": patient.name}
    return consent | ({"sourceAttachment": {"title": document}} if document else {})


def _consent(kind: str, patient: str, provision: Json, by: Json, at: str) -> Json:
    rule = "OPTOUT" if provision["type"] == "deny" else "OPTIN"
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": DECIDED, "code": kind}]}],
        "patient": {"reference": patient},
        "dateTime": at,
        "performer": [by],
        "policyRule": {"coding": [{"system": LABEL, "code": rule}]},
        "provision": {name: value for name, value in provision.items() if value},
    }


def _actor(role: Json, party: Party) -> Json:
    return {"role": {"coding": [role]}, "reference": {"reference": party.reference, "display": party.name}}


def kind_of(consent: Json) -> str:
    """proxy, permit or deny; "" for a consent that was not decided here."""
    return next(filter(None, (coded(each, DECIDED) for each in consent.get("category", ()))), "")


def codes(consent: Json, element: str) -> list[str]:
    """The codes of its purpose, class or securityLabel."""
    return [each.get("code", "") for each in consent.get("provision", {}).get(element, ())]
