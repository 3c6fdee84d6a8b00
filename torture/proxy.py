"""A proxy between the programs and PostgreSQL, whose connections can be cut, half-closed, slowed and
silenced."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time


class Proxy:
    """Listens on its own port until the `with` block ends. A fault occurs after a number of bytes, counted
    over all connections and both directions."""

    def __init__(self, port: int):
        self.server_port = port
        self.port = 0
        self.kind: str | None = None
        self.left = 0
        self.hit_at: float | None = None
        self._lines: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_) -> None:
        self.heal()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def fail(self, kind: str, after_bytes: int) -> None:
        """Starts a fault: `cut` (reset), `half_close`, `slow_line` or `silent_line`."""
        self.hit_at = None
        self.left = after_bytes
        self.kind = kind

    def heal(self) -> None:
        """Ends the fault, and resets the connections that it has hit."""
        hit = self.hit_at is not None and self.kind not in (None, "slow_line")
        self.kind = None
        if hit:
            asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result()

    async def _reset(self) -> None:
        for pair in self._lines:
            for writer in pair:
                reset(writer)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            reset(writer)
            return
        pair = (writer, far_writer)
        self._lines.append(pair)
        try:
            await asyncio.gather(
                self._forward(reader, far_writer, pair), self._forward(far_reader, writer, pair)
            )
        finally:
            self._lines.remove(pair)
            for one in pair:
                one.close()

    async def _forward(self, reader, writer, pair) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if self.kind is not None:
                    self.left -= len(data)
                    if self.left <= 0 and not await self._fault(writer, pair):
                        return
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _fault(self, writer, pair) -> bool:
        """Applies the fault to received bytes. Returns whether to forward them."""
        kind = self.kind
        if self.hit_at is None:
            self.hit_at = time.time()
        if kind == "slow_line":
            await asyncio.sleep(0.05)
            return True
        if kind == "silent_line":
            # Drop everything silently until the fault ends.
            while self.kind == kind:
                await asyncio.sleep(0.01)
        elif kind == "half_close":
            writer.write_eof()
        elif kind == "cut":
            for one in pair:
                reset(one)
        return False


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a reset, as a router that has lost its state does."""
    with contextlib.suppress(OSError):
        line = writer.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
