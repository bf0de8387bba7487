"""What is true or allowed: resources and facts in, a decision out; no clock, no dice, no record."""

from typing import Any

from commonweal.platform import Decision, decide

Json = dict[str, Any]


def may_be_done(duty: Json) -> Decision:
    """May this duty be called done?"""
    return decide(
        ("owner" in duty, "nobody owns it"),
        ("output" in duty, "it does not say what came of it"),
    )
