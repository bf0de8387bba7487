"""The rules of privacy: duties, proxies, consents, and what is told of who has looked."""
