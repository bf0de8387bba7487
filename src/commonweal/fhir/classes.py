"""What the generated classes are made with: JSON names, required elements and choices."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import astuple


def wire_name(field: str) -> str:
    """The JSON name of a field: `birthDate_ext` is `_birthDate`, `class_` is `class`."""
    return "_" + field[:-4] if field.endswith("_ext") else field.rstrip("_")


def limit(struct: Struct, *groups: tuple[int, int, int]) -> None:
    """ValueError unless each group of fields [first:last] holds at least `least` and at most one value.

    A group is a choice `value[x]`, or a required primitive; a value and its extension (`_value`) count once.
    """
    values = astuple(struct)
    for first, last, least in groups:
        given = last - first - values[first:last].count(None)
        if given == 1 or (given == 0 and not least):
            continue
        names = struct.__struct_encode_fields__[first:last]
        pairs = zip(names, values[first:last], strict=True)
        present = {name.lstrip("_") for name, value in pairs if value is not None}
        if len(present) != 1:
            raise ValueError(f"exactly one of {', '.join(names)} is needed, not {sorted(present)}")


def need(values: object, name: str) -> None:
    """ValueError when a required list has neither values nor extensions."""
    if not values:
        raise ValueError(f"{name} is required")
