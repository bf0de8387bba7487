"""Integration: what other systems sent and could not be taken waits here with its reason; nothing is lost."""

from commonweal.access.roles import BACKEND, OPERATOR
from commonweal.platform import Admit, On, Page, Permission, Service
from commonweal.services.integration import api, handlers, pages, rules, workflow

service = Service(
    name="integration",
    title="Integration",
    menu_order=90,
    owns=workflow.KINDS,
    admits=[
        Admit(workflow.QUARANTINED, rules.may_be_quarantined),
        Admit(workflow.MATCH, rules.may_be_compared),
    ],
    permissions=[
        Permission("quarantine.read", "See what waits", (OPERATOR,)),
        Permission(workflow.ADD, "Set a message aside", (OPERATOR, BACKEND), app="c"),
        Permission(workflow.RESOLVE, "Take on what waits, and close it", (OPERATOR,)),
    ],
    workflows=workflow.WORKFLOWS,
    operations=api.OPERATIONS,
    pages=[
        Page("/waiting", "quarantine.read", pages.waiting, "What waits", menu="platform"),
        Page("/waiting/{id}", "quarantine.read", pages.duty, "What waits", methods=("GET", "POST")),
    ],
    reacts=[
        *(On(topic, handlers.raise_priority) for topic in workflow.URGENCY),
        On("registration.matched", handlers.compare),
    ],
    asks=["Patient/$merge"],
)
