"""Cut an expression into tokens, https://hl7.org/fhirpath/N1/#lexical-elements."""

import re
from typing import NamedTuple

from commonweal.fhir.fhirpath.error import PathError

PATTERN = re.compile(
    r"""
    (?P<space>   [ \t\r\n\u00a0\ufeff]+ | //[^\r\n]* | /\*(?:[^*]|\*(?!/))*\*/ )
  | (?P<temporal>@(?: T[0-9]{2}(?: :[0-9]{2}(?: :[0-9]{2}(?:\.[0-9]+)? )? )?
                   | [0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
                     (?: T(?: [0-9]{2}(?: :[0-9]{2}(?: :[0-9]{2}(?:\.[0-9]+)? )? )?
                              (?: Z | [+-][0-9]{2}:[0-9]{2} )? )? )? ) )
  | (?P<number>  [0-9]+(?:\.[0-9]+)?L? )
  | (?P<word>    [A-Za-z_][A-Za-z0-9_]* )
  | (?P<quoted>  `(?:[^`\\]|\\.)*` )
  | (?P<string>  '(?:[^'\\]|\\.)*' )
  | (?P<variable>%(?: [A-Za-z_][A-Za-z0-9_-]* | `(?:[^`\\]|\\.)*` | '(?:[^'\\]|\\.)*' ) )
  | (?P<special> \$(?: this | index | total )\b )
  | (?P<symbol>  <= | >= | != | !~ | [-+*/&|=~<>.,()\[\]{}] )
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}
LONGEST = 20_000


class Token(NamedTuple):
    """One token: its kind is a group name of PATTERN, or "end"."""

    kind: str
    text: str
    at: int


def tokens(expression: str) -> list[Token]:
    """All tokens of the expression, blanks and comments left out, closed by one of kind "end"."""
    if len(expression) > LONGEST:
        raise PathError(f"The expression is longer than {LONGEST} characters")
    found: list[Token] = []
    at = 0
    while at < len(expression):
        match = PATTERN.match(expression, at)
        if match is None:
            raise PathError(f"Cannot read {expression[at : at + 10]!r} here", expression, at)
        if match.lastgroup and match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), at))
        at = match.end()
    found.append(Token("end", "", at))
    return found


def unquote(text: str) -> str:
    """What stands between the quotes, escapes resolved; an escape that the grammar lacks is the character
    itself."""
    if "\\" not in text:
        return text[1:-1]
    plain = ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else ESCAPED.get(m[2], m[2]), text[1:-1])
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
