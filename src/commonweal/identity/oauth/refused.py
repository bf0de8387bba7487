"""What an app is told when it gets nothing: https://www.rfc-editor.org/rfc/rfc6749#section-5.2."""


class Refused(Exception):
    """`error` is a code of RFC 6749 or of its relatives; `description` a sentence for the app's developer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def unauthenticated(description: str) -> Refused:
    """The app has not shown who it is."""
    return Refused("invalid_client", description, 401)
