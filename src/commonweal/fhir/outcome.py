"""What went wrong, where and why, as FHIR says it: https://hl7.org/fhir/R4/operationoutcome.html."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

Json = dict[str, Any]

SYSTEM = "urn:commonweal:outcome"
"""The code system of `Issue.details`: the keys of CATALOGUE."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of answer: its HTTP status, FHIR issue code (valueset-issue-type) and sentence."""

    status: int
    code: str
    sentence: str
    severity: str = "error"


CATALOGUE: dict[str, Entry] = {
    # the body cannot be read: 400
    "cw-not-utf8": Entry(400, "structure", "The body is not valid UTF-8: {why}."),
    "cw-not-json": Entry(400, "structure", "The body is not JSON: {why}."),
    "cw-not-a-resource": Entry(400, "structure", "The body is not a FHIR resource: {why}."),
    "cw-duplicate-key": Entry(400, "structure", "The property '{name}' appears more than once."),
    "cw-too-deep": Entry(400, "too-long", "The body is nested deeper than {limit} levels."),
    "cw-number-too-large": Entry(400, "value", "A number is out of range: {why}."),
    "cw-too-many": Entry(413, "too-long", "There are more than {limit} {what}."),
    "cw-type-mismatch": Entry(400, "invalid", "The body is a {got}, but this address takes a {wanted}."),
    "cw-id-mismatch": Entry(400, "invalid", "The id in the body is not the id in the address."),
    "cw-invalid": Entry(400, "invalid", "The request is not valid: {why}."),
    "cw-unknown-parameter": Entry(400, "not-supported", "There is no search parameter '{name}' for {type}."),
    "cw-ignored-parameter": Entry(200, "not-supported", "The parameter '{name}' was ignored.", "warning"),
    "cw-incomplete": Entry(200, "incomplete", "Older records may not be found by {name} yet.", "warning"),
    "cw-bad-parameter": Entry(400, "value", "The value of '{name}' is not valid: {why}."),
    "cw-bad-modifier": Entry(400, "not-supported", "The modifier ':{modifier}' does not apply to '{name}'."),
    "cw-bad-expression": Entry(400, "value", "The FHIRPath expression is not valid: {why}."),
    # the body can be read but breaks the rules of FHIR: 422
    "cw-unknown-element": Entry(422, "structure", "There is no element '{name}' here."),
    "cw-wrong-type": Entry(422, "structure", "Expected {wanted}, got {got}."),
    "cw-missing-element": Entry(422, "required", "The element '{name}' is required."),
    "cw-too-many-choices": Entry(422, "structure", "Only one of '{name}[x]' may be present: {got}."),
    "cw-empty": Entry(422, "structure", "{what} may not be empty."),
    "cw-null": Entry(422, "structure", "null may stand only in an array whose other half has a value there."),
    "cw-bad-value": Entry(422, "value", "{got} is not a valid {type}: {why}."),
    "cw-unknown-code": Entry(422, "code-invalid", "{got} is not a code of {binding}."),
    "cw-invariant": Entry(422, "invariant", "{key}: {human}"),
    "cw-profile": Entry(422, "structure", "The resource does not fit the profile {profile}: {why}."),
    "cw-profile-not-checked": Entry(
        200, "not-supported", "The profile {profile} is not known here and was not checked.", "information"
    ),
    "cw-slice-not-checked": Entry(
        200, "not-supported", "What belongs to {slice} could not be told.", "information"
    ),
    "cw-binding-not-checked": Entry(
        200, "not-supported", "The codes of {binding} are not here and were not checked.", "information"
    ),
    "cw-invariant-not-checked": Entry(200, "not-supported", "{key} was not checked: {why}.", "warning"),
    "cw-unresolved-reference": Entry(422, "not-found", "The reference {reference} leads nowhere."),
    "cw-not-expandable": Entry(422, "not-supported", "The codes cannot be listed: {why}."),
    "cw-unknown-definition": Entry(404, "not-found", "There is no {type} {canonical} here."),
    "cw-business-rule": Entry(422, "business-rule", "{why}"),
    # who asks, and what is there: 401, 403, 404, 410, …
    "cw-unauthenticated": Entry(401, "login", "Sign in first: {why}."),
    "cw-not-proved": Entry(401, "login", "{why}"),
    "cw-forbidden": Entry(403, "forbidden", "{why}"),
    "cw-not-found": Entry(404, "not-found", "There is no {type}/{id}."),
    "cw-nothing": Entry(404, "not-found", "There is no such {what}."),
    "cw-unknown-type": Entry(404, "not-supported", "'{type}' is not a FHIR R4 resource type."),
    "cw-unknown-address": Entry(404, "not-found", "There is nothing at {address}."),
    "cw-unknown-operation": Entry(404, "not-supported", "There is no operation {name} here."),
    "cw-gone": Entry(410, "deleted", "{type}/{id} has been deleted."),
    "cw-method-not-allowed": Entry(405, "not-supported", "This address does not take {method}."),
    "cw-not-acceptable": Entry(406, "not-supported", "Only application/fhir+json can be given: {why}."),
    "cw-conflict": Entry(409, "conflict", "{why}"),
    "cw-precondition-failed": Entry(412, "conflict", "{why}"),
    "cw-multiple-matches": Entry(412, "multiple-matches", "The condition matches more than one {type}."),
    "cw-too-large": Entry(413, "too-long", "The body is larger than {limit} bytes."),
    "cw-url-too-long": Entry(414, "too-long", "The address is longer than {limit} bytes."),
    "cw-headers-too-long": Entry(431, "too-long", "The headers are longer than {limit} bytes."),
    "cw-unsupported-media-type": Entry(415, "not-supported", "Send application/fhir+json, not {got}."),
    "cw-not-supported": Entry(501, "not-supported", "This is not supported: {why}."),
    "cw-too-costly": Entry(403, "too-costly", "This would cost too much: {why}."),
    "cw-throttled": Entry(429, "throttled", "Too many requests: {why}."),
    "cw-slow-body": Entry(408, "timeout", "The body did not arrive within {seconds} seconds."),
    "cw-timeout": Entry(503, "timeout", "There was no answer in time: {why}."),
    "cw-unavailable": Entry(503, "transient", "Not available at the moment: {why}."),
    "cw-indexing": Entry(503, "transient", "Older records may not be found by {name} yet; try again later."),
    "cw-exception": Entry(500, "exception", "Something went wrong on our side: {why}."),
}


