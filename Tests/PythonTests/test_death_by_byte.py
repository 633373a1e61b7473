"""The worker dies after exactly so many bytes of its request, or of the broker's answer, have passed.

python test_death_by_byte.py [BINARIES] [--all]

Between worker and broker stands a proxy that lets some bytes through, kills the worker, and closes both connections.
With --all at every byte, which takes some minutes; otherwise at some, and at the seams.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from harness import COIN, Json, Publisher, Simulator, State, Worker, eventually, main

# The one that is under way when the worker dies, and the next.
DECISIONS = ["flying", "waiting"]

# Most of a death's time is waiting for the settle time to pass.
AT_ONCE = 8

# How many bytes pass of a message: the length of its head and its whole length are given.
Cut = Callable[[int, int], int]

CUTS: dict[str, Cut] = {
    "nothing": lambda head, whole: 0,
    "one byte": lambda head, whole: 1,
    "half of the head": lambda head, whole: head // 2,
    "all but two of the head": lambda head, whole: head - 2,
    "all but one of the head": lambda head, whole: head - 1,
    "the head": lambda head, whole: head,
    "one byte of the body": lambda head, whole: head + 1,
    "a third of the body": lambda head, whole: head + (whole - head) // 3,
    "two thirds of the body": lambda head, whole: head + (whole - head) * 2 // 3,
    "all but two": lambda head, whole: whole - 2,
    "all but one": lambda head, whole: whole - 1,
    "all": lambda head, whole: whole,
}

# Once all of the answer has passed, the worker stores it and tells: some milliseconds in which it can die too.
MILLISECONDS_AFTER = [0.5, 1, 2, 3, 5, 8, 13]


class Connection:
    """A connection from which whole HTTP messages are read."""

    def __init__(self, connection: socket.socket):
        self.socket = connection
        self.buffer = b""

    def read(self) -> tuple[bytes, int] | None:
        """The next message and the length of its head; None when the connection ends instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._receive():
                return None
        head = self.buffer.index(b"\r\n\r\n") + 4
        body = 0
        for line in self.buffer[:head].lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                body = int(line.split(b":")[1])
        while len(self.buffer) < head + body:
            if not self._receive():
                return None
        message, self.buffer = self.buffer[: head + body], self.buffer[head + body :]
        return message, head

    def _receive(self) -> bool:
        try:
            part = self.socket.recv(65536)
        except OSError:
            return False
        self.buffer += part
        return bool(part)


