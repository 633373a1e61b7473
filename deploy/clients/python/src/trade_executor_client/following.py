"""Which outcomes are new, and when some are missing: decided without sockets and clocks."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from .answers import Json, Outcome, Page


@dataclass(frozen=True)
class Position:
    """Up to where outcomes have been handled, of one strategy or of all: what to keep on disk."""

    # The worker's database; None before anything was heard of it.
    stream: str | None = None
    # The last `strategy_seq` of one strategy, or the last `seq` of all; 0 for none.
    counter: int = 0

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Position:
        """The position that was saved; the beginning where there is no such file."""
        try:
            with open(path, encoding="utf-8") as file:
                stored = json.load(file)
        except FileNotFoundError:
            return Position()
        return Position(stored["stream"], stored["counter"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Replaces the file in one step, so that a crash leaves the old or the new one."""
        directory = os.path.dirname(os.path.abspath(path))
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".position-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"stream": self.stream, "counter": self.counter}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


class Following:
    """One subscriber's progress.

    Only the answer to a replay changes the stream: live messages of an older database may still
    wait in a queue when the worker has begun another one.
    """

    def __init__(self, strategy: str | None, position: Position):
        self.strategy = strategy
        self.stream = position.stream
        self.last = position.counter
        # Whether outcomes are missing, and a replay should be asked for.
        self.behind = False

    def topics(self) -> list[str]:
        return [f"outcome|{self.strategy}|" if self.strategy else "outcome|", "heartbeat|"]

    def counter(self, outcome: Outcome) -> int:
        return outcome.strategy_seq if self.strategy else outcome.seq

    def position(self, outcome: Outcome) -> Position:
        # Not the outcome's own stream: one from before a restoration or a move names the stream of
        # then.
        return Position(self.stream, self.counter(outcome))

    def take_live(self, message: Json) -> list[Outcome]:
        """The outcome in a message of the topic, if it is the next one."""
        if message["stream"] != self.stream:
            self.behind = True
        elif message["type"] == "outcome":
            outcome = Outcome.of(message)
            if self.counter(outcome) == self.last + 1:
                return self._take([outcome])
            self.behind = self.behind or self.counter(outcome) > self.last
        elif message["type"] == "heartbeat":
            newest = message["seq"]
            if self.strategy:
                newest = message["strategies"].get(self.strategy, 0)
            self.behind = self.behind or newest > self.last
        return []

    def take_page(self, page: Page) -> list[Outcome]:
        """The new outcomes in the answer to a replay after `last`."""
        if page.stream != self.stream:
            other_database = self.stream is not None
            self.stream = page.stream
            if other_database and self.last > 0:
                # Its counters begin anew: ask again, from its beginning.
                self.last = 0
                return []
        self.behind = page.more
        return self._take(page.outcomes)

    def _take(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        new = [outcome for outcome in outcomes if self.counter(outcome) > self.last]
        if new:
            self.last = self.counter(new[-1])
        return new
