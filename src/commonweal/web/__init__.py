"""For people: the shell, its pages and its components."""

from commonweal.web.app import app

__all__ = ["app"]
