"""History: versions, newest first: https://hl7.org/fhir/R4/http.html#history."""

from commonweal.access.reach import Reach
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Page, Scope
from commonweal.platform.topic import Position
from commonweal.store import masking
from commonweal.store.memory.sight import Sight
from commonweal.store.memory.state import Row, State


def page(state: State, scope: Scope, reach: Reach) -> Page:
    """One page; the cursor is the position of its last version."""
    sight = Sight(state, reach)
    asked = (row for versions in state.versions.values() for row in versions if _is_asked(row, scope))
    rows = [row for row in asked if sight.sees(row)]
    rows.sort(key=lambda row: (row.stored.updated, row.position), reverse=True)
    if scope.cursor:
        last = _read(scope.cursor)
        rows = [row for row in rows if (row.stored.updated, row.position) < last]
    shown = rows[: scope.count]
    more = _write(shown[-1]) if shown and len(rows) > len(shown) else None
    return Page([masking.shown(row.stored, reach) for row in shown], next=more)


def _is_asked(row: Row, scope: Scope) -> bool:
    stored = row.stored
    return (
        scope.type in (None, stored.type)
        and scope.id in (None, stored.id)
        and (scope.since is None or stored.updated >= scope.since)
        and (scope.until is None or stored.updated <= scope.until)
    )


def _write(row: Row) -> str:
    return f"{row.stored.updated}-{row.position}"


def _read(cursor: str) -> tuple[int, Position]:
    try:
        updated, _, position = cursor.partition("-")
        return int(updated), Position.parse(position)
    except ValueError:
        raise Problem.invalid("this page's address is not one of ours", "_cursor") from None
