"""Roles, purposes and scopes as people read them, in the language spoken now."""

from commonweal.access.roles import ROLES
from commonweal.access.sensitivity import SENSITIVE
from commonweal.identity.oauth.scopes import Told
from commonweal.web.language import gettext as _
from commonweal.web.record.words import type_name


def role(name: str) -> str:
    """A role by its name."""
    known = {
        "operator": _("Operator"),
        "system": _("The platform itself"),
        "anonymous": _("Not signed in"),
        "resident": _("Resident"),
        "clinician": _("Doctor or nurse"),
        "pharmacist": _("Pharmacist"),
        "registrar": _("Registration desk"),
        "community-worker": _("Community worker"),
        "officer": _("Public health officer"),
        "epidemiologist": _("Epidemiologist"),
        "auditor": _("Auditor"),
        "privacy-officer": _("Privacy officer"),
        "access-manager": _("Manager of people and roles"),
        "backend": _("A system of a partner"),
    }
    declared = ROLES.get(name)
    return known.get(name) or (declared.title if declared else name)


def reach(name: str) -> str:
    """How far a role sees, in one sentence."""
    told = {
        "everywhere": _("Sees everything."),
        "area": _("Sees the people who live in the areas of the assignment."),
        "organization": _("Sees the people in the care of the organization."),
        "relationship": _("Sees the people in one's own care, or in that of the organization."),
        "own": _("Sees their own record, and those of people they act for."),
        "nowhere": _("Sees no health record."),
    }
    return told[ROLES[name].within.value] if name in ROLES else ""


def purposes() -> dict[str, str]:
    """Codes of v3-ActReason that an agreement may name: https://terminology.hl7.org/CodeSystem-v3-ActReason.html."""
    return {
        "TREAT": _("treatment"),
        "PUBHLTH": _("public health"),
        "HPAYMT": _("payment"),
        "HOPERAT": _("running the health services"),
        "HRESCH": _("research"),
    }


def clearances() -> dict[str, str]:
    """Sensitivity labels ("system|code") for which an assignment may be cleared."""
    known = {
        "PSY": _("mental health"),
        "HIV": _("HIV"),
        "SEX": _("sexual and reproductive health"),
        "ETH": _("alcohol and drugs"),
    }
    codes = {label: label.rpartition("|")[2] for label in sorted(SENSITIVE)}
    return {label: known.get(code, code) for label, code in codes.items()}


def scope(told: Told) -> str:
    """What a scope lets an app do, as the person who is asked would say it."""
    if told.name:
        return _named().get(told.name, told.name)
    what = _("all kinds of records") if told.type == "*" else type_name(told.type)
    return _("%(verbs)s: %(what)s") % {"verbs": _verbs(told.letters), "what": what}


def whose(told: Told) -> str:
    """On whom."""
    if told.context == "patient":
        return _("of the one person you choose")
    return _("of everybody whose record you may see") if told.context == "user" else ""


def _named() -> dict[str, str]:
    return {
        "openid": _("Know that it is you"),
        "fhirUser": _("Know who you are in this record"),
        "profile": _("Know your name"),
        "launch": _("Be told what is open here"),
        "launch/patient": _("Be told whose record it is"),
        "launch/encounter": _("Be told which visit it is"),
        "offline_access": _("Come back without you, until you end it"),
        "online_access": _("Come back while you are signed in here"),
    }


def _verbs(letters: str) -> str:
    verbs = {"r": _("read"), "s": _("search"), "c": _("add"), "u": _("change"), "d": _("delete")}
    said = [verbs[each] for each in "rscud" if each in letters]
    text = _(", ").join(said)
    return text[:1].upper() + text[1:]


def password_refused(told: str) -> str:
    """Why a password may not be one, in the reader's words: all reasons of identity.passwords."""
    known = {
        "at least": _(
            "Choose a longer password: at least 12 characters; several words are easiest to remember"
        ),
        "at most": _("Choose a shorter password: at most 256 characters"),
        "repeats": _("Choose a password that does not repeat the same few characters"),
        "everybody": _("Choose another password: this is one of those that everybody tries first"),
        "login": _("Choose a password that contains neither your name nor your login"),
        "were given": _("Choose a password other than the one you were given"),
    }
    return "; ".join(sentence for mark, sentence in known.items() if mark in told) or told
