"""A resource in one line: what it is, when it was, what it says, and whether it counts any more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from commonweal.fhir.search import dates
from commonweal.web import said
from commonweal.web.language import gettext as _
from commonweal.web.record import measured
from commonweal.web.record.values import FORMATS, Json, Shown, concept, name, names, period, shown
from commonweal.web.record.words import code_name, type_name

WHEN = (
    "effectiveDateTime", "effectiveInstant", "effectivePeriod", "effective", "performedDateTime", "performedPeriod",
    "occurrenceDateTime", "occurrencePeriod", "period", "onsetDateTime", "onsetPeriod", "started", "whenHandedOver",
    "whenPrepared", "authoredOn", "authored", "startDate", "start", "recordedDate", "dateAsserted", "detected",
    "identifiedDateTime", "created", "dateTime", "date", "sent", "received", "issued", "recorded", "dateWritten",
    "servicedPeriod", "billablePeriod",
)  # fmt: skip
"""Elements that say when it was, the most telling first; the first that is there counts."""
TITLES = ("code", "vaccineCode", "medicationCodeableConcept", "medicationReference", "type", "category",
          "description", "title", "name", "topic", "subject")  # fmt: skip
ENDED = frozenset(
    {"entered-in-error", "cancelled", "stopped", "inactive", "resolved", "not-done", "refuted", "rejected",
     "declined", "nullified", "revoked", "noshow", "abandoned", "aborted", "failed"}
)  # fmt: skip
SILENT = frozenset(
    {"finished", "completed", "final", "active", "confirmed", "available", "current", "fulfilled"}
)
"""States that go without saying in a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """`when` is the text of the record ("2018-10-15T13:03:49Z"), `at` its beginning in microseconds."""

    reference: str
    type: str
    when: str
    at: int
    title: str
    detail: str = ""
    range: str = ""
    flags: tuple[measured.Flag, ...] = ()
    state: str = ""
    ended: bool = False
    encounter: str = ""

    @property
    def text(self) -> str:
        """All that a search within the record looks at."""
        return f"{self.title} {self.detail} {self.state} {type_name(self.type)} {self.type}".casefold()


def line(resource: Json) -> Line:
    """The line of any resource."""
    type = resource["resourceType"]
    when = when_of(resource)
    state = state_of(resource)
    values = measured.measured(resource) if type == "Observation" else []
    return Line(
        f"{type}/{resource.get('id', '')}",
        type,
        when,
        start_of(when),
        title_of(resource),
        measured.one_line(values) if values else detail_of(resource),
        values[0].range if len(values) == 1 else "",
        measured.flags(values),
        "" if state in SILENT else code_name(state),
        state in ENDED,
        encounter_of(resource),
    )


def encounter_of(resource: Json) -> str:
    """The encounter it belongs to; "" where none is named."""
    named = resource.get("encounter", resource.get("context"))
    return str(named.get("reference", "")) if isinstance(named, dict) else ""


def about(resource: Json) -> Shown | None:
    """The patient it is about, leading to the timeline; None where it is about nobody or somebody elsewhere."""
    found = next((resource[key] for key in ("subject", "patient", "beneficiary") if key in resource), None)
    if not isinstance(found, dict) or not str(found.get("reference", "")).startswith("Patient/"):
        return None
    reference = str(found["reference"])
    return Shown(str(found.get("display", reference)), href=f"/people/{reference.removeprefix('Patient/')}")


def when_of(resource: Json) -> str:
    """When it was, as it was written; "" where the record does not say."""
    for key in WHEN:
        value = resource.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, dict) and (value.get("start") or value.get("end")):
            return str(value.get("start") or value.get("end"))
    return ""


def start_of(when: str) -> int:
    """Its beginning; what has no date comes last."""
    try:
        return dates.span(when)[0]
    except ValueError:
        return dates.BEFORE


def state_of(resource: Json) -> str:
    """The status; of a condition or allergy the clinical one, unless it was refuted or entered in error."""
    verified = _code(resource.get("verificationStatus"))
    if verified in ("entered-in-error", "refuted", "unconfirmed", "provisional", "differential"):
        return verified
    status = resource.get("clinicalStatus", resource.get("status", resource.get("lifecycleStatus", "")))
    return _code(status) if isinstance(status, dict) else str(status)


def _code(concept_: Any) -> str:
    codings = concept_.get("coding", ()) if isinstance(concept_, dict) else ()
    return next((str(c["code"]) for c in codings if c.get("code")), "")


def title_of(resource: Json) -> str:
    """What it is called: by its code, its name, its title; else its type."""
    type = resource["resourceType"]
    found = TITLED[type](resource) if type in TITLED else ""
    return found or next(_titles(resource), "") or type_name(type)


def _titles(resource: Json) -> Iterator[str]:
    for key in TITLES:
        value = resource.get(key)
        first = value[0] if isinstance(value, list) and value else value
        text = first if isinstance(first, str) else _text(first) if isinstance(first, dict) else ""
        if text:
            yield text


def _text(value: Json) -> str:
    if "family" in value or "given" in value:
        return name(value)
    if "reference" in value or "display" in value:
        return FORMATS["Reference"](value).text
    return concept(value)


def _encounter(resource: Json) -> str:
    kind = concept(next(iter(resource.get("type", ())), None))
    return kind or concept(next(iter(resource.get("reasonCode", ())), None)) or _class(resource)


