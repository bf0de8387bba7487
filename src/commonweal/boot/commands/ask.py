"""`commonweal ask NAME`: one declared, pure judgement on JSON lines."""

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import click
import msgspec

from commonweal.boot import discovery
from commonweal.fhir import fhirpath
from commonweal.platform.service import Judgement

Json = dict[str, Any]

FHIRPATH = Judgement(
    "fhirpath",
    fhirpath.ask,
    """Evaluate FHIRPath. Input: {"expression", "resource", "variables"?}.
    Output: {"result": [...], "types": [...]} or {"error": "one sentence"}.""",
)


class Judgements(click.Group):
    """Every judgement of the platform and its services."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_judgements())

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        judgement = _judgements().get(name)
        if judgement is None:
            return None
        return click.Command(name, callback=lambda: _answer(judgement.run), help=judgement.help)


@click.command("ask", cls=Judgements)
def command() -> None:
    """Ask one pure judgement: JSON lines in on standard input, JSON lines out."""


def _judgements() -> dict[str, Judgement]:
    declared = (j for s in discovery.services() for j in s.judgements)
    return {j.name: j for j in (FHIRPATH, *declared)}


def _answer(run: Callable[[Json], Json]) -> None:
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    encoder = msgspec.json.Encoder(decimal_format="number")
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            asked = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            answer: Json = {"error": f"this line is not JSON: {error}"}
        else:
            answer = run(asked) if isinstance(asked, dict) else {"error": "each line must be a JSON object"}
        sys.stdout.write(encoder.encode(answer).decode() + "\n")
        sys.stdout.flush()