class Issue(msgspec.Struct, frozen=True):
    """One line of an outcome; `details` is a key of CATALOGUE, `expression` the element's FHIRPath."""

    severity: str
    code: str
    diagnostics: str
    expression: str | None = None
    details: str | None = None


def issue(key: str, path: str | None = None, /, **words: object) -> Issue:
    """The catalogue's entry `key` at `path`, its sentence filled with `words`."""
    entry = CATALOGUE[key]
    return Issue(entry.severity, entry.code, entry.sentence.format(**words), path, key)


class Problem(Exception):
    """The one error of the platform: an HTTP status and the issues behind it.

    `index` says which of several writes asked for together is at fault, where one is. `again`: something else
    was in the way for a moment; the same asked again will do. `retry_after`: seconds before which it need not be.
    """

    index: int | None = None
    again = False
    retry_after: int | None = None

    def __init__(self, status: int, issues: Sequence[Issue]) -> None:
        super().__init__(status, tuple(issues))
        self.status = status
        self.issues = tuple(issues)

    def __str__(self) -> str:
        first = self.issues[0] if self.issues else issue("cw-exception", why="no reason was given")
        place = f" (at {first.expression})" if first.expression else ""
        more = f" (and {len(self.issues) - 1} more)" if len(self.issues) > 1 else ""
        return f"{first.diagnostics}{place}{more}"

    @classmethod
    def of(cls, key: str, path: str | None = None, /, **words: object) -> Problem:
        """The catalogue's entry `key` as an error with its own status."""
        return cls(CATALOGUE[key].status, (issue(key, path, **words),))

    @classmethod
    def unprocessable(cls, issues: Iterable[Issue]) -> Problem:
        return cls(422, tuple(issues))

    @classmethod
    def invalid(cls, why: str, path: str | None = None) -> Problem:
        return cls.of("cw-invalid", path, why=why)

    @classmethod
    def not_found(cls, type: str, id: str) -> Problem:
        return cls.of("cw-not-found", type=type, id=id)

    @classmethod
    def gone(cls, type: str, id: str) -> Problem:
        return cls.of("cw-gone", type=type, id=id)

    @classmethod
    def conflict(cls, why: str) -> Problem:
        return cls.of("cw-conflict", why=why)

    @classmethod
    def precondition_failed(cls, why: str) -> Problem:
        return cls.of("cw-precondition-failed", why=why)

    @classmethod
    def forbidden(cls, reasons: Iterable[str]) -> Problem:
        """Every reason is one issue; without any, the refusal says nothing more."""
        why = tuple(reasons) or ("You may not do this.",)
        return cls(403, tuple(issue("cw-forbidden", why=reason) for reason in why))

    @classmethod
    def unauthenticated(cls, why: str) -> Problem:
        return cls.of("cw-unauthenticated", why=why)

    @classmethod
    def not_supported(cls, why: str) -> Problem:
        return cls.of("cw-not-supported", why=why)

    @classmethod
    def too_costly(cls, why: str) -> Problem:
        return cls.of("cw-too-costly", why=why)

    @classmethod
    def too_large(cls, limit: int) -> Problem:
        return cls.of("cw-too-large", limit=limit)


def outcome(issues: Iterable[Issue]) -> Json:
    """An OperationOutcome resource; without issues it says that all is well."""
    lines = [_line(each) for each in issues]
    well = {"severity": "information", "code": "informational", "diagnostics": "All is well."}
    return {"resourceType": "OperationOutcome", "issue": lines or [well]}


def _line(each: Issue) -> Json:
    line: Json = {"severity": each.severity, "code": each.code}
    if each.details:
        line["details"] = {"coding": [{"system": SYSTEM, "code": each.details}]}
    line["diagnostics"] = each.diagnostics
    if each.expression:
        line["expression"] = [each.expression]
    return line
