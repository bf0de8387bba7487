"""My proxies, and for whom I act."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform import Work
from commonweal.services.privacy import queries
from commonweal.services.privacy.pages import words
from commonweal.services.privacy.rules import people
from commonweal.web import page
from commonweal.web.page import _

Json = dict[str, Any]


async def mine(work: Work, request: Request) -> Response:
    """Who acts for me, for whom I act, and who else acts for my wards; a form ends one or disputes it."""
    me = words.resident(work)
    faults = page.Faults()
    if request.method == "POST":
        form = await page.form(request)
        if form["what"] == "contest":
            faults.needs(form["reason"].strip(), f"reason-{form['consent']}", _("Say why you dispute it"))
        done = await words.tried(faults, "", lambda: _do(work, form))
        if done is not None:
            return page.redirect("/my/proxies")
    others, acting = await words.acting(work)
    wards = [await _ward(work, each) for each in acting if each["role"] in people.BY_LAW]
    cases = words.told(await words.ask(work, "Patient/$privacy-cases", patient=me), "task")
    disputed = any(
        (each["kind"], each["state"]) == ("guardian-conflict", "waiting") for each in map(words.task, cases)
    )
    return page.render(
        request,
        "privacy/proxies.html",
        422 if faults else 200,
        faults=faults,
        proxies=others,
        acting=acting,
        wards=wards,
        disputed=disputed,
        by_law=people.BY_LAW,
        me=me,
        today=queries.today(work),
    )


async def _ward(work: Work, mine: Json) -> Json:
    """A ward, with who else acts for them."""
    answer = await words.ask(work, "Patient/$proxies", patient=mine["patient"])
    disputed = any(each.get("valueBoolean") for each in answer["parameter"] if each["name"] == "disputed")
    several = (words.consent(each) for each in words.told(answer, "consent"))
    others = [each for each in several if each["id"] != mine["id"]]
    return {"name": mine["ward"], "patient": mine["patient"], "others": others, "disputed": disputed}


async def _do(work: Work, form: page.Form) -> Json:
    consent = f"Consent/{form['consent']}"
    if form["what"] == "contest":
        return await words.ask(
            work,
            "Patient/$contest-proxy",
            patient=form["patient"],
            consent=consent,
            reason=form["reason"].strip(),
        )
    return await words.ask(work, "$withdraw-consent", consent=consent)


FIELDS = ("number", "family", "given", "until")


async def add(work: Work, request: Request) -> Response:
    """Let somebody act for me, or for a ward of mine, until a day and for what I choose."""
    patient, wards = await words.subject(work, request)
    form: Json = dict.fromkeys(FIELDS, "") | {"types": []}
    faults = page.Faults()
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in FIELDS} | {"types": sent.all("types")}
        faults.needs(form["number"], "number", _("Enter the identity number"))
        faults.needs(form["family"] or form["given"], "family", _("Enter the name"))
        faults.needs(form["until"], "until", _("Enter the last day"))
        done = await words.tried(faults, "", lambda: _granted(work, patient, form))
        if done is not None:
            return page.redirect("/my/proxies")
    return page.render(
        request,
        "privacy/add-proxy.html",
        422 if faults else 200,
        form=form,
        faults=faults,
        kinds=words.kinds(),
        ward=next((each["ward"] for each in wards if each["patient"] == patient), ""),
        of=request.query_params.get("of", ""),
    )


async def _granted(work: Work, patient: str, form: Json) -> Json:
    return await words.ask(
        work,
        "Patient/$grant-proxy",
        patient=patient,
        identifier=form["number"],
        family=form["family"],
        given=form["given"],
        type=form["types"],
        until=form["until"],
    )


async def claim(work: Work, request: Request) -> Response:
    """Act for one's child, as the registry recorded it at its birth."""
    words.resident(work)
    form, faults = {"number": "", "born": ""}, page.Faults()
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in form}
        faults.needs(form["number"], "number", _("Enter the identity number"))
        faults.needs(form["born"], "born", _("Enter the birth date"))
        asked = dict(identifier=form["number"], birthDate=form["born"])
        done = await words.tried(faults, "", lambda: words.ask(work, "Patient/$claim-child", **asked))
        if done is not None:
            return page.redirect("/my/proxies")
    return page.render(request, "privacy/claim-child.html", 422 if faults else 200, form=form, faults=faults)
