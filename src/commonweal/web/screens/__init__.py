"""The shell's own screens: each file answers for one thing a person wants to do."""

from commonweal.platform.service import Page
from commonweal.web.screens import finding, opening, person, searching, services, status, versions

READ = "record.read"
PLATFORM = "platform"
"""Place in the menu of pages about the installation itself: behind those of the services."""

SCREENS = (
    Page("/", READ, finding.find, "Find a person", menu="people"),
    Page("/people/{id}", READ, person.timeline, "Record"),
    Page("/people/{id}/measurements", READ, person.measurements, "Measurements"),
    Page("/record", READ, searching.choose, "Search the record", menu="record"),
    Page("/record/{type}", READ, searching.search, "Search the record"),
    Page("/record/{type}/{id}", READ, opening.summary, "Record"),
    Page("/record/{type}/{id}/json", READ, opening.json, "JSON"),
    Page("/record/{type}/{id}/referring", READ, opening.referring, "What refers to this"),
    Page("/record/{type}/{id}/versions", READ, versions.listed, "Versions"),
    Page("/record/{type}/{id}/versions/{version}", READ, opening.version, "Version"),
    Page("/record/{type}/{id}/changes", READ, versions.changes, "What changed"),
    Page("/services", READ, services.show, "Services", menu=PLATFORM),
    Page("/status", READ, status.show, "Status", menu=PLATFORM),
)