def _class(resource: Json) -> str:
    """The class of an encounter; its codes (v3-ActCode) mostly come without a display."""
    coding = resource.get("class", {})
    known = {
        "AMB": _("outpatient"),
        "EMER": _("emergency"),
        "FLD": _("in the field"),
        "HH": _("at home"),
        "IMP": _("inpatient"),
        "ACUTE": _("inpatient, acute"),
        "NONAC": _("inpatient, not acute"),
        "OBSENC": _("under observation"),
        "PRENC": _("before admission"),
        "SS": _("short stay"),
        "VR": _("at a distance"),
    }
    code = str(coding.get("code", ""))
    return str(coding.get("display") or known.get(code) or code_name(code))


def _person(resource: Json) -> str:
    return next((name(each) for each in names(resource.get("name", []))), "")


def _plan(resource: Json) -> str:
    return resource.get("title") or " · ".join(concept(c) for c in resource.get("category", ()))


TITLED: dict[str, Callable[[Json], str]] = {
    "Encounter": _encounter,
    "Patient": _person,
    "Practitioner": _person,
    "RelatedPerson": _person,
    "Person": _person,
    "CarePlan": _plan,
    "Goal": lambda r: concept(r.get("description")),
    "Task": lambda r: concept(r.get("code")) or str(r.get("description", "")),
    "ImagingStudy": lambda r: str(r.get("description", "")) or _series(r),
    "ExplanationOfBenefit": lambda r: concept(r.get("type")),
    "Claim": lambda r: concept(r.get("type")),
    "Organization": lambda r: str(r.get("name", "")),
    "HealthcareService": lambda r: str(r.get("name", "")),
    "Location": lambda r: str(r.get("name", "")),
}


def _series(resource: Json) -> str:
    first: Json = next(iter(resource.get("series", ())), {})
    return " ".join(filter(None, (_coded(first.get("modality")), _coded(first.get("bodySite")))))


def _coded(coding: Json | None) -> str:
    return FORMATS["Coding"](coding).text if coding else ""


def detail_of(resource: Json) -> str:
    """What it says beside its title."""
    detail = DETAILED.get(resource["resourceType"])
    return detail(resource) if detail else ""


def _dosage(resource: Json) -> str:
    given = resource.get("dosageInstruction") or resource.get("dosage") or ()
    return "; ".join(filter(None, (dose(each) for each in given if isinstance(each, dict))))


def dose(dosage: Json) -> str:
    """One dosage instruction in words, else as 1 tablet, 2 × per 1 d."""
    if dosage.get("text"):
        return str(dosage["text"])
    amount = next((d["doseQuantity"] for d in dosage.get("doseAndRate", ()) if "doseQuantity" in d), None)
    repeat = dosage.get("timing", {}).get("repeat", {})
    often = ""
    if "frequency" in repeat and "period" in repeat:
        often = f"{repeat['frequency']} × / {said.short(repeat['period'])} {repeat.get('periodUnit', '')}"
    needed = _("as needed") if dosage.get("asNeededBoolean") else ""
    return ", ".join(filter(None, (FORMATS["Quantity"](amount).text if amount else "", often, needed)))


def _reactions(resource: Json) -> str:
    reactions: list[Json] = resource.get("reaction", [])
    said_ = [concept(each) for reaction in reactions for each in reaction.get("manifestation", ())]
    level = resource.get("criticality", "")
    risk = {"high": _("high risk"), "low": _("low risk"), "unable-to-assess": _("risk not assessed")}.get(
        level, ""
    )
    return "; ".join(filter(None, (risk, ", ".join(said_))))


def _report(resource: Json) -> str:
    count = len(resource.get("result", ()))
    parts = [resource.get("conclusion", "")]
    if count:
        parts.append(", ".join(r["display"] for r in resource["result"] if r.get("display")))
    return "; ".join(filter(None, parts))


def hours(span: Json) -> str:
    """Of one day the hours only, for the day stands above; else the whole period."""
    start, end = str(span.get("start", "")), str(span.get("end", ""))
    if start[:10] == end[:10]:
        return "–".join(dict.fromkeys(filter(None, (said.time(start), said.time(end)))))
    return period(span)


def _ended(resource: Json) -> str:
    ended = resource.get("abatementDateTime")
    return _("ended %(day)s") % {"day": said.day(ended)} if ended else ""


def _reasons(resource: Json) -> str:
    return ", ".join(filter(None, (concept(each) for each in resource.get("reasonCode", ()))))


def _total(resource: Json) -> str:
    total = resource.get("total")
    if isinstance(total, list):
        total = next((each.get("amount") for each in total if each.get("amount")), None)
    found = shown(total, "Money") if isinstance(total, dict) else None
    return found.text if found else ""


def _birth(resource: Json) -> str:
    parts = [code_name(resource.get("gender", "")), said.day(resource.get("birthDate", ""))]
    return " · ".join(filter(None, parts))


DETAILED: dict[str, Callable[[Json], str]] = {
    "Encounter": lambda r: " · ".join(filter(None, (_class(r), _reasons(r), hours(r.get("period", {}))))),
    "MedicationRequest": lambda r: "; ".join(filter(None, (_dosage(r), _reasons(r)))),
    "MedicationStatement": _dosage,
    "MedicationDispense": _dosage,
    "AllergyIntolerance": _reactions,
    "DiagnosticReport": _report,
    "Condition": _ended,
    "Procedure": _reasons,
    "CarePlan": lambda r: ", ".join(
        filter(None, (concept(a.get("detail", {}).get("code")) for a in r.get("activity", ())))
    ),
    "Claim": _total,
    "ExplanationOfBenefit": _total,
    "Patient": _birth,
}
