"""Which organization, area or practitioner somebody means: by reference, or by a name that fits exactly one."""

from urllib.parse import quote

from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.reference import ID
from commonweal.platform.work import Work
from commonweal.web import page
from commonweal.web.language import gettext as _
from commonweal.web.record.line import title_of
from commonweal.web.screens.finding import escaped

OFFERED = 5


async def meant(work: Work, type: str, text: str, field: str, faults: page.Faults) -> str:
    """ "Type/id", "" for nothing; a fault of the field where nobody, or several, are meant."""
    if not text:
        return ""
    try:
        if text.startswith(f"{type}/"):
            return await _there(work, type, text.partition("/")[2], field, faults)
        return await _named(work, type, text, field, faults)
    except Problem as problem:
        if problem.status != 403:
            raise
        faults.needs(False, field, _("You may not look it up; ask somebody who may"))
        return ""


async def _there(work: Work, type: str, id: str, field: str, faults: page.Faults) -> str:
    found = await work.read_all([(type, id)]) if ID.fullmatch(id) else [None]
    if found[0] is None:
        faults.needs(
            False, field, _("%(reference)s is not in the record") % {"reference": f"{type}/{id[:64]}"}
        )
        return ""
    return found[0].reference


async def _named(work: Work, type: str, text: str, field: str, faults: page.Faults) -> str:
    found = (await work.search(f"{type}?name={quote(escaped(text))}&_count={OFFERED}")).matches
    if len(found) == 1:
        return found[0].reference
    if found:
        told = _("; ").join(f"{title_of(codec.parse(each.body))} = {each.reference}" for each in found)
        faults.needs(
            False, field, _("Several fit “%(name)s”. Write one of: %(told)s") % {"name": text, "told": told}
        )
    else:
        faults.needs(False, field, _("Nothing in the record is called “%(name)s”") % {"name": text})
    return ""
