"""Terminology: what codes mean, which belong to a value set and what they are mapped to."""

from commonweal.access.roles import ROLES, SYSTEM
from commonweal.platform import Permission, Service
from commonweal.services.terminology import api

DEFINITIONS = (
    "ActivityDefinition",
    "CodeSystem",
    "ConceptMap",
    "Library",
    "Measure",
    "NamingSystem",
    "OperationDefinition",
    "PlanDefinition",
    "Questionnaire",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
)
"""What says what may be recorded; it is about nobody, and open to everybody."""

service = Service(
    name="terminology",
    title="Terminology",
    menu_order=90,
    permissions=[
        Permission(
            api.ASK,
            "Ask what codes mean and which value sets hold them, and read definitions",
            tuple(role for role in ROLES if role != SYSTEM),
            tuple(f"{type}.{each}" for type in DEFINITIONS for each in ("read", "search", "history")),
            app="r",
        )
    ],
    operations=api.OPERATIONS,
)
