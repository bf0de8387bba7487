"""The pages of the registry: places as a tree, one place with its households, and two forms."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform import Decision, Work
from commonweal.platform.ports import Stored
from commonweal.services.registry import actions, queries
from commonweal.services.registry.rules import households, numbers, people
from commonweal.services.registry.rules.numbers import is_typed
from commonweal.services.registry.workflow import PLACE, PLACES
from commonweal.web import page
from commonweal.web.page import _

Json = dict[str, Any]
Result = TypeVar("Result")
KINDS = tuple(kind.name for kind in PLACES)
FULL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def _kind_names() -> dict[str, str]:
    return {"area": _("Area"), "grid": _("Grid"), "facility": _("Facility"), "venue": _("Venue")}


def _state_names() -> dict[str, str]:
    return {"active": _("open"), "suspended": _("shut for a while"), "inactive": _("closed")}


async def places(work: Work, request: Request) -> Response:
    """Where the tree begins: the places that lie in no other."""
    rows = await _rows(work, None)
    return page.render(request, "registry/places.html", rows=rows, may_add=work.may("place.add"))


async def place(work: Work, request: Request) -> Response:
    """One place: what it lies in, what lies in it, and who lives there."""
    found = codec.parse((await work.read("Location", request.path_params["id"])).body)
    groups = await queries.households_at(work, found["id"])
    return page.render(
        request,
        "registry/place.html",
        place=found,
        kind=_kind_names().get(_kind(found), ""),
        state=_state_names().get(found.get("status", ""), ""),
        above=await queries.ancestors(work, found),
        rows=await _rows(work, found["id"]),
        households=[_household(each, await queries.members_of(work, groups)) for each in groups],
        codes=[each["value"] for each in found.get("identifier", []) if "value" in each],
        may_add=work.may("place.add"),
    )


async def _rows(work: Work, inside: str | None) -> list[Json]:
    there = await queries.places_in(work, inside)
    counts = await queries.counts_in(work, [each["id"] for each in there])
    kinds, states = _kind_names(), _state_names()
    return [
        {
            "id": each["id"],
            "name": each.get("name") or each["id"],
            "kind": kinds.get(_kind(each), "–"),
            "state": states.get(each.get("status", ""), "–"),
            "counts": counts[each["id"]],
        }
        for each in there
    ]


def _kind(location: Json) -> str:
    """The code of its kind; "" for a place that is of none of ours."""
    types = location.get("type", ())
    return next((k for k in KINDS if any(is_typed({"type": each}, PLACE, k) for each in types)), "")


def _household(group: Json, people: Mapping[str, Json]) -> Json:
    heads = households.said(group, "head")
    members = [
        each["entity"].get("reference", "") for each in group.get("member", ()) if not each.get("inactive")
    ]
    return {
        "id": group["id"],
        "members": [
            {
                "id": reference.removeprefix("Patient/"),
                "name": _name(people.get(reference)),
                "is_head": reference in heads,
            }
            for reference in sorted(members, key=lambda each: each not in heads)
        ],
    }


def _name(person: Json | None) -> str:
    names = person.get("name", []) if person else []
    return actions.spoken(names[0]) if names else _("name not recorded")


async def add_place(work: Work, request: Request) -> Response:
    """The form for a new place, within the one it was opened from."""
    faults = page.Faults()
    form: Json = {"name": "", "kind": "area", "code": "", "within": request.query_params.get("within", "")}
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in form}
        _check_place(form, faults)
        added = await _tried(faults, lambda: _add(work, form))
        if added is not None:
            return page.redirect(f"/places/{added.id}")
    inside = codec.parse((await work.read("Location", form["within"])).body) if form["within"] else None
    return page.render(
        request,
        "registry/add-place.html",
        422 if faults else 200,
        form=form,
        kinds=_kind_names(),
        inside=inside,
        faults=faults,
    )


def _check_place(form: Json, faults: page.Faults) -> None:
    faults.needs(form["name"], "name", _("Enter the name of the place"))
    faults.needs(form["kind"] in KINDS, "kind-area", _("Choose what kind of place it is"))
    if form["code"]:
        _judge(faults, "code", numbers.is_division_code(form["code"]))


async def _add(work: Work, form: Json) -> Stored:
    code = {"identifier": [{"system": numbers.DIVISION, "value": form["code"]}]} if form["code"] else {}
    return await actions.add_place(work, form["kind"], form["name"], form["within"] or None, **code)


async def register(work: Work, request: Request) -> Response:
    """The form for a new person; what is wrong is said at the top and beside its field."""
    faults = page.Faults()
    names = ("family", "given", "gender", "born", "number", "kind", "country", "area")
    form = dict.fromkeys(names, "") | {"kind": "resident"}
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in names}
        person = _person(form, faults)
        await _settle(work, form, person, faults)
        registered = await _tried(faults, lambda: _registered(work, person, faults))
        if registered is not None and not faults:
            return page.redirect(f"/people/{registered}")
    return page.render(
        request,
        "registry/register.html",
        422 if faults else 200,
        form=form,
        faults=faults,
        areas=await queries.areas(work),
        genders={"female": _("Female"), "male": _("Male"), "other": _("Other"), "unknown": _("Not known")},
        numbers={
            "resident": _("Resident identity number"),
            "abha": _("ABHA number"),
            "passport": _("Passport"),
            "none": _("None at hand"),
        },
    )


async def _settle(work: Work, form: Json, person: Json, faults: page.Faults) -> None:
    """In which area the person lives."""
    if not form["area"]:
        return
    found = await queries.areas_named(work, form["area"])
    faults.needs(found, "area", _("No area of this name or code is recorded"))
    faults.needs(len(found) < 2, "area", _("Several areas have this name; enter the code"))
    if len(found) == 1:
        person["extension"] = [people.lives_in(found[0])]


async def _registered(work: Work, person: Json, faults: page.Faults) -> str | None:
    """The id of the person; where somebody has the number, who that is only for those who may see them."""
    seen = await queries.seen_with(work, person)
    if seen is not None:
        faults["number"] = _("This number is registered already; look for the person")
        return None
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "patient", "resource": person}]}
    answer = await work.operation("Patient/$register", parameters)
    found = (each["valueReference"]["reference"] for each in answer["parameter"] if each["name"] == "patient")
    reference = next(found, None)
    if reference is None:
        faults[""] = _(
            "We could not register this person here; the match review of the registration desk is told."
        )
        return None
    return str(reference).removeprefix("Patient/")


def _person(form: Json, faults: page.Faults) -> Json:
    """What the form says, as a Patient; the faults that can be told without the record go to their fields."""
    faults.needs(form["family"] or form["given"], "family", _("Enter the name"))
    faults.needs(form["gender"], "gender-female", _("Choose the sex"))
    born = FULL_DATE.fullmatch(form["born"])
    faults.needs(born, "born", _("Enter the birth date as year-month-day, or the year alone"))
    name = {"family": form["family"]} if form["family"] else {}
    given = {"given": form["given"].split()} if form["given"] else {}
    person: Json = {
        "resourceType": "Patient",
        "name": [name | given],
        "gender": form["gender"],
        "birthDate": form["born"],
    }
    identifier = _identifier(form)
    if identifier is not None:
        _judge(faults, "number", numbers.may_identify(identifier))
        person["identifier"] = [identifier]
    return person


def _identifier(form: Json) -> Json | None:
    """The number as FHIR writes it; capital letters and no spaces, as it stands on the card."""
    systems = {
        "resident": numbers.RESIDENT,
        "abha": numbers.ABHA,
        "passport": numbers.PASSPORT + form["country"].upper(),
    }
    if form["kind"] not in systems or not form["number"]:
        return None
    return {"system": systems[form["kind"]], "value": "".join(form["number"].upper().split())}


def _judge(faults: page.Faults, field: str, decision: Decision) -> None:
    for reason in decision.reasons:
        faults.needs(False, field, _(reason))


async def _tried(faults: page.Faults, act: Callable[[], Awaitable[Result]]) -> Result | None:
    """What is done when the form has no faults; what the gates say against it becomes a fault of the whole."""
    if faults:
        return None
    try:
        return await act()
    except Problem as problem:
        if problem.status != 422:
            raise
        faults[""] = "; ".join(_(each.diagnostics) for each in problem.issues)
        return None
