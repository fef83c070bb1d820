"""A bad network of the test's own: a TCP proxy on 127.0.0.1 between the application and one server, in a thread with an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

HOST = "127.0.0.1"
T = TypeVar("T")


class Proxy:
    """Passes everything on until it is told otherwise. `latency` in seconds is added to each piece, each way. Close it at the end."""

    def __init__(self, target: int) -> None:
        self.latency, self._target = 0.0, target
        self._lose = (b"", b"")
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[Any] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._flows = asyncio.Event()
        self._flows.set()
        self._down = False
        self._server, self.port = self._run(self._listen())

    def cut(self) -> None:
        """Every connection is reset, and so is every new one until `restore`."""
        self._run(self._cut())

    def fall_silent(self) -> None:
        """Connections stay and new ones are accepted, but no byte goes through any more (a cable pulled behind the switch)."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def lose_answer_to(self, words: bytes, after: bytes) -> None:
        """On the next connection that says `after`, the message that holds these words is delivered, and its answer is not: cut."""
        self._lose = (after, words)

    def restore(self) -> None:
        """Everything goes through again."""
        self._run(self._restore())

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._flows.set)
        self._run(self._settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._serve, HOST, 0)
        return server, int(server.sockets[0].getsockname()[1])

    async def _restore(self) -> None:
        self._down = False
        self._flows.set()

    async def _cut(self) -> None:
        self._down = True
        for writer in list(self._open):
            writer.transport.abort()

    async def _settled(self) -> None:
        self._server.close()
        await asyncio.gather(*(task for task in self._serving if task is not None), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        self._open.add(writer)
        try:
            await self._flows.wait()
            if self._down:
                raise ConnectionResetError
            upstream, onward = await asyncio.open_connection(HOST, self._target)
        except OSError:
            await self._ended(writer)
            return
        self._open.add(onward)
        pumps = [asyncio.ensure_future(self._pump(reader, onward, writer)), asyncio.ensure_future(self._pump(upstream, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        await self._ended(writer)
        await self._ended(onward)

    async def _ended(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()
        self._open.discard(writer)
        with suppress(OSError):
            await writer.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asker: asyncio.StreamWriter | None = None) -> None:
        """Carry one direction; `asker` is the other side where this one goes to the server."""
        said = False
        try:
            while piece := await reader.read(65_536):
                await self._flows.wait()
                if self.latency:
                    await asyncio.sleep(self.latency)
                after, words = self._lose
                said = said or (asker is not None and bool(after) and after in piece)
                lose = asker is not None and said and bool(words) and words in piece
                if lose and asker is not None:
                    self._lose = (b"", b"")
                    asker.transport.abort()
                writer.write(piece)
                await writer.drain()
                if lose:
                    await asyncio.sleep(0.2)  # the server has it and answers to nobody
                    return
        except OSError:
            return
