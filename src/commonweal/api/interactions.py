"""What each route does."""

from collections.abc import Mapping

from commonweal.api import capability, entries, openapi, operations
from commonweal.api.bulk import exporting
from commonweal.api.request import Handler
from commonweal.api.rest import conditional, history, instance, patching, searching

INTERACTIONS: Mapping[str, Handler] = {
    "capabilities": capability.metadata,
    "openapi": openapi.document,
    "openapi-page": openapi.page,
    "batch or transaction": entries.bundle,
    "search-system": searching.system,
    "search-system by form": searching.system,
    "history-system": history.system,
    "search-type": searching.of_type,
    "search-type by form": searching.of_type,
    "search-compartment": searching.in_compartment,
    "search-compartment by form": searching.in_compartment,
    "history-type": history.of_type,
    "history-instance": history.of_instance,
    "read": instance.read,
    "vread": instance.vread,
    "create": conditional.create,
    "update": instance.update,
    "patch": patching.patch,
    "delete": instance.delete,
    "conditional update": conditional.update,
    "conditional patch": conditional.patch,
    "conditional delete": conditional.delete,
    "operation": operations.ask,
    "operation by form of Parameters": operations.call,
    "type operation": operations.ask,
    "type operation by Parameters": operations.call,
    "instance operation": operations.ask,
    "instance operation by Parameters": operations.call,
    "version operation": operations.ask,
    "status of an export": exporting.status,
    "cancellation of an export": exporting.cancel,
    "file of an export": exporting.file,
}
