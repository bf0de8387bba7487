"""What a person reads when the embedded database cannot be had."""


class DatabaseUnavailable(Exception):
    """One sentence that says what is wrong and what to do."""
