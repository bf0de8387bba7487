"""The guard as an installation's settings have it."""

from commonweal.boot.front.guard import Guard, nobody
from commonweal.boot.front.hosts import Hosts
from commonweal.boot.front.origins import Allowed
from commonweal.boot.front.proxies import Proxies


def settled(
    *,
    base_url: str = "",
    allowed_hosts: str = "",
    trusted_proxies: str = "",
    rate_address: int = Guard.rate_address,
    rate_agent: int = Guard.rate_agent,
    open_address: int = Guard.open_address,
    allowed: Allowed = nobody,
) -> Guard:
    """Names and addresses are separated by commas or spaces. In one moment may come what an address is allowed in five
    seconds, an agent in ten. ValueError for a proxy that is no address."""
    return Guard(
        hosts=Hosts(base_url, listed(allowed_hosts)),
        proxies=Proxies(listed(trusted_proxies)),
        allowed=allowed,
        rate_address=rate_address,
        burst_address=5 * rate_address,
        open_address=open_address,
        rate_agent=rate_agent,
        burst_agent=10 * rate_agent,
    )


def listed(text: str) -> list[str]:
    """The words of a setting."""
    return text.replace(",", " ").split()
