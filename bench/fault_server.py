"""An SMTP server that fails where it is told to, byte by byte, and knows exactly what it took responsibility for."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

STEPS = ("connect", "MAIL", "RCPT", "DATA", "content", "answered")
# What to do at a step: None = as usual, a reply, "hang", "drop", "mute" (take the message, never answer) or "drip".
Fault = Callable[[str, int, str], str | None]


class FaultServer:
    """Listens on a free loopback port in a thread of its own.

    Attributes
    ----------
    fault : asked at every step with the step's name, how often it was reached (from 1), and the recipient.
    accepted : how often each address was taken responsibility for.
    messages : likewise each message, by its Message-ID.

    Parameters
    ----------
    pipelining : False lets every command wait for the answer to the one before.
    swallows : throw away what came behind a content, against the promise of PIPELINING (RFC 2920, section 3.2).
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        starttls: bool = False,
        pipelining: bool = True,
        swallows: bool = False,
    ) -> None:
        self.fault: Fault = lambda step, count, address: None
        self.accepted: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.logins: list[bytes] = []
        self.port = 0
        self._context = context
        self._starttls = starttls
        self._swallows = swallows
        self._last_extension = b"250 PIPELINING\r\n" if pipelining else b"250 8BITMIME\r\n"
        self._reached: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        context = None if self._starttls else self._context
        server = self._loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass  # the client died or hung up, or the play is over while a fault hangs
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = ""
        if not await self._step(writer, "connect", "", "220 ready"):
            return
        while line := await reader.readline():
            verb = line[:4].upper().decode("ascii", "replace")
            if verb == "EHLO":
                tls = b"250-STARTTLS\r\n" if self._starttls else b""
                writer.write(b"250-here\r\n" + tls + b"250-AUTH PLAIN LOGIN\r\n" + self._last_extension)
            elif verb == "STAR":
                writer.write(b"220 go on\r\n")
                await writer.start_tls(self._context)  # type: ignore[arg-type]
            elif verb == "AUTH":
                self.logins.append(line.split()[2])
                writer.write(b"235 welcome\r\n")
            elif verb == "QUIT":
                return
            elif verb == "DATA":
                if not await self._step(writer, "DATA", address, "354 go on"):
                    return
                # Line by line: a client whose recipient was refused ends the content with a single dot (RFC 2920).
                lines, message_id = 0, ""
                while (line := await reader.readline()) != b".\r\n":
                    if not line:
                        return  # broken off in the middle of a content: nothing was taken
                    lines += 1
                    if not message_id and line.lower().startswith(b"message-id:"):
                        message_id = line.partition(b":")[2].strip().decode("ascii")
                if not lines:
                    writer.write(b"554 no valid recipients\r\n")
                    continue
                if self._swallows:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(65536), 0.05)
                if not await self._take(writer, address, message_id):
                    return
            elif verb in ("MAIL", "RCPT"):
                if verb == "RCPT":
                    address = line.partition(b"<")[2].partition(b">")[0].decode()
                if not await self._step(writer, verb, address, "250 fine"):
                    return
            else:
                writer.write(b"250 fine\r\n")

    async def _take(self, writer: asyncio.StreamWriter, address: str, message_id: str) -> bool:
        self._reached["content"] += 1
        order = await asyncio.to_thread(self.fault, "content", self._reached["content"], address)
        if order is None or order in ("drop", "mute", "drip"):
            self.accepted[address] += 1
            self.messages[message_id] += 1
        if not await self._obey(writer, order, "250 queued"):
            return False
        self._reached["answered"] += 1
        await asyncio.to_thread(self.fault, "answered", self._reached["answered"], address)
        return True

    async def _step(self, writer: asyncio.StreamWriter, step: str, address: str, usual: str) -> bool:
        self._reached[step] += 1
        return await self._obey(writer, await asyncio.to_thread(self.fault, step, self._reached[step], address), usual)

    async def _obey(self, writer: asyncio.StreamWriter, order: str | None, usual: str) -> bool:
        if order in ("hang", "mute"):
            await asyncio.sleep(3600)
        if order == "drop":
            writer.transport.abort()
            return False
        reply = usual if order in (None, "drip") else str(order)
        for piece in f"{reply}\r\n" if order == "drip" else [f"{reply}\r\n"]:
            writer.write(piece.encode())
            await writer.drain()
            if order == "drip":
                await asyncio.sleep(0.02)
        return not reply.startswith("421")
