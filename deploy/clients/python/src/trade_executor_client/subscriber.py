"""The outcome topic, each outcome once and in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType

import zmq

from .answers import Health, NoAnswer, Outcome, Refused, read
from .following import Following, Position
from .intake import Intake
from .keys import CurveKeys
from .requests import DEFAULT_INTAKE, DEFAULT_OUTCOMES, SILENCE


class Subscriber:
    """Iterates over the outcomes of one strategy, or of all, after a position.

    What the topic loses is replayed from the worker. Keep `position` after you have handled an
    outcome, and begin there the next time. To be used by one thread.
    """

    def __init__(
        self,
        strategy: str | None = None,
        position: Position = Position(),
        outcomes: str = DEFAULT_OUTCOMES,
        intake: str = DEFAULT_INTAKE,
        keys: CurveKeys | None = None,
    ):
        # Of the last outcome that was handed out.
        self.position = position
        # The last that came.
        self.heartbeat: Health | None = None
        self._following = Following(strategy, position)
        self._ready: deque[Outcome] = deque()
        self._endpoint = outcomes
        self._keys = keys
        self._intake = Intake(intake, keys)
        self._heard = time.monotonic()
        self._socket = self._connected()

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close(0)
        self._intake.close()

    @property
    def seconds_of_silence(self) -> float:
        """Since the last message. More than 5: the worker is down, or we are cut off."""
        return time.monotonic() - self._heard

    def __iter__(self) -> Iterator[Outcome]:
        while True:
            outcome = self.receive()
            if outcome is not None:
                yield outcome

    def receive(self, timeout: float | None = None) -> Outcome | None:
        """The next outcome; None where none has come within `timeout` seconds.

        Waits up to 2 s longer while a replay is asked for. Refused: we may not read the outcomes.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self._ready:
            if self._following.behind:
                self._catch_up()
                continue
            left = SILENCE if end is None else max(0.0, end - time.monotonic())
            if self._socket.poll(int(min(left, SILENCE) * 1000)):
                self._take(self._socket.recv_multipart()[-1])
            elif time.monotonic() - max(self._heard, self._connected_at) > SILENCE:
                # A connection that was refused, or whose other end vanished, never comes back.
                self._socket.close(0)
                self._socket = self._connected()
            if not self._ready and end is not None and time.monotonic() >= end:
                return None
        outcome = self._ready.popleft()
        self.position = self._following.position(outcome)
        return outcome

    def _take(self, body: bytes) -> None:
        message = read(body)
        self._heard = time.monotonic()
        if message["type"] == "heartbeat":
            self.heartbeat = Health.of(message)
        self._ready.extend(self._following.take_live(message))

    def _catch_up(self) -> None:
        following = self._following
        try:
            page = self._intake.replay(following.strategy, following.last)
        except (NoAnswer, Refused) as error:
            if isinstance(error, Refused) and not error.retry:
                raise
            # The next heartbeat tells again that something is missing.
            following.behind = False
        else:
            self._ready.extend(following.take_page(page))

    def _connected(self) -> zmq.Socket[bytes]:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        socket = context.socket(zmq.SUB)
        socket.linger = 0
        if self._keys:
            self._keys.apply(socket)
        for topic in self._following.topics():
            socket.subscribe(topic)
        socket.connect(self._endpoint)
        self._connected_at = time.monotonic()
        return socket
