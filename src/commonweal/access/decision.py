"""A rule's answer: yes, or the reasons why not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Truthy when there are no reasons against; the same reasons grey the button and fill the API error."""

    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.reasons

    def __and__(self, other: "Decision") -> "Decision":
        """Both must be yes; the reasons against add up."""
        return Decision(self.reasons + other.reasons)


YES = Decision()


def decide(*conditions: tuple[object, str]) -> Decision:
    """Yes when every condition holds; else the reasons beside those that do not, in the order given.

    >>> decide((True, "never said"), (1 > 2, "one is not more than two")).reasons
    ('one is not more than two',)
    """
    return Decision(tuple(reason for holds, reason in conditions if not holds))
