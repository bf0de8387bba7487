"""Template service: what it is for, in one sentence."""

from commonweal.access.agent import OPERATOR
from commonweal.platform import On, Permission, Service
from commonweal.services.template_service import handlers, workflow

service = Service(
    name="template_service",
    title="Template service",
    owns=[workflow.DUTY],
    permissions=[
        Permission(
            "template_service.do",
            "Take on a duty and say that it is done",
            roles=(OPERATOR,),
            allows=("Task.read", "Task.search", "Task.create", "Task.update"),
        ),
    ],
    workflows=[workflow.DUTY_DONE],
    reacts=[On(workflow.OVERDUE, handlers.hurry)],
)
