"""For those who give care, and the desks: a record in an emergency, an arrival, a guardian."""

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
SOUGHT = ("number", "born", "family", "given", "code", "reason")


async def emergency(work: Work, request: Request) -> Response:
    """Open a record that one has no other way to see; what is open is listed, and can be ended."""
    form, faults = dict.fromkeys(SOUGHT, ""), page.Faults()
    if request.method == "POST":
        sent = await page.form(request)
        if sent["what"] == "end":
            await words.ask(work, "$end-emergency-access", task=sent["task"])
            return page.redirect("/emergency-access")
        form = {name: sent[name].strip() for name in SOUGHT}
        _check(form, faults)
        opened = await words.tried(faults, "", lambda: _opened(work, form))
        if opened is not None:
            return page.redirect(f"/people/{words.reference(opened, 'patient')}")
    several = words.told(await words.ask(work, "$emergency-accesses"), "task")
    return page.render(
        request,
        "privacy/emergency.html",
        422 if faults else 200,
        form=form,
        faults=faults,
        reasons=words.reasons(),
        open=[words.task(each) | {"patient": each["for"]["reference"].partition("/")[2]} for each in several],
        moment=words.moment,
        minutes=work.parameter("emergency_access_seconds", work.now()) // 60,
        letters=work.parameter("emergency_reason_letters_least", work.now()),
    )


def _check(form: Json, faults: page.Faults) -> None:
    faults.needs(
        form["number"] or form["family"] + form["given"], "number", _("Enter the number, or the name")
    )
    faults.needs(form["born"], "born", _("Enter the birth date"))
    faults.needs(form["code"], "code-unconscious", _("Choose what kind of emergency it is"))


async def _opened(work: Work, form: Json) -> Json:
    return await words.ask(
        work,
        "Patient/$emergency-access",
        identifier=form["number"],
        birthDate=form["born"],
        family=form["family"],
        given=form["given"],
        code=form["code"],
        reason=form["reason"],
    )


async def arrival(work: Work, request: Request) -> Response:
    """Somebody is here: who shows a card is found by it, and those who work here may see the record."""
    form, faults = {"number": "", "born": "", "seen": ""}, page.Faults()
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in form}
        faults.needs(form["number"], "number", _("Enter the identity number"))
        faults.needs(form["born"], "born", _("Enter the birth date"))
        asked = {"identifier": form["number"], "birthDate": form["born"]}
        asked["practitioner"] = await _practitioner(work, form["seen"], faults)
        done = await words.tried(faults, "", lambda: words.ask(work, "Patient/$arrive", **asked))
        if done is not None:
            return page.redirect(f"/people/{words.reference(done, 'patient')}")
    return page.render(request, "privacy/arrival.html", 422 if faults else 200, form=form, faults=faults)


async def _practitioner(work: Work, name: str, faults: page.Faults) -> str:
    """ "Practitioner/x" of exactly this name; "" where nobody is named."""
    found = await queries.directory(work, "Practitioner", name) if name else []
    several = [each for each in found if people.plain(people.called(each)) == people.plain(name)]
    one = len(several) == 1
    faults.needs(
        one or not name, "seen", _("Nobody, or more than one, has exactly this name in the directory")
    )
    return f"Practitioner/{several[0]['id']}" if one else ""


GUARDED = ("role", "number", "born", "proxy-number", "proxy-born", "document")


async def guardian(work: Work, request: Request) -> Response:
    """A help desk records a parent or guardian by what they show."""
    form, faults = dict.fromkeys(GUARDED, "") | {"role": people.PARENT}, page.Faults()
    told = {"consent": _("It is recorded."), "task": _("It is disputed; the privacy officer decides.")}
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in GUARDED}
        for name, sentence in (
            ("number", _("Enter the identity number")),
            ("born", _("Enter the birth date")),
            ("proxy-number", _("Enter the identity number")),
            ("proxy-born", _("Enter the birth date")),
            ("document", _("Say what document was shown, and its number")),
        ):
            faults.needs(form[name], name, sentence)
        done = await words.tried(faults, "", lambda: _recorded(work, form))
        if done is not None:
            return page.redirect(page.address("/guardians", done=done["parameter"][0]["name"]))
    return page.render(
        request,
        "privacy/guardian.html",
        422 if faults else 200,
        form=form,
        faults=faults,
        roles={code: words.relations()[code] for code in people.BY_LAW},
        done=told.get(request.query_params.get("done", ""), ""),
    )


async def _recorded(work: Work, form: Json) -> Json:
    return await words.ask(
        work,
        "Patient/$record-guardian",
        role=form["role"],
        identifier=form["number"],
        birthDate=form["born"],
        document=form["document"],
        **{"proxy-identifier": form["proxy-number"], "proxy-birthDate": form["proxy-born"]},
    )
