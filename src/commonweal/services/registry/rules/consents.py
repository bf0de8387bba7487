"""A consent: whose it is, what it is about, and until when. https://hl7.org/fhir/R4/consent.html"""

from typing import Any

from commonweal.platform import Decision, decide

Json = dict[str, Any]


def may_stand(consent: Json, _: object = None) -> Decision:
    """May this consent stand? Nothing is permitted without an end: its period ends or somebody reviews it; a
    denial may stand until it is withdrawn."""
    provision = consent.get("provision", {})
    ends = "end" in provision.get("period", {}) or provision.get("type") == "deny"
    return decide(
        (consent.get("scope"), "it does not say what it is about (scope)"),
        (consent.get("category"), "it does not say which consent it is (category)"),
        ("patient" in consent, "it does not say whose it is (patient)"),
        (
            ends or consent.get("organization"),
            "it has neither an end (provision.period) nor a reviewer (organization)",
        ),
    )
