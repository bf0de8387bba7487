"""What every request passes before either side of the platform sees it, and what every answer carries."""

from commonweal.boot.front.guard import Guard, guarded
from commonweal.boot.front.settled import settled

__all__ = ["Guard", "guarded", "settled"]
