"""The clients that esl_throughput.py compares: each reads four headers of each event, counts, and prints its seconds."""

# Each client imports what it needs when it is its turn: the others may not be installed.
# ruff: noqa: PLC0415, ARG002

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import socket
import time
from pathlib import Path

READ = ("Event-Name", "Unique-ID", "Answer-State", "Event-Date-Timestamp")
PASSWORD = "ClueCon"
NEVER_S = 110


class Counter:
    """Counts to so many events; its clock begins when they are asked for, so that connecting is not measured."""

    def __init__(self, events: int, *, memory: bool = False) -> None:
        self.left = events
        self.began = 0.0  # set by start
        self._tenth = events - events // 10 if memory else -1
        self._memory = memory

    def start(self) -> None:
        """The events are being asked for."""
        self.began = time.perf_counter()

    def count(self) -> bool:
        """One more; whether that was the last."""
        self.left -= 1
        if self.left == self._tenth:
            print(f"rss_at_10_percent_kb={_resident_kb()}", flush=True)
        if self.left:
            return False
        seconds = time.perf_counter() - self.began
        if self._memory:
            print(f"rss_at_100_percent_kb={_resident_kb()}")
        print(f"seconds={seconds:.6f}", flush=True)
        return True


def _resident_kb() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


class Client:
    formats: tuple[str, ...] = ("plain", "json")
    why_not = ""

    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        raise NotImplementedError


class OurLink(Client):
    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        import gevent.event

        from cti.switch.link import Link

        over = gevent.event.Event()
        counter = Counter(events, memory=memory)
        first, second, third, fourth = READ

        def handler(frame) -> None:
            text = frame.event.text
            text(first), text(second), text(third), text(fourth)
            if counter.count():
                over.set()

        link = Link("127.0.0.1", port, PASSWORD, on_event=handler)
        link.connect()
        counter.start()
        link.submit(f"event {fmt} ALL\n\n".encode(), lambda _: None)
        over.wait(NEVER_S if not memory else None)
        link.close()


class _Greenswitch(Client):
    def _class(self):
        raise NotImplementedError

    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        import gevent.event

        over = gevent.event.Event()
        counter = Counter(events, memory=memory)

        def handler(event) -> None:
            for name in READ:
                event.headers.get(name)
            if counter.count():
                over.set()

        client = self._class()("127.0.0.1", port, PASSWORD)
        client.connect()
        client.register_handle("*", handler)
        counter.start()
        client.send(f"event {fmt} ALL")
        over.wait(NEVER_S)
        os._exit(0)  # its stop waits for the switch to hang up


class Greenswitch(_Greenswitch):
    formats = ("plain",)
    why_not = "a JSON event ends its reading greenlet"

    def _class(self):
        from greenswitch import InboundESL

        return InboundESL


class DropIn(_Greenswitch):
    def _class(self):
        from cti.switch.greenswitch import InboundESL

        InboundESL.queue_limit = 1 << 30
        return InboundESL


class ReceiveOnly(Client):
    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        sock = socket.create_connection(("127.0.0.1", port))
        sock.settimeout(0.5)  # nothing tells it the end but silence
        received = 0
        began = last = time.perf_counter()
        sock.sendall(f"event {fmt} ALL\n\n".encode())
        try:
            while data := sock.recv(65536):
                last = time.perf_counter()
                received += len(data)
        except TimeoutError:
            print(f"received_bytes={received}")
            print(f"seconds={last - began:.6f}")


class _Handle(ctypes.Structure):
    """``esl_handle_t`` of esl.h, as far as its ``last_ievent``."""

    _fields_ = (
        ("sockaddr", ctypes.c_uint64 * 16),
        ("hostent", ctypes.c_uint64 * 4),
        ("hostbuf", ctypes.c_char * 256),
        ("sock", ctypes.c_int),
        ("err", ctypes.c_char * 256),
        ("errnum", ctypes.c_int),
        ("packet_buf", ctypes.c_void_p),
        ("socket_buf", ctypes.c_char * 65536),
        ("last_reply", ctypes.c_char * 1024),
        ("last_sr_reply", ctypes.c_char * 1024),
        ("last_event", ctypes.c_void_p),
        ("last_sr_event", ctypes.c_void_p),
        ("race_event", ctypes.c_void_p),
        ("last_ievent", ctypes.c_void_p),
        ("rest", ctypes.c_char * 4096),
    )


class LibEsl(Client):
    """FreeSWITCH's own C library, by ctypes: five calls an event, which cost it a few microseconds of about thirty."""

    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        path = os.environ.get("CTI_LIBESL") or ctypes.util.find_library("esl")
        if not path:
            raise SystemExit("no libesl: name it in CTI_LIBESL")
        library = ctypes.CDLL(path)
        header = library.esl_event_get_header_idx
        header.argtypes, header.restype = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int), ctypes.c_char_p
        receive = library.esl_recv_event
        receive.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        handle = _Handle()
        here = ctypes.addressof(handle)
        address = ctypes.c_void_p(here)
        host, password = b"127.0.0.1", PASSWORD.encode()
        if library.esl_connect_timeout(address, host, ctypes.c_ushort(port), None, password, ctypes.c_uint32(5000)):
            raise SystemExit("libesl could not connect")
        names = [name.encode() for name in READ]
        counter = Counter(events)
        counter.start()
        library.esl_send(address, f"event {fmt} ALL\n\n".encode())
        while receive(here, 1, None) == 0:
            event = handle.last_ievent
            if not event:
                continue  # the reply
            for name in names:
                header(event, name, -1)
            if counter.count():
                return
        raise SystemExit("libesl lost the connection")


class Genesis(Client):
    formats = ("plain",)
    why_not = "it reads no JSON"

    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        import asyncio

        from genesis import Inbound

        async def session() -> None:
            counter = Counter(events)
            over = asyncio.Event()

            async def handler(event) -> None:
                for name in READ:
                    event.get(name)
                if counter.count():
                    over.set()

            async with Inbound("127.0.0.1", port, PASSWORD) as client:
                client.on("*", handler)
                counter.start()
                await client.send("events plain ALL")
                await asyncio.wait_for(over.wait(), NEVER_S)
                os._exit(0)

        asyncio.run(session())


class Switchio(Client):
    formats = ("plain",)
    why_not = "it reads no JSON"

    def run(self, port: int, fmt: str, events: int, *, memory: bool = False) -> None:
        import asyncio

        from switchio.protocol import InboundProtocol

        async def session() -> None:
            loop = asyncio.get_running_loop()
            counter = Counter(events)
            over = asyncio.Event()
            queue = asyncio.Queue()
            _, protocol = await loop.create_connection(
                lambda: InboundProtocol("127.0.0.1", PASSWORD, lambda _: None, loop=loop, event_queue=queue),
                "127.0.0.1",
                port,
            )
            await protocol.authenticate()
            counter.start()
            protocol.sendrecv("event plain ALL")
            while not over.is_set():
                event = await queue.get()
                for name in READ:
                    event.get(name)
                if counter.count():
                    over.set()

        asyncio.run(session())


CLIENTS: dict[str, Client] = {
    "receive": ReceiveOnly(),
    "link": OurLink(),
    "dropin": DropIn(),
    "greenswitch": Greenswitch(),
    "libesl": LibEsl(),
    "genesis": Genesis(),
    "switchio": Switchio(),
}
