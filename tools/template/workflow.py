"""Which status may follow which, by whom, when; and what must happen by when."""

from commonweal.platform import Deadline, Kind, Move, Workflow
from commonweal.services.template_service import rules

TASK = "urn:commonweal:task"
DO = "template_service.do"
OVERDUE = "template-service-duty.overdue"

DUTY = Kind(
    "Task",
    "template-service-duty",
    profile="urn:commonweal:profile:template-service-duty",
    matches=f"code.coding.where(system = '{TASK}' and code = 'template-service-duty').exists()",
)

DUTY_DONE = Workflow(
    kind=DUTY.label,
    state="Task.status",
    moves=[
        Move(None, "requested", by=DO),
        Move("requested", "in-progress", by=DO),
        Move("in-progress", "completed", by=DO, when=rules.may_be_done),
    ],
    deadlines=[Deadline("requested", limit="template_service_seconds", breach=OVERDUE)],
)
