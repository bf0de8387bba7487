"""My consents: what I permitted, whom I keep out; to give another, and to withdraw one."""

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
    """All of them in plain words; a form withdraws one."""
    patient, wards = await words.subject(work, request)
    if request.method == "POST":
        form = await page.form(request)
        await words.ask(work, "$withdraw-consent", consent=f"Consent/{form['consent']}")
        return page.redirect(page.address("/my/consents", of=_of(request)))
    several = words.told(await words.ask(work, "Patient/$consents", patient=patient), "consent")
    shown = [words.consent(each) for each in several]
    today = queries.today(work)
    in_force = {each["id"] for each in several if people.is_in_force(each, today)}
    return page.render(
        request,
        "privacy/consents.html",
        permits=[each for each in shown if each["kind"] == "permit" and each["id"] in in_force],
        denials=[each for each in shown if each["kind"] == "deny" and each["id"] in in_force],
        ended=[each for each in shown if each["kind"] != "proxy" and each["id"] not in in_force],
        wards=wards,
        patient=patient,
        of=_of(request),
    )


def _of(request: Request) -> str:
    return request.query_params.get("of", "")


FIELDS = ("type", "who", "name", "party", "until")


async def give(work: Work, request: Request) -> Response:
    """The form for a new one: what, to whom, for what, until when."""
    patient, _wards = await words.subject(work, request)
    chosen = "permit" if request.query_params.get("type") == "permit" else "deny"
    form: Json = dict.fromkeys(FIELDS, "") | {
        "who": "organization",
        "type": chosen,
        "label": [],
        "purpose": [],
    }
    faults, choices = page.Faults(), []
    if request.method == "POST":
        sent = await page.form(request)
        form = {name: sent[name].strip() for name in FIELDS}
        form |= {name: sent.all(name) for name in ("label", "purpose")}
        choices = await _choices(work, patient, form, faults)
        done = await words.tried(faults, "", lambda: _given(work, patient, form))
        if done is not None:
            return page.redirect(page.address("/my/consents", of=_of(request)))
    return page.render(
        request,
        "privacy/give-consent.html",
        422 if faults else 200,
        form=form,
        faults=faults,
        choices=choices,
        whom={
            "organization": _("An organization"),
            "person": _("A doctor, nurse or other person"),
            **(
                {"everybody": _("Everybody")}
                if form["type"] == "deny"
                else {"proxy": _("Somebody who acts for me")}
            ),
        },
        labels=words.labels(),
        purposes={code: words.purposes()[code] for code in ("TREAT", "HPAYMT", "PUBHLTH", "HRESCH")},
        of=_of(request),
    )


async def _choices(work: Work, patient: str, form: Json, faults: page.Faults) -> list[Json]:
    """Whom the name means; where it means several they are offered to be chosen from, and one is set."""
    if form["who"] == "everybody":
        return []
    choices = await (_proxies(work, patient) if form["who"] == "proxy" else _listed(work, form))
    exactly = [each for each in choices if people.plain(each["name"]) == people.plain(form["name"])]
    if len(choices) == 1 or len(exactly) == 1:
        form["party"] = (exactly or choices)[0]["reference"]
    meant = any(each["reference"] == form["party"] for each in choices)
    faults.needs(form["name"] or form["who"] == "proxy", "name", _("Enter the name"))
    faults.needs(choices, "name", _("Nobody of this name is in the directory"))
    faults.needs(meant or not choices, "name", _("Several have this name; choose one below"))
    form["party-name"] = next((each["name"] for each in choices if each["reference"] == form["party"]), "")
    return [] if meant else choices


async def _listed(work: Work, form: Json) -> list[Json]:
    """Those of this name in the directory."""
    type = "Organization" if form["who"] == "organization" else "Practitioner"
    found = await queries.directory(work, type, form["name"]) if form["name"] else []
    return [{"reference": f"{type}/{each['id']}", "name": people.called(each)} for each in found]


async def _proxies(work: Work, patient: str) -> list[Json]:
    """Those who act for the person now."""
    several = words.told(await words.ask(work, "Patient/$proxies", patient=patient), "consent")
    named = {each["proxy"]: each["party"] for each in map(words.consent, several)}
    return [{"reference": reference, "name": name} for reference, name in named.items()]


async def _given(work: Work, patient: str, form: Json) -> Json:
    """One consent; of several sensitive kinds that are permitted each has its own."""
    answer: Json = {}
    several = [[each] for each in form["label"]] if form["type"] == "permit" else [form["label"]]
    for label in several or [[]]:
        answer = await words.ask(
            work,
            "Patient/$give-consent",
            patient=patient,
            type=form["type"],
            party=form["party"] if form["who"] != "everybody" else "",
            party_name=form.get("party-name", ""),
            label=label,
            purpose=["PATRQT"] if form["who"] == "proxy" else form["purpose"],
            until=form["until"],
        )
    return answer
