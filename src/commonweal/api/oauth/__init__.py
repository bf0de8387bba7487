"""OAuth 2.1 and SMART App Launch over HTTP: authorization, tokens, keys and the documents that lead there."""

from commonweal.api.oauth.app import app, is_here

__all__ = ["app", "is_here"]
