"""What a consent denies and permits, as a table; what cannot be read restricts."""

from typing import Any

import pytest

from commonweal.access.consent import Rule, proxies, rules

Json = dict[str, Any]
P, D, ORG = "Patient/p", "Practitioner/d", "Organization/o"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TYPES = "http://hl7.org/fhir/resource-types"


def consent(provision: Json | None = None, **changed: Any) -> Json:
    made = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"text": "privacy"}],
        "patient": {"reference": P},
    }
    return made | ({"provision": provision} if provision is not None else {}) | changed


def actor(reference: str, role: str = "IRCP") -> Json:
    return {"role": {"coding": [{"system": ROLE, "code": role}]}, "reference": {"reference": reference}}


def only(reference: str) -> frozenset[str]:
    return frozenset((reference,))


PSY = {"system": ACT, "code": "PSY"}
DENIES: dict[str, tuple[Json, Rule[str]]] = {
    "everything to everybody": ({"type": "deny"}, Rule(P, True)),
    "everything to one": ({"type": "deny", "actor": [actor(D)]}, Rule(P, True, only(D))),
    "one kind of record": (
        {"type": "deny", "class": [{"system": TYPES, "code": "Observation"}]},
        Rule(P, True, types=only("Observation")),
    ),
    "what is labelled": (
        {"type": "deny", "securityLabel": [PSY]},
        Rule(P, True, labels=only(f"{ACT}|PSY")),
    ),
    "all but one": (
        {"type": "deny", "provision": [{"type": "permit", "actor": [actor(D)]}]},
        Rule(P, True, but=only(D)),
    ),
}


@pytest.mark.parametrize("what", DENIES)
def test_a_denial(what: str) -> None:
    provision, rule = DENIES[what]
    assert rule in rules(consent(provision))
    assert all(each.deny for each in rules(consent(provision)))


def test_a_denial_of_a_purpose_denies_what_lies_below_it() -> None:
    (rule,) = rules(consent({"type": "deny", "purpose": [{"system": REASON, "code": "HRESCH"}]}))
    assert rule.purposes and "HRESCH" in rule.purposes and "TREAT" not in rule.purposes


def test_a_permission_opens_the_labels_it_names_and_nothing_else() -> None:
    opened = rules(consent({"type": "permit", "actor": [actor(ORG)], "securityLabel": [PSY]}))
    assert opened == (Rule(P, False, only(ORG), labels=only(f"{ACT}|PSY")),)
    assert rules(consent({"type": "permit", "actor": [actor(ORG)]})) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "draft"},
        {"status": "inactive"},
        {"status": "entered-in-error"},
        {"scope": {"coding": [{"system": SCOPE, "code": "treatment"}]}},
    ],
)
def test_what_is_not_in_force_or_of_something_else_rules_nothing(changed: Json) -> None:
    assert rules(consent({"type": "deny"}, **changed)) == () == proxies(consent({"type": "deny"}, **changed))


def test_what_cannot_be_read_restricts() -> None:
    strange = {"type": "deny", "class": [{"system": "http://example.org", "code": "letters"}]}
    assert Rule(P, True) in rules(consent(strange)), "a condition nobody understands is no condition"
    opening = {"type": "permit", "actor": [{"role": {"text": "somebody"}}], "securityLabel": [PSY]}
    assert not [each for each in rules(consent(opening)) if not each.deny]
    assert rules(consent({"type": "permit"}, modifierExtension=[{"url": "http://example.org"}])) == (
        Rule(P, True),
    )


PROXY = {"type": "permit", "actor": [actor("Patient/mother", "GUARD")], "period": {"end": "2030-01-01"}}


def test_a_proxy_is_named_by_role_and_ends() -> None:
    (proxy,) = proxies(consent(PROXY))
    assert (proxy.party, proxy.types) == ("Patient/mother", None) and 0 < proxy.until < 2**62


@pytest.mark.parametrize(
    "provision",
    [
        PROXY | {"type": "deny"},
        PROXY | {"actor": [actor("Patient/mother", "IRCP")]},
        PROXY | {"actor": [actor(D, "GUARD")]},
        PROXY | {"period": {"end": "some day"}},
    ],
)
def test_who_is_not_clearly_made_one_is_no_proxy(provision: Json) -> None:
    assert proxies(consent(provision)) == ()