class Proxy:
    """Passes requests and answers on, one after the other, until it is told how the worker is to die."""

    def __init__(self, simulator: Simulator):
        self.broker = ("127.0.0.1", int(simulator.url.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        # While it is set, the first POST waits for the death that it is to meet.
        self.deadly = threading.Event()
        self.may_pass = threading.Event()
        self.has_killed = threading.Event()
        self.victim = 0
        self.cut_of_request: Cut | None = None
        self.cut_of_answer: Cut | None = None
        self.milliseconds_after = 0.0
        self.lengths: list[tuple[int, int]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake who waits in accept.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                worker, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[worker], daemon=True).start()

    def _serve(self, worker_socket: socket.socket) -> None:
        with worker_socket, socket.create_connection(self.broker) as broker_socket:
            for one in [worker_socket, broker_socket]:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            worker, broker = Connection(worker_socket), Connection(broker_socket)
            while request := worker.read():
                is_deadly = request[0].startswith(b"POST ") and self.deadly.is_set()
                if is_deadly:
                    self.deadly.clear()
                    self.may_pass.wait()
                    self.lengths.append((request[1], len(request[0])))
                    if self.cut_of_request:
                        self._pass_and_kill(request, broker_socket, self.cut_of_request)
                        return
                broker_socket.sendall(request[0])
                answer = broker.read()
                if not answer:
                    return
                if is_deadly:
                    self.lengths.append((answer[1], len(answer[0])))
                    if self.cut_of_answer:
                        self._pass_and_kill(answer, worker_socket, self.cut_of_answer)
                        return
                try:
                    worker_socket.sendall(answer[0])
                except OSError:
                    return  # the worker is gone

    def _pass_and_kill(self, message: tuple[bytes, int], to: socket.socket, cut: Cut) -> None:
        content, head = message
        length = min(cut(head, len(content)), len(content))
        to.sendall(content[:length])
        time.sleep(self.milliseconds_after / 1000)
        os.kill(self.victim, signal.SIGKILL)
        self.has_killed.set()


class Death:
    """One worker that dies once, and what the next one makes of it."""

    def __init__(
        self,
        name: str,
        *,
        cut_of_request: Cut | None = None,
        cut_of_answer: Cut | None = None,
        milliseconds_after: float = 0,
    ):
        self.name = name
        self.cut_of_request, self.cut_of_answer = cut_of_request, cut_of_answer
        self.milliseconds_after = milliseconds_after
        self.lengths: list[tuple[int, int]] = []

    def happens(self, simulator: Simulator, strategy: str) -> str:
        """Returns what became of the decision whose request was under way."""
        try:
            with State() as state, Proxy(simulator) as proxy:
                return self._happens(simulator, strategy, state, proxy)
        except Exception as error:
            raise AssertionError(f"death after {self.name}: {error}") from error

    def _happens(self, simulator: Simulator, strategy: str, state: State, proxy: Proxy) -> str:
        proxy.cut_of_request, proxy.cut_of_answer = self.cut_of_request, self.cut_of_answer
        proxy.milliseconds_after = self.milliseconds_after
        proxy.deadly.set()
        with Worker(proxy.url, state=state) as worker, Publisher(worker) as publisher:
            proxy.victim = worker.pid
            acks = [publisher.accepted(name, strategy, **COIN) for name in DECISIONS]
            proxy.may_pass.set()
            if self.cut_of_request or self.cut_of_answer:
                assert proxy.has_killed.wait(30), "it lives"
                assert worker.program.wait() == -signal.SIGKILL
            else:
                worker.final_outcome(strategy, "waiting")
        self.lengths = proxy.lengths
        flying = f"{strategy}:flying"
        head, whole = proxy.lengths[0]
        arrives = not self.cut_of_request or self.cut_of_request(head, whole) >= whole
        if arrives:
            simulator.wait_for_post(flying)
        before = simulator.posts(flying)
        assert len(before) == arrives, f"{len(before)} POSTs: {before}"

        with Worker(proxy.url, "--settle-time-s", "1", state=state) as worker:
            ends = eventually("both ends", lambda: ends_of(worker, strategy))
            with Publisher(worker) as publisher:
                again = [publisher.decide(name, strategy, **COIN) for name in DECISIONS]
        for name, first, second in zip(DECISIONS, acks, again):
            assert second["duplicate"] and second["decision_seq"] == first["decision_seq"], second
            end = ends[name]
            assert second["outcome"] == end, second
            # With a whole answer the worker goes on, and may die amid the next request.
            posts = simulator.posts(f"{strategy}:{name}")
            assert len(posts) <= 1, posts
            placed = [post for post in posts if post["recorded"]]
            wanted = ("success", None) if placed else ("failed", "absent")
            assert (end["result"], end["reason"]) == wanted, (end, posts)
        after = simulator.posts(flying)
        assert len(after) == len(before), f"{len(before)} POSTs before, then {after}"
        if self.cut_of_request:
            assert ends["waiting"]["result"] == "success", ends["waiting"]
        return str(ends["flying"]["reason"] or ends["flying"]["result"])


def ends_of(worker: Worker, strategy: str) -> dict[str, Json] | None:
    """The final outcomes, once there are both. Asks at leisure: many workers are asked at once."""
    time.sleep(0.1)
    outcomes = worker.outcomes_of(strategy)
    assert [o["strategy_seq"] for o in outcomes] == list(range(1, len(outcomes) + 1))
    ends = {o["decision_id"]: o for o in outcomes if o["final"]}
    return ends if len(ends) == len(DECISIONS) else None


def die(deaths: list[Death]) -> Counter[str]:
    """Lets all of them happen, some at once, and counts what became of their decisions."""
    with Simulator() as simulator, ThreadPoolExecutor(AT_ONCE) as pool:
        # All names have the same length, and with it all requests.
        strategies = [f"s{number:05}" for number in range(len(deaths))]
        ends = pool.map(lambda each: each[0].happens(simulator, each[1]), zip(deaths, strategies))
        return Counter(ends)


def told(ends: Counter[str]) -> str:
    return ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))


def lengths() -> list[tuple[int, int]]:
    """Length of the head and whole length, of a request and of its answer."""
    nobody_dies = Death("nothing")
    die([nobody_dies])
    return nobody_dies.lengths


def at(count: int) -> Cut:
    return lambda head, whole: count


def cuts(message: int) -> dict[str, Cut]:
    """The places to die at, for the request (0) or for the answer (1)."""
    if "--all" not in sys.argv:
        return CUTS
    _, whole = lengths()[message]
    # Answers differ in length by some digits; what is longer than the message is all of it.
    spare = 16 if message else 0
    return {f"{count} bytes": at(count) for count in range(whole + spare + 1)}


def test_death_after_so_many_bytes_of_the_request() -> str:
    places = cuts(0)
    ends = die(
        [Death(f"{name} of the request", cut_of_request=cut) for name, cut in places.items()]
    )
    assert ends == {"success": 1, "absent": len(places) - 1}, ends
    return told(ends)


def test_death_after_so_many_bytes_of_the_answer() -> str:
    places = cuts(1)
    ends = die([Death(f"{name} of the answer", cut_of_answer=cut) for name, cut in places.items()])
    assert ends == {"success": len(places)}, ends
    return told(ends)


def test_death_while_the_answer_is_stored_and_told() -> str:
    deaths = [
        Death(f"{wait} ms", cut_of_answer=CUTS["all"], milliseconds_after=wait)
        for wait in MILLISECONDS_AFTER
    ]
    ends = die(deaths)
    assert ends == {"success": len(deaths)}, ends
    return told(ends)


if __name__ == "__main__":
    main(globals())
