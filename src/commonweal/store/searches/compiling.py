"""From the clauses of a search to the condition of a statement; every table it visits is held to the reach."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from commonweal.fhir import compartment
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.clauses import Chain, Clause, Criterion, Has, Listed, Query
from commonweal.fhir.search.parameters import Parameter
from commonweal.fhir.search.values import ReferenceValue
from commonweal.store.facts import TELLING, Facts, TypeFacts
from commonweal.store.reads.binding import Binding
from commonweal.store.reads.circumstances import Circumstances
from commonweal.store.searches.aliases import Alias
from commonweal.store.searches.bounding import Bounds
from commonweal.store.searches.conditions import NEVER, Conditions
from commonweal.store.tokens import Tokens

Lists = Mapping[str, Sequence[tuple[str, str]]]
"""By the id of a List: the (type, id) of its items, as far as it is in reach."""


class Compiler:
    """Writes the condition of one search over one type after the other; aliases are numbered through."""

    def __init__(
        self,
        tokens: Tokens,
        facts: Facts,
        conditions: Conditions,
        bounds: Bounds,
        lists: Lists,
        bind: Binding,
    ) -> None:
        self._tokens = tokens
        self._facts = facts
        self._conditions = conditions
        self._bounds = bounds
        self._lists = lists
        self._bind = bind
        self._numbers = count()

    def alias(self, type: str, anchored: bool = False) -> Alias:
        """A table of its own place in the statement."""
        return Alias(f"t{next(self._numbers)}", self._facts.of(type), self._bind, anchored)

    def where(
        self,
        alias: Alias,
        clauses: Iterable[Clause],
        inside: tuple[str, str] | None = None,
        known: Circumstances | None = None,
    ) -> str:
        """Current, in reach, in the compartment, and meeting every clause. `known`: see Bounds.of."""
        conditions = [f"not {alias.column('deleted')}", *self._bounds.of(alias, known)]
        if inside is not None:
            conditions.append(self._compartment(alias, inside))
        conditions += [self._clause(alias, clause) for clause in clauses]
        return " and ".join(conditions)

    def _clause(self, alias: Alias, clause: Clause) -> str:
        if isinstance(clause, Criterion):
            return self._conditions.of(alias, clause)
        if isinstance(clause, Chain):
            return self._chain(alias, clause)
        if isinstance(clause, Has):
            return self._has(alias, clause)
        return self._listed(alias, clause)

    def _chain(self, alias: Alias, chain: Chain) -> str:
        ways = []
        for type, clause in chain.branches:
            other = self.alias(type)
            found = f'from record."{type}" {other.name} where {self.where(other, [clause])}'
            for name in chain.parameter.names:
                if type == "Patient" and name in alias.facts.patient:
                    among = self._conditions.widened(f"select {other.column('patient')} {found}")
                    ways.append(f"({alias.column('patient')} in ({among}) and {alias.is_told})")
                else:
                    salt = self._bind(self._tokens.salt(name), "int8")
                    among = f"select {other.column('self')} {found}"
                    among = self._conditions.widened(among) if type == "Patient" else among
                    ways.append(alias.meets(f"array(select o.self # {salt} from ({among}) o (self))"))
        return f"({' or '.join(ways)})"

    def _has(self, alias: Alias, has: Has) -> str:
        other = self.alias(has.type)
        condition = self.where(other, [has.where])
        own = alias.column("patient" if alias.type == "Patient" else "self")
        ways = []
        for name in has.parameter.names:
            table = f'record."{has.type}" {other.name}'
            if alias.type == "Patient" and name in other.facts.patient:
                among = self._conditions.widened(
                    f"select {other.column('patient')} from {table} where {other.is_told} and {condition}"
                )
            else:
                salt = self._bind(self._tokens.salt(name), "int8")
                among = f"select x # {salt} from {table}, unnest({other.column('tok')}) x where {condition}"
                among = self._conditions.widened(among) if alias.type == "Patient" else among
            ways.append(f"{own} in ({among})")
        return f"({' or '.join(ways)})"

    def _listed(self, alias: Alias, listed: Listed) -> str:
        ids = [id for type, id in self._lists.get(listed.list_id, ()) if type == alias.type]
        return f"{alias.column('id')} = any({self._bind(ids, 'text[]')})"

    def _compartment(self, alias: Alias, inside: tuple[str, str]) -> str:
        """Any of the compartment's parameters refers to its owner; the owner itself is inside as well."""
        type, id = inside
        names = _names(type, alias.type)
        ways = [f"{alias.column('id')} = {self._bind(id, 'text')}"] if type == alias.type else []
        if names:
            ways.append(self._conditions.refers(alias, names, [f"{type}/{id}"]))
        return f"({' or '.join(ways)})" if ways else NEVER


def _names(compartment_type: str, type: str) -> tuple[str, ...]:
    try:
        return compartment.parameters(compartment_type, type)
    except KeyError:
        raise Problem.of("cw-not-supported", why=f"there is no compartment of {compartment_type}") from None


def is_anchored(facts: TypeFacts, clauses: Iterable[Clause], inside: tuple[str, str] | None) -> bool:
    """Is the search about few resources whatever its values: those of a patient, or those with an id?"""
    if inside is not None:
        return (
            inside[0] == "Patient"
            and facts.type != "Patient"
            and facts.patient.issuperset(compartment.parameters("Patient", facts.type) or ("",))
        )
    return any(_anchors(facts, clause) for clause in clauses)


def whom(facts: TypeFacts, query: Query) -> frozenset[str]:
    """The patients ("Patient/x") about whom the rows of a search are, each of them about one; nobody, where it does
    not name them."""
    if query.compartment is not None:
        named = "/".join(query.compartment)
        return frozenset((named,)) if is_anchored(facts, (), query.compartment) else frozenset()
    for clause in query.where:
        if isinstance(clause, Criterion) and clause.parameter.name != "_id" and _anchors(facts, clause):
            return frozenset(
                t for each in clause.values if isinstance(each, ReferenceValue) for t in each.targets
            )
    return frozenset()


def is_telling(clause: Clause) -> bool:
    """Does it ask for what hardly two resources have in common?"""
    return isinstance(clause, Criterion) and clause.modifier is None and clause.parameter.name in TELLING


def _anchors(facts: TypeFacts, clause: Clause) -> bool:
    if not isinstance(clause, Criterion) or clause.negated or clause.modifier in ("missing", "identifier"):
        return False
    if clause.parameter.name == "_id":
        return True
    targets = [t for value in clause.values if isinstance(value, ReferenceValue) for t in value.targets]
    return (
        bool(targets)
        and _is_about(facts, clause.parameter)
        and all(target.startswith("Patient/") for target in targets)
    )


def _is_about(facts: TypeFacts, parameter: Parameter) -> bool:
    return facts.patient.issuperset(parameter.names)
