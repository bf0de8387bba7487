"""Searches drawn from the whole grammar, for every parameter of the types a world has."""

from urllib.parse import quote

from hypothesis import strategies as st

from commonweal.fhir.search.parameters import Parameter
from tests.store.contract.codings import LOINC, SETS
from tests.store.contract.speaking import registry
from tests.store.contract.worlds import CODES, DATES, KINDS, NAMES, NUMBERS, OWN, SYSTEMS, TEXTS, UNITS, URIS

PREFIXES = st.sampled_from(["", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
MODIFIERS = {
    "string": ["", "", ":exact", ":contains", ":missing"],
    "token": ["", "", ":not", ":text", ":of-type", ":missing", ":in", ":not-in", ":below", ":above"],
    "reference": ["", "", ":identifier", ":missing", ":Patient", ":text"],
    "uri": ["", ":below", ":above", ":missing"],
    "date": ["", "", "", ":missing"],
    "number": ["", "", ":missing"],
    "quantity": ["", "", ":missing"],
    "composite": [""],
}
LEFT_OUT = {"_filter", "_query", "near", "_lastUpdated", "_list", "_in"}
"""What needs a value of another kind, or cannot be the same in two stores (their clocks differ)."""


def escaped(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, "\\" + special)
    return text


tokens = st.one_of(
    st.sampled_from(CODES).map(escaped),
    st.builds(lambda s, c: f"{s or ''}|{escaped(c)}", st.sampled_from(SYSTEMS), st.sampled_from(CODES)),
    st.sampled_from(SYSTEMS).filter(bool).map(lambda system: f"{system}|"),
    st.sampled_from(["male", "female", "true", "false", "final", "finished", "person", "active", "current"]),
)
numbers = st.builds("{}{}".format, PREFIXES, st.sampled_from([*map(str, NUMBERS), "1e2", "1.00"]))
quantities = st.builds(
    lambda number, unit, how: number + ("", f"|{unit[0] or ''}|{unit[1] or ''}", f"||{unit[2] or ''}")[how],
    numbers,
    st.sampled_from(UNITS),
    st.integers(0, 2),
)
WORDS = ["anna", "ÄNNE", "龙", "李小龙", "小龙", "8480", "wide", "strasse", "x", "!", "final", "小"]
dates = st.builds("{}{}".format, PREFIXES, st.sampled_from([*DATES, "2020-02-29T23:59", "2020-06"]))
VALUES = {
    "string": st.sampled_from(TEXTS).map(escaped),
    "token": tokens,
    "uri": st.sampled_from([*URIS, "http://a.org", "http://a.org/"]).map(escaped),
    "number": numbers,
    "quantity": quantities,
    "date": dates,
}


hierarchy = st.one_of(
    st.sampled_from([CODES[0], CODES[1], "A", "a", escaped("x|y")]).map(lambda code: f"{LOINC}|{code}"),
    st.just("http://hl7.org/fhir/administrative-gender|male"),
)
BY_MODIFIER = {
    ":missing": st.sampled_from(["true", "false"]),
    ":in": st.sampled_from(sorted(SETS)),
    ":not-in": st.sampled_from(sorted(SETS)),
    ":text": VALUES["string"],
    ":identifier": tokens,
    ":of-type": st.builds(
        "{}|{}|{}".format, st.sampled_from([system or "" for system in SYSTEMS]), tokens, tokens
    ),
}


def values(parameter: Parameter, modifier: str) -> st.SearchStrategy[str]:
    """One value of a parameter, as it is written."""
    if modifier in BY_MODIFIER:
        return BY_MODIFIER[modifier]
    if parameter.type == "token" and modifier in (":below", ":above"):
        return hierarchy
    if parameter.type == "reference":
        own = st.sampled_from(NAMES).map(lambda name: OWN + name)
        typed = st.builds("{}/{}".format, st.sampled_from(sorted(KINDS)), own)
        return (
            own if modifier else st.one_of(own, typed, typed, st.just("http://elsewhere.org/fhir/Patient/1"))
        )
    if parameter.has_words:
        return st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join)
    if parameter.type == "composite":
        parts = [values(component, "") for component in parameter.components]
        return st.tuples(*parts).map("$".join)
    if parameter.name == "_id":
        return st.sampled_from(NAMES).map(lambda name: OWN + name)
    return VALUES[parameter.type]


@st.composite
def criteria(draw: st.DrawFn, type: str) -> tuple[str, str]:
    """(key, value) of one parameter of a type, any of several values."""
    usable = [
        p for name, p in sorted(registry().of(type).items()) if name not in LEFT_OUT and p.type != "special"
    ]
    parameter = draw(st.sampled_from(usable))
    modifier = draw(
        st.sampled_from(["", "", ":missing"] if parameter.has_words else MODIFIERS[parameter.type])
    )
    drawn = draw(st.lists(values(parameter, modifier), min_size=1, max_size=2))
    return parameter.name + modifier, ",".join(drawn[:1] if modifier == ":missing" else drawn)


def _references(type: str) -> list[Parameter]:
    return [
        p
        for _, p in sorted(registry().of(type).items())
        if p.type == "reference" and not p.name.startswith("_")
    ]


@st.composite
def chains(draw: st.DrawFn, type: str) -> tuple[str, str]:
    """`subject:Patient.…`, `_has:Observation:patient:…`, one or two deep."""
    deeper = st.deferred(lambda: st.one_of(criteria(target), criteria(target), chains(target)))
    if _references(type) and draw(st.booleans()):
        parameter = draw(st.sampled_from(_references(type)))
        target = draw(st.sampled_from([t for t in parameter.targets if t in KINDS] or ["Patient"]))
        key, value = draw(deeper)
        return f"{parameter.name}:{target}.{key}", value
    pointing = [(s, p) for s in sorted(KINDS) for p in _references(s) if type in p.targets or not p.targets]
    target, parameter = draw(st.sampled_from(pointing))
    key, value = draw(deeper)
    return f"_has:{target}:{parameter.name}:{key}", value


def sorts(type: str) -> st.SearchStrategy[str]:
    sortable = ("date", "string", "token", "number", "quantity", "uri", "reference")
    found = registry().of(type).items()
    names = [n for n, p in found if p.type in sortable and n not in LEFT_OUT and not p.has_words]
    return st.lists(
        st.builds("{}{}".format, st.sampled_from(["", "-"]), st.sampled_from(sorted(names))),
        max_size=2,
        unique=True,
    ).map(",".join)


@st.composite
def questions(draw: st.DrawFn) -> str:
    """One search, held to its world by a tag."""
    type = draw(st.sampled_from(sorted(KINDS)))
    pairs = draw(st.lists(st.one_of(*[criteria(type)] * 3, chains(type)), max_size=3))
    pairs.append(("_tag", f"{OWN}|w"))
    order = draw(sorts(type))
    if order:
        pairs.append(("_sort", order))
    if draw(st.booleans()):
        pairs.append(("_count", str(draw(st.integers(1, 3)))))
    for name in draw(st.lists(st.sampled_from(["_include", "_revinclude"]), max_size=2)):
        source = type if name == "_include" else draw(st.sampled_from(sorted(KINDS)))
        parameter = draw(st.sampled_from(_references(source) or _references("Patient")))
        iterate = draw(st.sampled_from(["", "", ":iterate"]))
        pairs.append((name + iterate, f"{source}:{parameter.name}"))
    return f"{type}?" + "&".join(f"{quote(key, safe=':')}={quote(value)}" for key, value in pairs)
