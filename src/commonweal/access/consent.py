"""What a person has decided about the record: https://hl7.org/fhir/R4/consent.html.

An active Consent (scope patient-privacy or research, or one we do not know) becomes rules. A rule that denies keeps
somebody from rows; one that permits opens the sensitivity labels it names, and nothing else, since care needs no
consent and a sensitive kind needs one of its own. Nested provisions are exceptions to the one around them. Across
rules and consents denial wins. What we cannot read restricts: a denial loses the condition that is not understood and
so denies more; a permission that is not understood, or an exception that no rule can express, does not count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from commonweal.access.lasting import ALWAYS, FOREVER, Span, both
from commonweal.access.provision import UNREADABLE, Said, base_of, read
from commonweal.access.purposes import PURPOSES, under
from commonweal.fhir.compartment import patient_of
from commonweal.fhir.elements import RESOURCE_TYPES

Json = dict[str, Any]
Name = TypeVar("Name")

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
SILENT = frozenset(("treatment", "adr"))
"""Scopes of consents to being treated, or not to be: they do not say who may see what."""
RULES_MOST = 64
"""What comes of one consent; one that needs more denies everything."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Name]):
    """A denial, or a permission for labels, about one patient's rows; every stated condition must hold, None states
    nothing. Names are references and labels as text, or their hashes in the store.

    It concerns an agent with one of `parties` and none of `but`, for one of `purposes`, at rows of `types` carrying
    one of `labels`, from `since` until before `until`.
    """

    patient: Name
    deny: bool
    parties: frozenset[Name] | None = None
    but: frozenset[Name] = frozenset()
    purposes: frozenset[str] | None = None
    types: frozenset[str] | None = None
    labels: frozenset[Name] | None = None
    since: int = 0
    until: int = FOREVER

    def concerns(self, parties: frozenset[Name], purpose: str, type: str, labels: Iterable[Name]) -> bool:
        """Does it speak of this agent and this row? Its time and its patient are not asked here."""
        return (
            (self.parties is None or not self.parties.isdisjoint(parties))
            and self.but.isdisjoint(parties)
            and (self.purposes is None or purpose in self.purposes)
            and (self.types is None or type in self.types)
            and (self.labels is None or not self.labels.isdisjoint(labels))
        )


@dataclass(frozen=True, slots=True)
class Proxy:
    """Somebody ("Patient/x") who acts for the patient; `types`: of which records only (None: of all)."""

    party: str
    since: int
    until: int
    types: frozenset[str] | None = None


def rules(consent: Json, bases: tuple[str, ...] = ()) -> tuple[Rule[str], ...]:
    """Every rule that a consent makes. `bases`: our own addresses (Registry.bases)."""
    patient = patient_of(consent, bases)
    if patient is None or not _speaks(consent):
        return ()
    everything = Rule(patient, deny=True)
    if "modifierExtension" in consent:
        return (everything,)
    around = Rule(patient, deny=True, purposes=under("HRESCH") if _scopes(consent) == {"research"} else None)
    found = [*_walk(_root(consent), around, around, bases), *_beyond_proxies(consent, patient, bases)]
    made = tuple(dict.fromkeys(each for each in found if each.deny or each.labels is not None))
    return made if len(made) <= RULES_MOST else (everything,)


def proxies(consent: Json, bases: tuple[str, ...] = ()) -> tuple[Proxy, ...]:
    """Who acts for the patient by this consent: it permits it on its own, in words that are all understood."""
    if not _speaks(consent) or "modifierExtension" in consent or "patient-privacy" not in _scopes(consent):
        return ()
    return tuple(dict.fromkeys(_acting(_root(consent), ALWAYS, bases)))


def _speaks(consent: Json) -> bool:
    """Is it in force, and about who may see what?"""
    scopes = _scopes(consent)
    return consent.get("status") == "active" and not (scopes and scopes <= SILENT)


def _scopes(consent: Json) -> set[str]:
    codings = consent.get("scope", {}).get("coding", ())
    return {each.get("code", "") if each.get("system") == SCOPE else "" for each in codings}


def _root(consent: Json) -> Json:
    """The outermost provision, with a type; one that says another than the policy rule is an exception to that."""
    root: Json = consent.get("provision", {})
    base, type = base_of(consent), root.get("type", "")
    if base and type and base != type:
        return {"type": base, "provision": [root]}
    # Of one that does not say which, what is nested in it does; else nothing is understood.
    return root | {"type": type or base or ("" if root.get("provision") else "deny")}


