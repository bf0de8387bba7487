"""Every service is a house with the same rooms, and what its manifest declares fits together."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from commonweal.boot import discovery
from commonweal.platform import Kind, Move, On, Service

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "src/commonweal/services"
CODE_ROOMS = ("manifest", "rules", "workflow", "queries", "actions", "handlers", "api", "pages")
OTHER_ROOMS = ("README.md", "definitions", "templates", "static", "locale", "knowledge", "tests")
ROOMS = {"__init__.py", *OTHER_ROOMS, *CODE_ROOMS, *(f"{room}.py" for room in CODE_ROOMS)}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "service", "misc"}
NAMELESS_ALLOWED = {"src/commonweal/platform/service.py"}
"""The one file whose question is what a service is."""


def _folders() -> list[Path]:
    return [p for p in SERVICES.glob("*/") if p.name != "__pycache__"]


def test_discovery_finds_every_folder_and_nothing_else() -> None:
    assert {service.name for service in discovery.services()} == {folder.name for folder in _folders()}


def test_every_service_has_its_page_and_its_manifest() -> None:
    missing = [
        f / name for f in _folders() for name in ("README.md", "manifest.py") if not (f / name).is_file()
    ]
    assert not missing


def test_services_have_these_rooms_and_no_others() -> None:
    entries = (p for folder in _folders() for p in folder.iterdir() if p.name != "__pycache__")
    assert not [p for p in entries if p.name not in ROOMS]


def test_nothing_is_named_after_no_question() -> None:
    ours = (
        p
        for folder in ("src", "tests", "tools")
        for p in (ROOT / folder).rglob("*")
        if p.suffix in ("", ".py")
    )
    named = {p.relative_to(ROOT).as_posix() for p in ours if p.stem in NAMELESS}
    assert not named - NAMELESS_ALLOWED


def test_rules_and_workflows_only_think() -> None:
    rooms = (
        p for folder in _folders() for p in folder.rglob("*.py") if _room(folder, p) in ("rules", "workflow")
    )
    asynchronous = [p for p in rooms for node in ast.walk(_tree(p)) if isinstance(node, ast.AsyncFunctionDef)]
    assert not asynchronous


def _room(folder: Path, path: Path) -> str:
    return path.relative_to(folder).parts[0].removesuffix(".py")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_permissions_are_noun_and_verb_with_a_sentence_and_roles() -> None:
    for permission in _permissions():
        assert re.fullmatch(r"[a-z_]+\.[a-z_-]+", permission.name)
        assert permission.sentence and permission.roles


def test_no_two_permissions_share_a_name() -> None:
    counts = Counter(permission.name for permission in _permissions())
    assert not [name for name, count in counts.items() if count > 1]


def _permissions() -> Iterator[discovery.Permission]:
    yield from discovery.RECORD
    for service in discovery.services():
        yield from service.permissions


def test_every_permission_is_checked_by_something() -> None:
    unchecked = [
        permission.name
        for service in discovery.services()
        for permission in service.permissions
        if not permission.allows and permission.name not in _asked_for(service)
    ]
    assert not unchecked


def test_every_permission_that_is_asked_for_is_declared() -> None:
    declared = {permission.name for permission in _permissions()}
    assert not {name for service in discovery.services() for name in _asked_for(service)} - declared


def _asked_for(service: Service) -> set[str]:
    """Permissions named by moves, operations and pages, and in `work.may("…")` of the code."""
    named = {move.by for workflow in service.workflows for move in workflow.moves}
    named |= {each.permission for each in (*service.operations, *service.pages)}
    code = "".join(
        p.read_text("utf-8") for p in discovery.folder(service.name).rglob("*.py") if "tests" not in p.parts
    )
    return named | set(re.findall(r"\.may\(\"([a-z_.-]+)\"\)", code))


def test_workflows_and_admission_rules_speak_for_kinds_their_service_owns() -> None:
    for service in discovery.services():
        owned = {kind.label for kind in service.owns}
        spoken_for = {workflow.kind for workflow in service.workflows} | {
            a.kind.label for a in service.admits
        }
        assert spoken_for <= owned, service.name


def test_every_state_can_be_reached() -> None:
    for workflow in (w for service in discovery.services() for w in service.workflows):
        assert set(workflow.states) <= _reached(workflow.moves), workflow.kind


def _reached(moves: "tuple[Move, ...] | list[Move]") -> set[str]:
    reached: set[str] = set()
    sources: set[str | None] = {None}
    while sources:
        targets = {move.target for move in moves if move.source in sources}
        sources = set(targets - reached)
        reached |= targets
    return reached


def test_every_deadline_has_its_number_with_a_source() -> None:
    for service in discovery.services():
        numbers = discovery.definitions(service.name).parameters
        assert all(edition.source for editions in numbers.values() for edition in editions)
        limits = {deadline.limit for workflow in service.workflows for deadline in workflow.deadlines}
        assert limits <= set(numbers), service.name


def test_every_operation_that_is_asked_for_is_offered_and_asking_has_no_cycle() -> None:
    offered = {operation.name: s.name for s in discovery.services() for operation in s.operations}
    asks = {service.name: {offered[name] for name in service.asks} for service in discovery.services()}
    while asks:
        leaves = [name for name, asked in asks.items() if not asked & set(asks)]
        assert leaves, f"these ask each other in a circle: {sorted(asks)}"
        for name in leaves:
            del asks[name]


def test_services_react_to_topics_that_somebody_tells() -> None:
    for service in discovery.services():
        for reaction in (r for r in service.reacts if isinstance(r, On)):
            assert _is_told(reaction.topic), f"{service.name} waits for {reaction.topic}"


def _is_told(topic: str) -> bool:
    workflows = [w for service in discovery.services() for w in service.workflows]
    told = {move.topic for workflow in workflows for move in workflow.moves}
    told |= {t for w in workflows for deadline in w.deadlines for t in (deadline.breach, deadline.warning)}
    return topic in told or bool(re.fullmatch(r"[A-Z][A-Za-z]+\.(created|updated|deleted)", topic))


def test_every_kind_is_told_apart_from_its_neighbours() -> None:
    kinds = [kind for service in discovery.services() for kind in service.owns]
    per_type = Counter(kind.type for kind in kinds if _takes_everything(kind))
    assert not [type for type, count in per_type.items() if count > 1]


def _takes_everything(kind: Kind) -> bool:
    return kind.profile is None and kind.matches is None
