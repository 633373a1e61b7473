"""The worker's intake for asyncio: decisions, and questions."""

from __future__ import annotations

import asyncio
import os
import time
from types import TracebackType
from typing import TypeVar

import zmq
import zmq.asyncio

from .answers import Ack, Health, NoAnswer, Page, Pong, Reconciliation, Refused
from .decision import Decision
from .keys import CurveKeys
from .partition_map import MOVING_PAUSE, Place, Route
from .requests import ACK_WAIT, DEFAULT_INTAKE, Request, decide, ping, reconcile, replay, status

_Self = TypeVar("_Self", bound="AsyncIntake")
_Answer = TypeVar("_Answer")


class AsyncIntake:
    """A connection to the worker's intake. Several tasks may use it; they wait for each other."""

    def __init__(self, endpoint: str = DEFAULT_INTAKE, keys: CurveKeys | None = None):
        self._endpoint = endpoint
        self._keys = keys
        self._socket: zmq.asyncio.Socket | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self: _Self) -> _Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        async with self._lock:
            self._disconnect()

    async def replay(self, strategy: str | None, after: int, limit: int = 500) -> Page:
        """Stored outcomes after a counter: a strategy's `strategy_seq`, or without one a `seq`."""
        return await self._ask(replay(strategy, after, limit), ACK_WAIT)

    async def status(self) -> Health:
        return await self._ask(status(), ACK_WAIT)

    async def ping(self) -> Pong:
        return await self._ask(ping(), ACK_WAIT)

    async def reconcile(
        self, strategy: str | None = None, decision_id: str | None = None
    ) -> Reconciliation:
        """Has the worker look up at once what is unknown: all, or the decision with both names."""
        return await self._ask(reconcile(strategy, decision_id), ACK_WAIT)

    async def _ask(self, request: Request[_Answer], timeout: float | None) -> _Answer:
        """Sends the same bytes again and again until an answer comes or the time is over."""
        end = None if timeout is None else time.monotonic() + timeout
        async with self._lock:
            while True:
                left = ACK_WAIT if end is None else end - time.monotonic()
                if left <= 0:
                    raise NoAnswer(f"{self._endpoint} has not answered for {timeout} s")
                answer = await self._attempt(request.body, min(left, ACK_WAIT))
                if answer is not None:
                    return request.read(answer)

    async def _attempt(self, body: bytes, wait: float) -> bytes | None:
        try:
            socket = self._connected()
            await socket.send(body)
            if await socket.poll(max(1, int(wait * 1000))):
                return bytes((await socket.recv_multipart())[-1])
        except BaseException:
            self._disconnect()
            raise
        # A late answer goes nowhere, and can't be taken for that to another question.
        self._disconnect()
        return None

    def _connected(self) -> zmq.asyncio.Socket:
        if self._socket is None:
            self._socket = zmq.asyncio.Context.instance().socket(zmq.DEALER)
            self._socket.linger = 0
            if self._keys:
                self._keys.apply(self._socket)
            self._socket.connect(self._endpoint)
        return self._socket

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None


class AsyncPublisher(AsyncIntake):
    """Publishes decisions, one at a time. Use one per strategy."""

    async def publish(self, decision: Decision, timeout: float | None = None) -> Ack:
        """Returns once the decision is on disk at the worker.

        Without an answer within 2 s the same bytes are sent again, for as long as it takes or
        `timeout` seconds. Refused: the worker does not take it. NoAnswer: the time is over, and it
        is not known whether the worker has it; publish the same decision again.
        """
        return await self._ask(decide(decision), timeout)


class AsyncMappedPublisher:
    """Publishes decisions to the worker that a partition map names. Use one per strategy.

    Where the strategy moves to another worker, it goes there with the same bytes: a worker that
    does not serve the strategy says so, and then the map is read again. `secret_file` is our
    `NAME.key_secret`, for workers that take known keys only; theirs stand in the map.
    """

    def __init__(
        self, map_file: str | os.PathLike[str], secret_file: str | os.PathLike[str] | None = None
    ):
        self._map_file = map_file
        self._secret_file = secret_file
        self._routes: dict[str, Route] = {}
        self._publishers: dict[Place, AsyncPublisher] = {}

    async def __aenter__(self) -> AsyncMappedPublisher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for publisher in self._publishers.values():
            await publisher.close()
        self._publishers.clear()

    async def publish(self, decision: Decision, timeout: float | None = None) -> Ack:
        """As `AsyncPublisher.publish`; while the strategy moves, it waits.

        ValueError: the strategy is in no partition. NoAnswer also where the move takes longer than
        `timeout`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        strategy = decision.strategy_name
        if strategy not in self._routes:
            self._routes[strategy] = Route(self._map_file, strategy)
        route = self._routes[strategy]
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise NoAnswer(f"{strategy} has not been taken for {timeout} s")
            try:
                return await self._publisher(route.place).publish(decision, left)
            except Refused as refused:
                if not route.goes_on_after(refused):
                    raise
            await asyncio.sleep(MOVING_PAUSE)

    def _publisher(self, place: Place) -> AsyncPublisher:
        if place not in self._publishers:
            self._publishers[place] = AsyncPublisher(place.intake, place.keys(self._secret_file))
        return self._publishers[place]
