"""Attackers of a worker's sockets, each a program of its own: speakers of bare ZMTP, and of pyzmq.

`python attackers.py NAME INTAKE OUTCOMES SECONDS` attacks for so long on one core, and prints what it did as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import zmq

RANDOM = random.Random(5)
MORE, LONG, COMMAND = 1, 2, 4


class Target:
    """Where to attack, for how long, and what came of it so far."""

    def __init__(self, intake: str, outcomes: str, seconds: float):
        self.intake, self.outcomes = intake, outcomes
        self.end = time.monotonic() + seconds
        self.done: Counter[str] = Counter()

    def rounds(self) -> Iterator[None]:
        while time.monotonic() < self.end:
            yield


# --- ZMTP by hand


def address(endpoint: str) -> tuple[str, int]:
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


def frame(body: bytes, flags: int = 0) -> bytes:
    if len(body) > 255:
        return struct.pack(">BQ", flags | LONG, len(body)) + body
    return struct.pack(">BB", flags, len(body)) + body


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def ready(kind: bytes) -> bytes:
    name = b"Socket-Type"
    return frame(
        b"\x05READY" + bytes([len(name)]) + name + struct.pack(">I", len(kind)) + kind, COMMAND
    )


def connect(endpoint: str) -> socket.socket:
    peer = socket.create_connection(address(endpoint), timeout=2)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def shake_hands(endpoint: str, kind: bytes = b"DEALER") -> socket.socket:
    """A connection that is ready for messages. What the worker says to it may stay unread."""
    peer = connect(endpoint)
    peer.sendall(GREETING + ready(kind))
    got = b""
    while len(got) < 64 + 2:
        part = peer.recv(4096)
        if not part:
            raise ConnectionResetError
        got += part
    return peer


def keep_sending(
    target: Target, endpoint: str, kind: bytes, first: bytes, again: Callable[[], bytes]
) -> None:
    """Sends as fast as it can, and connects again whenever it is cut."""
    for _ in target.rounds():
        try:
            with shake_hands(endpoint, kind) as peer:
                target.done["connections"] += 1
                peer.settimeout(1)
                peer.sendall(first)
                for _ in target.rounds():
                    bytes_ = again()
                    try:
                        peer.sendall(bytes_)
                    except TimeoutError:
                        target.done["waits"] += 1
                        break
                    target.done["bytes"] += len(bytes_)
        except OSError:
            target.done["cuts"] += 1


def keep_many(target: Target, count: int, begin: Callable[[], socket.socket]) -> None:
    """Holds so many connections, and makes new ones for those that are cut."""
    held: dict[int, socket.socket] = {}
    poller = select.poll()
    for _ in target.rounds():
        try:
            if len(held) < count:
                peer = begin()
                held[peer.fileno()] = peer
                poller.register(peer, select.POLLIN | select.POLLRDHUP)
                target.done["connections"] += 1
                target.done["most at once"] = max(target.done["most at once"], len(held))
        except OSError:
            target.done["not connected"] += 1
        if len(held) < count and target.done["connections"] % 50:
            continue
        for number, events in poller.poll(10):
            try:
                is_open = not events & (select.POLLRDHUP | select.POLLHUP | select.POLLERR)
                is_open = is_open and bool(held[number].recv(1 << 16))
            except OSError:
                is_open = False
            if not is_open:
                poller.unregister(number)
                held.pop(number).close()
                target.done["cuts"] += 1


# --- The attacks


def random_bytes(target: Target) -> None:
    for _ in target.rounds():
        try:
            with connect(target.intake) as peer:
                target.done["connections"] += 1
                start = GREETING[: RANDOM.randrange(65)] if RANDOM.random() < 0.5 else b""
                peer.sendall(start + RANDOM.randbytes(RANDOM.randrange(1, 20_000)))
                if RANDOM.random() < 0.5:
                    peer.shutdown(socket.SHUT_WR)
        except OSError:
            target.done["cuts"] += 1


def bursts_that_vanish(target: Target) -> None:
    """More than is taken at once, heartbeats in it, and then a reset: libzmq aborts where it meets the heartbeat only
    after the end of a connection that it had stopped reading."""
    ping = frame(b"\x04PING\x00\x00", COMMAND)
    bursts = [
        (target.intake, b"DEALER", (frame(b'{"v":1,"type":"ping"}') + ping) * 2000),
        (target.outcomes, b"SUB", (frame(b"\x01o") + ping) * 2000),
    ]
    for _ in target.rounds():
        endpoint, kind, burst = RANDOM.choice(bursts)
        try:
            with shake_hands(endpoint, kind) as peer:
                target.done["connections"] += 1
                peer.sendall(burst)
                time.sleep(RANDOM.choice([0, 0.0002, 0.001, 0.005]))
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            target.done["cuts"] += 1


def half_open_connections(target: Target) -> None:
    def begin() -> socket.socket:
        peer = connect(RANDOM.choice([target.intake, target.outcomes]))
        peer.sendall(GREETING[: RANDOM.randrange(65)])
        return peer

    keep_many(target, 3000, begin)


def connections_that_say_nothing(target: Target) -> None:
    """As fast as it can, the newest few hundred held open."""
    held: list[socket.socket] = []
    for _ in target.rounds():
        try:
            held.append(connect(target.intake))
            target.done["connections"] += 1
        except OSError:
            target.done["not connected"] += 1
        if len(held) > 800:
            held.pop(0).close()


def thousands_of_connections(target: Target) -> None:
    def begin() -> socket.socket:
        if RANDOM.random() < 0.5:
            peer = shake_hands(target.outcomes, b"SUB")
            peer.sendall(frame(b"\x01outcome|"))
        else:
            peer = shake_hands(target.intake)
        return peer

    keep_many(target, 3000, begin)


def talking_connections(target: Target) -> None:
    """Thousands that each say something, so that none looks idle."""

    def begin() -> socket.socket:
        peer = shake_hands(target.intake)
        peer.sendall(frame(b'{"v":1,"type":"ping"}'))
        return peer

    keep_many(target, 3000, begin)


def endless_multipart(target: Target) -> None:
    part = frame(bytes(60_000), MORE)
    keep_sending(target, target.intake, b"DEALER", b"", lambda: part)


def endless_multipart_of_tiny_frames(target: Target) -> None:
    part = frame(b"", MORE) * 32_768
    keep_sending(target, target.intake, b"DEALER", b"", lambda: part)


def messages_of_many_frames(target: Target) -> None:
    part = frame(b"", MORE) * 5000 + frame(b"{}")
    keep_sending(target, target.intake, b"DEALER", b"", lambda: part)


def many_slow_multiparts(target: Target) -> None:
    """Half messages of many connections, none of which sends much."""
    part = frame(b"", MORE) * 16_384

    def begin() -> socket.socket:
        peer = shake_hands(target.intake)
        peer.sendall(part)
        return peer

    keep_many(target, 400, begin)


def largest_frames(target: Target) -> None:
    message = frame(bytes(1 << 20))
    keep_sending(target, target.intake, b"DEALER", b"", lambda: message)


def frames_over_the_limit(target: Target) -> None:
    message = frame(bytes((1 << 20) + 1))
    keep_sending(target, target.intake, b"DEALER", b"", lambda: message)


def flood(target: Target, *bodies: bytes, sockets: int = 1) -> None:
    """Sends as fast as answers come, with up to so many unanswered ones under way."""
    context = zmq.Context()
    poller = zmq.Poller()
    for _ in range(sockets):
        dealer = context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.connect(target.intake)
        poller.register(dealer, zmq.POLLIN | zmq.POLLOUT)
    for _ in target.rounds():
        for dealer, events in poller.poll(100):
            if events & zmq.POLLIN:
                try:
                    while True:
                        dealer.recv_multipart(zmq.DONTWAIT)
                        target.done["answers"] += 1
                except zmq.Again:
                    pass
            for body in bodies if events & zmq.POLLOUT else ():
                try:
                    dealer.send(body, zmq.DONTWAIT)
                    target.done["messages"] += 1
                except zmq.Again:
                    break
    context.destroy(linger=0)


def flood_of_refused_messages(target: Target) -> None:
    flood(target, b"{}", b"not JSON", b'{"v":1}', b'{"v":2,"type":"ping"}')


def flood_of_requests(target: Target) -> None:
    flood(target, *(b'{"v":1,"type":"%s"}' % kind for kind in [b"ping", b"status", b"reconcile"]))


def flood_of_decisions(target: Target) -> None:
    """Decisions of one publisher that are taken, for as long as there is room, and never sent."""

    def decision(number: int) -> bytes:
        return json.dumps(
            {
                **{"v": 1, "decision_id": f"f-{number}", "strategy_name": "flood"},
                **{"symbol": "KO", "side": "buy", "quantity": "1", "valid_for_ms": 1},
            }
        ).encode()

    context = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.connect(target.intake)
    for _ in target.rounds():
        for _ in range(64):
            try:
                dealer.send(decision(target.done["messages"]), zmq.DONTWAIT)
                target.done["messages"] += 1
            except zmq.Again:
                break
        if dealer.poll(1):
            try:
                while True:
                    dealer.recv_multipart(zmq.DONTWAIT)
                    target.done["answers"] += 1
            except zmq.Again:
                pass
    context.destroy(linger=0)


def huge_and_deep_json(target: Target) -> None:
    whole = 65_000
    names = ",".join(f'"n{number}":{number}' for number in range(4500))
    flood(
        target,
        b"[" * whole,
        b'{"v":1,"rationale":' + b'{"a":' * 10_000,
        b'{"v":1,"rationale":{"a":"' + b"\\u0000" * 10_800 + b'"}}',
        b'{"v":1,"rationale":{' + names.encode() + b"}}",
        b'{"v":1,"quantity":"' + b"9" * whole + b'"}',
        b'{"v":1,"quantity":' + b"9" * whole + b"}",
        b'{"v":1,"' + b"x" * whole + b'":1}',
    )


def hundred_thousand_subscriptions(target: Target) -> None:
    def some() -> bytes:
        topics = (RANDOM.randbytes(RANDOM.randrange(3, 30)) for _ in range(500))
        return b"".join(frame(b"\x01" + topic) for topic in topics)

    keep_sending(target, target.outcomes, b"SUB", b"", some)


def many_subscribers_of_much(target: Target) -> None:
    """Subscriptions of many connections, each of which keeps within what one may send."""

    def begin() -> socket.socket:
        peer = shake_hands(target.outcomes, b"SUB")
        topics = (RANDOM.randbytes(RANDOM.randrange(3, 12)) for _ in range(1500))
        peer.sendall(b"".join(frame(b"\x01" + topic) for topic in topics))
        return peer

    keep_many(target, 400, begin)


def subscribers_that_do_not_read(target: Target) -> None:
    def begin() -> socket.socket:
        peer = shake_hands(target.outcomes, b"SUB")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(frame(b"\x01"))
        return peer

    held = [begin() for _ in range(200)]
    target.done["connections"] = len(held)
    flood_of_decisions(target)


def readers_that_do_not_read(target: Target) -> None:
    """Messages by the thousand whose answers nobody reads."""
    ping = frame(b'{"v":1,"type":"ping"}') * 200
    keep_sending(target, target.intake, b"DEALER", b"", lambda: ping)


def replays_that_nobody_reads(target: Target) -> None:
    replay = frame(b'{"v":1,"type":"replay","after":0,"limit":500}') * 50
    keep_sending(target, target.intake, b"DEALER", b"", lambda: replay)


def replays_again_and_again(target: Target) -> None:
    flood(target, b'{"v":1,"type":"replay","after":0,"limit":500}', sockets=3)


ATTACKS = [
    random_bytes,
    bursts_that_vanish,
    half_open_connections,
    connections_that_say_nothing,
    thousands_of_connections,
    talking_connections,
    endless_multipart,
    endless_multipart_of_tiny_frames,
    messages_of_many_frames,
    many_slow_multiparts,
    largest_frames,
    frames_over_the_limit,
    flood_of_refused_messages,
    flood_of_requests,
    flood_of_decisions,
    huge_and_deep_json,
    hundred_thousand_subscriptions,
    many_subscribers_of_much,
    subscribers_that_do_not_read,
    readers_that_do_not_read,
    replays_that_nobody_reads,
    replays_again_and_again,
]


def main() -> None:
    name, intake, outcomes, seconds = sys.argv[1:5]
    # All threads of it on one core, as the bar has it.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    target = Target(intake, outcomes, float(seconds))
    began = time.process_time()
    {attack.__name__: attack for attack in ATTACKS}[name](target)
    target.done["cpu_ms"] = round((time.process_time() - began) * 1000)
    print(json.dumps(target.done))


if __name__ == "__main__":
    main()
