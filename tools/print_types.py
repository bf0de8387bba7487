"""Print the small model of the definitions as msgspec classes, one module a resource type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from keyword import iskeyword

from definitions import Definitions, Shape, Slot

INDEX = """{title}
from importlib import import_module
from typing import TYPE_CHECKING, Any

from commonweal.fhir.elements import RESOURCE_TYPES

if TYPE_CHECKING:
    {imports}


def __getattr__(name: str) -> Any:
    \"\"\"A class, its module imported when it is first asked for.\"\"\"
    home = name.lower() if name in RESOURCE_TYPES else "datatypes"
    return getattr(import_module(f"{{__name__}}.{{home}}"), name)
"""


def modules(definitions: Definitions) -> dict[str, str]:
    """File name → text."""
    return _Printer(definitions).modules()


class _Printer:
    def __init__(self, definitions: Definitions) -> None:
        self.hierarchy = definitions.hierarchy
        self.shapes = definitions.shapes
        self.codes = definitions.codes
        self.aliases = {url: _capital(url.rpartition("/")[2]) for url in self._literal_bindings()}

    def modules(self) -> dict[str, str]:
        homes: dict[str, list[Shape]] = {}
        for shape in self.shapes.values():
            homes.setdefault(self._home(shape.path), []).append(shape)
        texts = {f"{home}.py": self._module(home, shapes) for home, shapes in homes.items() if shapes}
        return texts | {"codes.py": self._codes(), "__init__.py": self._index()}

    def _home(self, path: str) -> str:
        """The module of a type: resources have their own, all else lives in datatypes."""
        root = path.partition(".")[0]
        _, kind, abstract = self.hierarchy[root]
        return "datatypes" if kind != "resource" or abstract else root.lower()

    def _module(self, home: str, shapes: list[Shape]) -> str:
        printed = [shape for shape in shapes if not self._is_primitive(shape.path)]
        printed.sort(key=lambda shape: self._generation(shape.path))
        classes = [self._class(shape) for shape in printed]
        own = {_class_name(shape.path) for shape in shapes}
        body = "\n\n".join(classes)
        title = _title(f"https://hl7.org/fhir/R4/{home}.html")
        return "\n".join([title, *self._imports(body, home, own), "", "", body])

    def _imports(self, body: str, home: str, own: set[str]) -> list[str]:
        words = set(re.findall(r"\w+", body))
        primitives = {_primitive_name(name) for name in self.hierarchy if self._is_primitive(name)}
        datatypes = {_class_name(path) for path in self.shapes if self._home(path) == "datatypes"}
        lines = ["from __future__ import annotations", ""]
        lines += ["from typing import Any", ""] if "Any" in words else []
        lines += ["from msgspec import Struct, field", ""] if home == "datatypes" else []
        lines += ["from msgspec import field", ""] if home != "datatypes" and "field" in words else []
        lines += _import("commonweal.fhir.classes", words & {"limit", "need", "wire_name"})
        lines += _import("commonweal.fhir.primitives", words & (primitives | {"Many"}))
        lines += ["from commonweal.fhir.types import codes"] if "codes." in body else []
        lines += _import("commonweal.fhir.types.datatypes", words & (datatypes - primitives - own))
        return lines

    def _class(self, shape: Shape) -> str:
        lines = [f"class {_class_name(shape.path)}({self._bases(shape)}):", f'    """{shape.path}"""', ""]
        for slot in shape.slots:
            for name, kind in slot.forms():
                lines += self._fields(shape, slot, name, kind)
        checks = list(self._checks(shape))
        if checks:
            lines += ["", "    def __post_init__(self) -> None:", *(f"        {check}" for check in checks)]
        return "\n".join(lines) + "\n"

    def _bases(self, shape: Shape) -> str:
        if shape.base:
            return f"{_class_name(shape.base)}, kw_only=True"
        tag = ', tag_field="resourceType", tag=True' if shape.path == "Resource" else ""
        return f"Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename=wire_name{tag}"

    def _fields(self, shape: Shape, slot: Slot, name: str, kind: str) -> Iterator[str]:
        primitive = self._is_primitive(kind)
        type = self._type(slot, kind)
        demanded = slot.required and not slot.choice and (not primitive or slot.attribute)
        yield _field(_python_name(name), type, slot.many, primitive, demanded)
        if self._extensible(slot, kind):
            yield _field(f"{name}_ext", "Element", slot.many, True, False)

    def _type(self, slot: Slot, kind: str) -> str:
        if slot.path:
            return _class_name(slot.path)
        if kind == "Resource":
            return "Any"
        if kind == "code" and slot.binding in self.aliases and slot.strength == "required":
            return f"codes.{self.aliases[slot.binding]}"
        return _primitive_name(kind)

    def _checks(self, shape: Shape) -> Iterator[str]:
        """`limit` for choices and required primitives, by position; `need` for required lists."""
        position = self._width(shape.base)
        groups = []
        for slot in shape.slots:
            width = self._slot_width(slot)
            lone = slot.required and self._is_primitive(slot.types[0]) and not slot.attribute
            if slot.choice or (lone and not slot.many):
                groups.append(f"({position}, {position + width}, {int(slot.required)})")
            elif lone:
                yield f'need(self.{_python_name(slot.name)} or self.{slot.name}_ext, "{slot.name}")'
            position += width
        if groups:
            yield f"limit(self, {', '.join(groups)})"

    def _generation(self, path: str) -> int:
        """How many types stand above one; bases are printed first."""
        base = self.shapes[path].base
        return 1 + self._generation(base) if base else 0

    def _width(self, base: str) -> int:
        if not base:
            return 0
        shape = self.shapes[base]
        return self._width(shape.base) + sum(map(self._slot_width, shape.slots))

    def _slot_width(self, slot: Slot) -> int:
        return sum(1 + self._extensible(slot, kind) for _, kind in slot.forms())

    def _extensible(self, slot: Slot, kind: str) -> bool:
        return self._is_primitive(kind) and not slot.attribute and kind != "xhtml"

    def _is_primitive(self, kind: str) -> bool:
        return kind in self.hierarchy and self.hierarchy[kind][1] == "primitive-type"

    def _literal_bindings(self) -> list[str]:
        """Value sets that a `code` is bound to; the others need a system beside the code."""
        slots = [slot for shape in self.shapes.values() for slot in shape.slots]
        coded = [slot for slot in slots if slot.strength == "required" and "code" in slot.types]
        return sorted({slot.binding for slot in coded if slot.binding in self.codes})

    def _codes(self) -> str:
        lines = [_title("https://hl7.org/fhir/R4/terminologies.html"), "from typing import Literal", ""]
        for url, alias in sorted(self.aliases.items(), key=lambda each: each[1]):
            codes = dict.fromkeys(code for system in self.codes[url].values() for code in system)
            lines += [f"{alias} = Literal[", *(f'    "{code}",' for code in codes), "]"]
        return "\n".join(lines) + "\n"

    def _index(self) -> str:
        """The package: every type by name, its module imported when it is first asked for."""
        paths = sorted(path for path in self.shapes if "." not in path and not self._is_primitive(path))
        imports = [f"from commonweal.fhir.types.{self._home(path)} import {path} as {path}" for path in paths]
        return INDEX.format(title=_title("FHIR R4 types as classes"), imports="\n    ".join(imports))


def _title(what: str) -> str:
    return f'"""Generated by tools/generate_types.py: {what}."""\n'


def _field(name: str, type: str, many: bool, primitive: bool, demanded: bool) -> str:
    if many:
        item = f"{type} | None" if primitive else type
        return f"    {name}: Many[{item}]" + ("" if demanded else " = field(default_factory=list)")
    if type == "Any":
        return f"    {name}: Any = None"
    return f"    {name}: {type}" + ("" if demanded else " | None = None")


def _import(module: str, names: set[str]) -> list[str]:
    if not names:
        return []
    return [f"from {module} import {', '.join(sorted(names))}"]


def _python_name(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def _primitive_name(kind: str) -> str:
    return "Number" if kind == "decimal" else _capital(kind)


def _class_name(path: str) -> str:
    return "".join(map(_capital, path.split(".")))


def _capital(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", ".").split("."))
