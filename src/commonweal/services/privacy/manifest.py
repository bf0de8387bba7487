"""Privacy: who has looked and why, what a person agreed to, who acts for whom, and access in an emergency."""

from commonweal.access.roles import CLINICIAN, OPERATOR, PRIVACY_OFFICER, REGISTRAR, RESIDENT
from commonweal.platform import Admit, On, Page, Permission, Service
from commonweal.services.privacy import api, handlers, queries, workflow
from commonweal.services.privacy.pages import care, consents, looks, proxies, queue
from commonweal.services.privacy.rules import duties, needs

FORM = ("GET", "POST")

service = Service(
    name="privacy",
    title="Privacy",
    menu_order=80,
    owns=workflow.KINDS,
    admits=[
        Admit(workflow.EMERGENCY, duties.may_be_opened, given=queries.opening),
        *(Admit(kind, duties.may_wait) for kind in workflow.TASKS),
    ],
    permissions=[
        Permission(workflow.OPEN, "Open somebody's record in an emergency", (CLINICIAN,)),
        Permission(api.ARRIVE, "Say that somebody has arrived here", (REGISTRAR,)),
        Permission(api.GUARDIAN, "Record a parent or guardian by what they show", (REGISTRAR,)),
        Permission(api.SEE, "See who has looked at one's record, and what one has decided", (RESIDENT,)),
        Permission(api.CONSENT, "Permit a sensitive kind, keep somebody out, and take it back", (RESIDENT,)),
        Permission(api.PROXY, "Let others act for oneself, and act for one's child", (RESIDENT,)),
        Permission(workflow.OBJECT, "Say that one does not know an access", (RESIDENT,)),
        Permission(workflow.CONTEST, "Dispute that somebody acts for a person", (RESIDENT, REGISTRAR)),
        Permission(
            workflow.REVIEW,
            "Review emergency accesses, objections and conflicts",
            (PRIVACY_OFFICER, OPERATOR),
        ),
        *needs.PERMISSIONS,
    ],
    workflows=workflow.WORKFLOWS,
    operations=api.OPERATIONS,
    pages=[
        Page("/my/looks", api.SEE, looks.who_has_looked, "Who has looked", menu="mine", methods=FORM),
        Page("/my/consents", api.CONSENT, consents.mine, "Consents", menu="mine", methods=FORM),
        Page("/my/consents/give", api.CONSENT, consents.give, "Consents", methods=FORM),
        Page("/my/proxies", api.PROXY, proxies.mine, "Who acts for whom", menu="mine", methods=FORM),
        Page("/my/proxies/add", api.PROXY, proxies.add, "Let somebody act for me", methods=FORM),
        Page("/my/proxies/child", api.PROXY, proxies.claim, "Act for my child", methods=FORM),
        Page("/arrivals", api.ARRIVE, care.arrival, "Arrivals", menu="people", methods=FORM),
        Page("/guardians", api.GUARDIAN, care.guardian, "Guardians", menu="people", methods=FORM),
        Page(
            "/emergency-access",
            workflow.OPEN,
            care.emergency,
            "Emergency access",
            menu="people",
            methods=FORM,
        ),
        Page("/privacy-queue", workflow.REVIEW, queue.queue, "Privacy queue", menu="platform"),
        Page("/privacy-queue/{id}", workflow.REVIEW, queue.case, "Privacy queue", methods=FORM),
    ],
    reacts=[On(topic, handlers.raise_priority) for topic in workflow.ALARMS],
)
