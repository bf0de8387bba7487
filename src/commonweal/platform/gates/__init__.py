"""The gates every write passes, in order: permitted, well formed, may move, admitted; then it is written."""

from commonweal.platform.gates.admitted import admitted
from commonweal.platform.gates.fitting import fitting
from commonweal.platform.gates.moved import moved
from commonweal.platform.gates.permitted import permitted
from commonweal.platform.gates.wellformed import wellformed

__all__ = ["admitted", "fitting", "moved", "permitted", "wellformed"]
