"""Terminology: what codes mean, which belong to a value set and what they are mapped to."""

from commonweal.access.agent import OPERATOR
from commonweal.platform import Permission, Service
from commonweal.services.terminology import api

service = Service(
    name="terminology",
    title="Terminology",
    menu_order=90,
    permissions=[
        Permission(api.ASK, "Ask what codes mean and which value sets hold them", roles=(OPERATOR,))
    ],
    operations=api.OPERATIONS,
)
