"""The generated classes and the generated model say the same."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from msgspec import Struct
from msgspec.structs import fields

from commonweal.fhir import elements as model
from commonweal.fhir import types
from commonweal.fhir.structure import class_of
from commonweal.fhir.walk import shape

PATHS = sorted(path for path in model.model_lines("elements.jsonl") if not model.is_primitive(path))


def class_at(path: str) -> type[Struct]:
    root, *rest = path.split(".")
    home = root.lower() if model.is_resource_type(root) else "datatypes"
    name = root + "".join(part[0].upper() + part[1:] for part in rest)
    found: type[Struct] = getattr(import_module(f"commonweal.fhir.types.{home}"), name)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_a_class_has_the_properties_of_its_type(path: str) -> None:
    names = {field.encode_name for field in fields(class_at(path))}
    assert names == set(shape(path).forms)


def limited(path: str) -> Iterator[set[str]]:
    """The groups of properties of which one may, or must, be there."""
    for element in shape(path).limited:
        lone = model.is_primitive(element.types[0]) and not element.attribute and not element.many
        if element.choice or lone:
            names = {name for name, _ in element.forms()}
            yield {name for name in shape(path).forms if name.lstrip("_") in names}


@pytest.mark.parametrize("path", [path for path in PATHS if any(limited(path))])
def test_the_positions_a_class_checks_are_those_of_its_choices(path: str) -> None:
    kind = class_at(path)
    code = vars(kind)["__post_init__"].__code__
    names = kind.__struct_encode_fields__
    groups = [each for each in code.co_consts if isinstance(each, tuple)]
    flat = [each for each in groups if len(each) == 3 and isinstance(each[0], int)]
    nested = [group for each in groups if each and isinstance(each[0], tuple) for group in each]
    checked = [set(names[first:last]) for first, last, _ in flat + nested]
    expected = list(limited(path))
    assert sorted(map(sorted, checked)) == sorted(map(sorted, expected))


def test_there_are_146_resource_types_and_each_has_a_class() -> None:
    assert len(model.RESOURCE_TYPES) == 146
    for name in model.RESOURCE_TYPES:
        assert class_of(name).__struct_config__.tag == name


def test_the_hierarchy_leads_to_the_top() -> None:
    assert model.is_a("code", "Element")
    assert model.is_a("Age", "Quantity")
    assert model.is_a("Patient", "DomainResource") and model.is_a("Patient", "Resource")
    assert not model.is_a("Bundle", "DomainResource")
    assert model.base_of("Resource") == model.base_of("nothing") == ""


def test_elements_tell_what_forms_and_paths_need() -> None:
    patient = model.elements("Patient")
    assert patient["contact"].path == "Patient.contact" and patient["contact"].many
    assert patient["deceased"].forms() == (("deceasedBoolean", "boolean"), ("deceasedDateTime", "dateTime"))
    assert patient["gender"].strength == "required" and patient["gender"].summary
    assert patient["managingOrganization"].targets == ("Organization",)
    assert model.elements("Questionnaire.item")["item"].path == "Questionnaire.item"
    with pytest.raises(KeyError):
        model.elements("Nothing")


def test_an_unknown_type_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = types.NoSuchType
