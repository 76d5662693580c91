"""A bare ASGI callable that decodes, predicts nothing and encodes: the least that this server and decoder can cost."""

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from benchmarks.stacks.features import Features

decode = msgspec.json.Decoder(Features).decode
encode = msgspec.json.Encoder().encode


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Give an input back."""
    if scope["type"] != ScopeType.HTTP:
        return
    body = b'{"status":"ok"}'
    if scope["method"] == "POST":
        message = await receive()
        if message["type"] == "http.request":
            body = encode({"median_house_value": decode(message["body"]).MedInc})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
