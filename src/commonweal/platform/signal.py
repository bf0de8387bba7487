"""A signal: what is true only now and is no resource — presence, a ringing offer, typing, call set-up."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Signal:
    """Ephemeral and unaudited; carries ids, never content. `channel` says who listens ("Task/abc")."""

    channel: str
    name: str
    about: dict[str, str] = field(default_factory=dict)