def _walk(
    provision: Json, wide: Rule[str], narrow: Rule[str] | None, bases: tuple[str, ...]
) -> Iterator[Rule[str]]:
    """The rules of a provision and of those nested in it. What they lie in is read twice: `wide`, as a denial would
    be, and `narrow`, as a permission would be (None: not understood)."""
    said = read(provision, bases)
    nested: list[Json] = provision.get("provision", [])
    wide, narrow = _denial(said, wide), _permission(said, narrow) if narrow else None
    if provision.get("type") == "permit" and narrow:
        yield narrow
    if provision.get("type") == "deny" and said.is_about_seeing:
        yield from _excepted(wide, nested, bases)
    for each in nested:
        yield from _walk({"type": "deny"} | each, wide, narrow, bases)


def _denial(said: Said, around: Rule[str]) -> Rule[str]:
    """Without the conditions that are not wholly understood."""
    since, until = both(said.holds, (around.since, around.until))
    if since >= until:
        since, until = around.since, around.until
    return Rule(
        around.patient,
        True,
        around.parties if said.parties is None or "actor" in said.unread else said.parties,
        frozenset(),
        _common(around.purposes, None if "purpose" in said.unread else said.purposes) or around.purposes,
        _common(around.types, None if "class" in said.unread else said.types) or around.types,
        around.labels if said.labels is None or "securityLabel" in said.unread else said.labels,
        since,
        until,
    )


def _permission(said: Said, around: Rule[str]) -> Rule[str] | None:
    """With what is understood of it; None where that leaves nothing, or it asks what no rule can."""
    if said.unread & (UNREADABLE | {"period"}) or not said.is_about_seeing or "action" in said.unread:
        return None
    since, until = both(said.holds, (around.since, around.until))
    values = (
        _common(around.parties, said.parties),
        _common(around.purposes, said.purposes),
        _common(around.types, said.types),
        _common(around.labels, said.labels),
    )
    if since >= until or frozenset() in values:
        return None
    parties, purposes, types, labels = values
    return Rule(around.patient, False, parties, frozenset(), purposes, types, labels, since, until)


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _excepted(denial: Rule[str], nested: Iterable[Json], bases: tuple[str, ...]) -> list[Rule[str]]:
    """What is left of a denial by the permissions nested in it."""
    left = [denial]
    for each in nested:
        permission = _permission(read(each, bases), denial) if each.get("type") == "permit" else None
        if permission is not None and len(left) <= RULES_MOST:
            left = [part for one in left for part in _without(one, permission)]
    return left


def _without(denial: Rule[str], exception: Rule[str]) -> Iterator[Rule[str]]:
    """The denial wherever one of the exception's conditions does not hold."""
    if exception.parties is not None:
        but = denial.but | exception.parties
        if denial.parties is None or not denial.parties <= but:
            yield replace(denial, but=but)
    if exception.purposes is not None:
        # "" is the purpose of whoever states none.
        purposes = (PURPOSES | {""} if denial.purposes is None else denial.purposes) - exception.purposes
        if purposes:
            yield replace(denial, purposes=purposes)
    if exception.types is not None:
        types = (RESOURCE_TYPES if denial.types is None else denial.types) - exception.types
        if types:
            yield replace(denial, types=types)
    if exception.labels is not None and exception.labels != denial.labels:
        yield denial  # "without these labels" is nothing that a rule can ask
    if exception.since > denial.since:
        yield replace(denial, until=exception.since)
    if exception.until < denial.until:
        yield replace(denial, since=exception.until)


def _acting(provision: Json, around: Span, bases: tuple[str, ...]) -> Iterator[Proxy]:
    """Proxies of a provision that permits and of such as are nested in it."""
    said = read(provision, bases)
    holds = both(said.holds, around)
    seen_as_asked = said.purposes is None or "PATRQT" in said.purposes
    plain = not said.unread & (UNREADABLE | {"period", "action"}) and said.is_about_seeing
    if provision.get("type") == "deny" or not plain or not seen_as_asked or holds[0] >= holds[1]:
        return
    if provision.get("type") and said.labels is None and said.types != frozenset():
        yield from (Proxy(party, *holds, said.types) for party in sorted(said.acting))
    for each in provision.get("provision", ()):
        yield from _acting({"type": "deny"} | each, holds, bases)


def _beyond_proxies(consent: Json, patient: str, bases: tuple[str, ...]) -> Iterator[Rule[str]]:
    """A proxy for some types only is kept from all others."""
    allowed: dict[tuple[str, int, int], frozenset[str]] = {}
    for each in proxies(consent, bases):
        key = each.party, each.since, each.until
        allowed[key] = allowed.get(key, frozenset()) | (RESOURCE_TYPES if each.types is None else each.types)
    for (party, since, until), types in allowed.items():
        if types != RESOURCE_TYPES:
            yield Rule(
                patient, True, frozenset((party,)), types=RESOURCE_TYPES - types, since=since, until=until
            )
