"""The least that a server of ours could do: send back what it gets. For `chat_sockets.py`."""

from __future__ import annotations

import argparse
from typing import Any

import uvicorn


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "medisync.v1"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    uvicorn.run(
        application,  # type: ignore[arg-type]
        port=options.parse_args().port,
        lifespan="off",
        ws="medisync.server:SocketProtocol",
        ws_per_message_deflate=False,
        log_level="warning",
    )
