"""What the services declare: kinds, permissions, workflows, rules, topics, operations and dated numbers."""

from collections.abc import Iterator
from pathlib import Path

from commonweal.access.matrix import matrix
from commonweal.boot import discovery
from commonweal.boot.discovery import RECORD
from commonweal.boot.reference.markdown import block, code, page, table
from commonweal.identity.permissions import PERMISSIONS
from commonweal.platform import Every, On, Permission, Service, Workflow


def services() -> str:
    """Who is there and what each brings."""
    rows = (
        (s.title, code(s.name), len(s.owns), len(s.workflows), len(s.operations), len(s.pages))
        for s in discovery.services()
    )
    heads = ["service", "folder", "kinds", "workflows", "operations", "pages"]
    return page("Services", "One folder each; adding the folder adds the service.", table(heads, rows))


def kinds() -> str:
    """Who owns which kind."""
    rows = ((k.label, s.title, _told(k.profile, k.matches)) for s in discovery.services() for k in s.owns)
    return page(
        "Kinds",
        "Resource type and profile with its one owner; anything else is recorded and judged by nobody.",
        table(["kind", "owner", "told by"], sorted(rows)),
    )


def _told(profile: str | None, matches: str | None) -> str:
    told = [f"profile {code(profile)}" if profile else "", code(matches)]
    return ", else ".join(text for text in told if text) or "its type"


def permissions() -> str:
    """The matrix of roles and permissions."""
    owners = {p.name: "the record" for p in RECORD} | {p.name: "identity" for p in PERMISSIONS}
    owners |= {p.name: s.title for s, p in _permissions()}
    whole = matrix(discovery.catalogue().policy.permissions.values())
    rows = (
        (
            code(row.permission.name),
            row.permission.sentence,
            owners[row.permission.name],
            ", ".join(map(code, row.permission.allows)),
            *("yes" if role in row.held else "" for role in whole.roles),
        )
        for row in whole.rows
    )
    return page(
        "Permissions",
        "What no permission allows is denied; the role `system` is the platform itself.",
        table(["permission", "allows to", "declared by", "interactions", *whole.roles], rows),
    )


def _permissions() -> Iterator[tuple[Service, Permission]]:
    for service in discovery.services():
        for permission in service.permissions:
            yield service, permission


def workflows() -> str:
    """Every workflow as a diagram, its moves and its deadlines."""
    parts = [
        text for service in discovery.services() for w in service.workflows for text in _workflow(service, w)
    ]
    return page("Workflows", "Whatever is not in the table may not happen.", *(parts or ["None yet."]))


def _workflow(service: Service, workflow: Workflow) -> Iterator[str]:
    yield f"## {workflow.kind}"
    yield f"Owned by {service.title}; its state is {code(workflow.state)}."
    names = {state: f"s{number}" for number, state in enumerate(workflow.states)}
    lines = [f'    state "{state}" as {name}' for state, name in names.items()]
    for move in workflow.moves:
        source = names[move.source] if move.source else "[*]"
        lines.append(f"    {source} --> {names[move.target]}: {move.by}")
    yield block("mermaid", ["stateDiagram-v2", *lines])
    rows = (
        (move.source or "(new)", move.target, code(move.by), _question(move.when), code(move.topic))
        for move in workflow.moves
    )
    yield table(["from", "to", "permission", "when", "topic"], rows)
    if workflow.deadlines:
        times = (
            (d.state, code(d.limit), d.clock, code(d.warning), code(d.breach)) for d in workflow.deadlines
        )
        yield table(["in state", "at most", "clock", "warned by", "overdue told by"], times)


def _question(rule: object) -> str:
    return (getattr(rule, "__doc__", None) or "").partition("\n")[0]


def rules() -> str:
    """The tables that the rules are tested with."""
    parts: list[str] = []
    for service in discovery.services():
        tables = sorted((discovery.folder(service.name) / "tests").glob("*.table"))
        parts += [f"## {service.title}"] if tables else []
        parts += [text for path in tables for text in (f"### {path.stem.replace('_', ' ')}", _cases(path))]
    return page("Rules", "The cases that the tests run, one line each.", *(parts or ["None yet."]))


def _cases(path: Path) -> str:
    lines = [
        line for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]
    heads, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return table(heads, rows)


def topics() -> str:
    """What is told, and who hears it."""
    told = {"Type.created": "a resource of the type is new", "Type.updated": "it has a next version"}
    told["Type.deleted"] = "it has ended"
    told |= {topic: when for s in discovery.services() for w in s.workflows for topic, when in _moments(w)}
    heard: dict[str, list[str]] = {}
    clocks: list[tuple[str, str, str]] = []
    for service in discovery.services():
        for reaction in service.reacts:
            if isinstance(reaction, On):
                heard.setdefault(reaction.topic, []).append(service.title)
            elif isinstance(reaction, Every):
                clocks.append((service.title, f"{reaction.seconds} s", _question(reaction.run)))
    rows = (
        (code(t), told.get(t, ""), ", ".join(heard.get(t, ()))) for t in sorted(told.keys() | heard.keys())
    )
    return page(
        "Topics",
        "Told after commit, at least once, in order per subject.",
        table(["topic", "told when", "heard by"], rows),
        "## By the clock",
        table(["service", "every", "does"], clocks),
    )


def _moments(workflow: Workflow) -> Iterator[tuple[str, str]]:
    for move in workflow.moves:
        if move.topic:
            yield move.topic, f"{workflow.kind} becomes {move.target}"
    for deadline in workflow.deadlines:
        yield deadline.breach, f"{workflow.kind} is {deadline.state} for too long ({deadline.limit})"
        if deadline.warning:
            yield (
                deadline.warning,
                f"{workflow.kind} is {deadline.state} for {deadline.warn:.0%} of {deadline.limit}",
            )


def operations() -> str:
    """Named operations that services offer and ask."""
    rows = (
        (code(o.name), s.title, o.sentence, code(o.permission), "writes" if o.affects_state else "reads")
        for s in discovery.services()
        for o in s.operations
    )
    asks = ((s.title, code(name)) for s in discovery.services() for name in s.asks)
    return page(
        "Operations",
        "Run inside the asker's work: same transaction, same agent, their own permission.",
        table(["operation", "offered by", "what it does", "permission", "record"], sorted(rows)),
        "## Who asks whom",
        table(["service", "asks"], asks),
    )


def numbers() -> str:
    """Dated numbers with their sources."""
    rows = (
        (
            code(name),
            s.title,
            edition.value,
            f"{edition.since:%Y-%m-%d}",
            edition.where or "everywhere",
            edition.source,
        )
        for s in discovery.services()
        for name, editions in discovery.definitions(s.name).parameters.items()
        for edition in editions
    )
    return page(
        "Numbers",
        "A record is judged by the edition that was in force when it happened.",
        table(["number", "service", "value", "from", "where", "source"], rows),
    )
