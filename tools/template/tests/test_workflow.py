"""Every pair of states: what is not in the table may not happen."""

from itertools import product

from commonweal.access.decision import YES
from commonweal.services.template_service.workflow import DUTY_DONE

DONE = {"owner": {"reference": "Practitioner/one"}, "output": [{"valueString": "all is well"}]}


def test_only_the_moves_of_the_table_are_allowed() -> None:
    states = (None, *DUTY_DONE.states)
    allowed = {
        (a, b)
        for a, b in product(states, DUTY_DONE.states)
        if a != b and DUTY_DONE.may(a, b, DONE, lambda permission: YES)
    }
    assert allowed == {(None, "requested"), ("requested", "in-progress"), ("in-progress", "completed")}
