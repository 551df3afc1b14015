"""Thousands of idle sockets: what each costs, and how a message fares among them: see README.md.

python benchmarks/chat_idle.py [SOCKETS]

Each socket is of a person of its own. The sockets are held by a program of their own, on loopback.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect

HOLD = "--hold"
PAIRS = 10
MESSAGES = 50
AT_ONCE = 20


async def hold(url: str) -> None:
    """Open a socket for each token that comes in, and read what is said on it."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def be_there(token: str) -> None:
        async with turn:
            socket = await connect(
                url, subprotocols=["medisync.v1", f"bearer.{token}"], compression=None,
                open_timeout=120, ping_interval=None,
            )  # fmt: skip
            await socket.send('{"type": "ping"}')
            await socket.recv()
        tasks.append(asyncio.create_task(listen(socket)))

    async def listen(socket: object) -> None:
        async for _frame in socket:
            pass

    tasks: list[asyncio.Task[None]] = []
    await asyncio.gather(*(be_there(line.strip()) for line in sys.stdin))
    print("there", flush=True)
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    raise SystemExit(f"A socket was lost: {done}")


def memory(pid: int) -> int:
    """Bytes that are a process's own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private"))


def main() -> None:
    import chat_stage as stage  # noqa: PLC0415 - the holding program has no stack

    from accounts.models import Role  # noqa: PLC0415
    from docs.client.medisync_client import Client  # noqa: PLC0415

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    idle = stage.tokens(stage.people(count, Role.PATIENT))
    people = stage.pairs(2 * PAIRS)
    process, url = stage.serve("-m", "medisync.server")

    async def measure(some: list[tuple[str, str, str]]) -> list[float]:
        return [took for one in some for took in await talk(*one)]

    async def talk(chat_id: str, patient: str, doctor: str) -> list[float]:
        """From before it is sent until the other side has it, in ms."""
        arrived: dict[str, asyncio.Future[float]] = {}
        loop = asyncio.get_running_loop()

        def hear(frame: dict[str, object]) -> None:
            if frame["type"] == "chat.message" and frame["content"] in arrived:
                arrived[str(frame["content"])].set_result(time.perf_counter())

        took = []
        async with (
            Client([url], token=patient) as phone,
            Client([url], token=doctor, on_frame=hear) as desk,
        ):
            await desk.join(chat_id)
            for number in range(MESSAGES):
                words = f"Line {number}"
                arrived[words] = loop.create_future()
                begun = time.perf_counter()
                await phone.say(chat_id, words)
                took.append(1000 * (await arrived[words] - begun))
                await asyncio.sleep(0.02)
        return took

    before = asyncio.run(measure(people[:PAIRS]))
    empty = memory(process.pid)
    begun = time.monotonic()
    holder = subprocess.Popen(
        [sys.executable, __file__, HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    holder.stdin.write("\n".join(idle))
    holder.stdin.close()
    assert holder.stdout.readline() == "there\n"
    opened = time.monotonic() - begun
    time.sleep(5)
    full = memory(process.pid)
    among = asyncio.run(measure(people[PAIRS:]))
    time.sleep(35)  # every socket has had its turn
    settled = memory(process.pid)
    holder.kill()
    each, later = ((size - empty) / count / 1024 for size in (full, settled))
    print(f"{count} sockets, opened in {opened:.0f} s")
    print(f"{each:.1f} KiB each, {later:.1f} KiB after a round of their clocks")
    for name, took in (("without them", before), ("among them", among)):
        print(f"a message {name}: median {stage.percentile(took, 0.5):.1f} ms, "
              f"p99 {stage.percentile(took, 0.99):.1f} ms, longest {max(took):.1f} ms")  # fmt: skip
    stage.clean_up()


if __name__ == "__main__":
    if HOLD in sys.argv:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        asyncio.run(hold(sys.argv[2]))
    else:
        main()
