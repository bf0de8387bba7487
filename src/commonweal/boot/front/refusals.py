"""A refusal before either side was asked: an OperationOutcome for machines, two plain sentences for people."""

import math

from commonweal.boot.http import Send
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem, outcome

SENTENCES = {
    408: ("Your browser sent too slowly. Try again.", "发送过慢，请重试。"),
    421: ("This server does not answer under that name.", "此服务器不使用该名称。"),
    429: ("Too many requests came from here. Wait a moment, then try again.", "请求过多，请稍候再试。"),
    431: ("Your browser sent too much with its question. Delete its cookies.", "请求头过大，请清除 Cookie。"),
}
OTHERWISE = ("That cannot be understood.", "无法理解该请求。")
MACHINES = ("/fhir", "/oauth", "/.well-known")


async def refuse(send: Send, path: str, problem: Problem, wait: float = 0.0) -> None:
    """Answer with the problem's status; `wait` are the seconds after which asking again may help."""
    if path.startswith(MACHINES):
        body, media = codec.encode(outcome(problem.issues)), b"application/fhir+json; charset=utf-8"
    else:
        body = "\n".join(SENTENCES.get(problem.status, OTHERWISE)).encode()
        media = b"text/plain; charset=utf-8"
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body))]
    if wait:
        headers.append((b"retry-after", b"%d" % math.ceil(wait)))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
