"""The one error of the FHIRPath engine, https://hl7.org/fhirpath/N1/."""


class PathError(Exception):
    """An expression that cannot be read, or that fails on the data it was given."""

    def __init__(self, message: str, expression: str | None = None, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression
        self.position = position

    def __str__(self) -> str:
        if self.position is None:
            return self.message
        return f"{self.message} (at character {self.position + 1})"
