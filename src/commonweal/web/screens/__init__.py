"""The shell's own screens: each file answers for one thing a person wants to do."""

from commonweal.identity.permissions import APPS, HELP, MANAGE, MATRIX, OWN
from commonweal.platform.service import Page
from commonweal.web.screens import (
    audit,
    consenting,
    finding,
    launching,
    opening,
    searching,
    services,
    status,
    versions,
)
from commonweal.web.screens import person as patient
from commonweal.web.screens.managing import apps as clients
from commonweal.web.screens.managing import desk, matrix, people, person
from commonweal.web.screens.own import account, apps, record, role, sessions

READ, OPEN = "record.read", "record.open"
PLATFORM = "platform"
"""Place in the menu of pages about the installation itself: behind those of the services."""

FORM = ("GET", "POST")

SCREENS = (
    Page("/", OPEN, finding.find, "Find a person", menu="people"),
    Page("/people/{id}", OPEN, patient.timeline, "Record"),
    Page("/people/{id}/measurements", OPEN, patient.measurements, "Measurements"),
    Page("/people/{id}/apps", OPEN, launching.apps, "Apps", methods=FORM),
    Page("/record", READ, searching.choose, "Search the record", menu="record"),
    Page("/record/{type}", OPEN, searching.search, "Search the record"),
    Page("/record/{type}/{id}", OPEN, opening.summary, "Record"),
    Page("/record/{type}/{id}/json", OPEN, opening.json, "JSON"),
    Page("/record/{type}/{id}/referring", OPEN, opening.referring, "What refers to this"),
    Page("/record/{type}/{id}/versions", OPEN, versions.listed, "Versions"),
    Page("/record/{type}/{id}/versions/{version}", OPEN, opening.version, "Version"),
    Page("/record/{type}/{id}/changes", OPEN, versions.changes, "What changed"),
    Page("/me", OWN, account.show, "My account"),
    Page("/me/sessions", OWN, sessions.show, "My sessions", methods=FORM),
    Page("/me/role", OWN, role.choose, "Act as", methods=FORM),
    Page("/me/record", OWN, record.bind, "Bind my record", methods=FORM),
    Page("/me/{what}", OWN, account.change, "My account", methods=FORM),
    Page("/apps", OWN, apps.show, "My apps", methods=FORM),
    Page("/apps/consent", OWN, consenting.consent, "Allow an app", methods=FORM),
    Page("/access", MANAGE, people.find, "Access", menu=PLATFORM),
    Page("/access/people/new", MANAGE, people.add, "Add a person", methods=FORM),
    Page("/access/people/{id}", MANAGE, person.show, "Person", methods=FORM),
    Page("/access/apps", APPS, clients.listed, "Apps and systems"),
    Page("/access/apps/new", APPS, clients.add, "Register an app or a system", methods=FORM),
    Page("/access/apps/{id}", APPS, clients.one, "App", methods=FORM),
    Page("/access/matrix", MATRIX, matrix.show, "Permissions"),
    Page("/desk", HELP, desk.give, "Help desk", menu=PLATFORM, methods=FORM),
    Page("/services", READ, services.show, "Services", menu=PLATFORM),
    Page("/status", READ, status.show, "Status", menu=PLATFORM),
    Page("/audit", "audit.read", audit.search, "Audit", menu=PLATFORM),
    Page("/audit/export", "audit.read", audit.export, "Audit"),
)
