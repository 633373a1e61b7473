"""The worker kills itself, with SIGKILL, at every named point of the recovery table, in the midst of its work.

python test_death_points.py [BINARIES] [--times=N] [--seed=N] [--only=POINT]

The two points inside a transfer are in test_death_by_byte.py. At each death the database is held against the table of
deploy/contract/recovery.md, line by line; after it, another worker must bring all to an end as if nothing had been.
"""

from __future__ import annotations

import json
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from checks import Checks, Violation, must
from harness import (
    COIN,
    KILL_AT,
    PATIENCE,
    REPOSITORY,
    Json,
    NotReady,
    Publisher,
    Simulator,
    State,
    Worker,
    death_points,
    eventually,
    free_endpoints,
    main,
)
from load import RESTING, Follower, Strategy, is_at_rest

# Much of a run's time is waiting: for slow answers, and for the settle time to pass.
AT_ONCE = 4

INSIDE_TRANSFER = ["request_partly_sent", "answer_partly_read"]
REFUSALS = ["refusal_written", "refusal_committed"]

# How orders of a symbol live at the broker.
SCRIPTS: list[Json] = [
    {
        "symbol": "PEP",
        "steps": [
            {"after_ms": 30, "status": "partially_filled", "filled_qty": "40", "price": "142"},
            {"after_ms": 150, "status": "canceled"},
        ],
    },
    {"symbol": "KO", "steps": [{"after_ms": 250, "status": "canceled"}]},
]

# What happens to a request, by a word in its client order id.
FAULTS: list[Json] = [
    {"contains": "slow-to-place", "fault": "delay_before_recording", "milliseconds": 120},
    {"contains": "slow-to-answer", "fault": "delay_after_recording", "milliseconds": 120},
    {"contains": "cut-recorded", "fault": "close_after_recording"},
    {"contains": "cut-unrecorded", "fault": "close_before_recording"},
    {"contains": "gateway-recorded", "fault": "html_504"},
    {"contains": "gateway-unrecorded", "fault": "html_504_unrecorded"},
]

# How often, a word for the decision's id, and what is different from one share of AAPL.
ORDERS: list[tuple[float, str, Json]] = [
    (40, "fills", COIN),
    (8, "cut-short", {"symbol": "PEP", "quantity": "100"}),
    (5, "cancelled-later", {"symbol": "KO"}),
    (3, "rests", {"symbol": RESTING, "order_type": "limit", "limit_price": "1"}),
    (5, "too-dear", {"symbol": "BRK.A", "quantity": "900000"}),
    (3, "cut-recorded", COIN),
    (3, "cut-unrecorded", COIN),
    (3, "gateway-recorded", COIN),
    (3, "gateway-unrecorded", COIN),
    (10, "stale", COIN),
    (4, "slow-to-place", COIN),
    (4, "slow-to-answer", COIN),
]

# A decision's and its execution's word in the database; None where there is none.
Pair = tuple[str | None, str | None]

# How many POSTs the broker may have had of a decision with these words.
POSTS: dict[Pair, set[int]] = {
    ("pending", None): {0},
    ("failed", None): {0},
    ("failed", "not_sent"): {0},
    # 0 where an earlier process died before the first byte.
    ("executing", "sending"): {0, 1},
    ("executing", "unknown"): {0, 1},
    ("failed", "answered"): {0, 1},
    ("executing", "answered"): {1},
    ("executed", "answered"): {1},
}


def recovery_table() -> dict[str, list[Pair]]:
    """What the table says is on disk after a death at each point."""
    table: dict[str, list[Pair]] = {}
    for line in (REPOSITORY / "deploy/contract/recovery.md").read_text().splitlines():
        if row := re.match(r"\| `(\w+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", line):
            words = [re.findall(r"`(\w+)`", pair) for pair in row[2].split(", or ")]
            table[row[1]] = [
                (pair[0] if pair else None, pair[1] if len(pair) > 1 else None) for pair in words
            ]
    return table


TABLE = recovery_table()
LISTED = {pair for pairs in TABLE.values() for pair in pairs}


class Found(NamedTuple):
    """What a dead worker has left."""

    pairs: dict[str, Pair]
    # Of the last outcome.
    seq: int

    def names(self, pair: Pair) -> list[str]:
        return [name for name, found in self.pairs.items() if found == pair]


class Told(NamedTuple):
    """What is told of the runs of one point."""

    deaths: int
    left: Counter[str]
    posts: int
    verdicts: Counter[str]


class Run:
    """A worker that dies once or twice while two strategies publish, and what the next one makes of it."""

    def __init__(self, point: str, number: int, points: list[str], seed: int):
        self.point, self.points = point, points
        self.name = f"{point} {number} (--seed={seed})"
        self.random = random.Random(f"{seed} {point} {number}")
        self.found: list[Found] = []

    def happens(self) -> Told:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="trade-executor-deaths-"))
        with Simulator("--cash", "90000000000") as simulator, State(directory) as state:
            try:
                self._happens(simulator, state)
            except Exception as error:
                (directory / "posts.json").write_text(json.dumps(simulator.posts(), indent=1))
                raise Violation(f"{self.name}, all kept in {directory}: {error}") from error
            told = self._told()
        shutil.rmtree(directory)
        return told

    def _happens(self, simulator: Simulator, state: State) -> None:
        self.simulator, self.state = simulator, state
        for script in SCRIPTS:
            simulator.request("POST", "/_simulator/scripts", script)
        for fault in FAULTS:
            simulator.request("POST", "/_simulator/faults", {**fault, "times": None})
        self.intake, self.outcomes = free_endpoints(2)
        # Refusals of waiting decisions are rare otherwise.
        weights = {"stale": 3, "slow-to-place": 5} if self.point in REFUSALS else {}
        orders = [(often * weights.get(word, 1), word, more) for often, word, more in ORDERS]
        self.strategies = [
            Strategy(name, self.intake, self.random.random(), 40, orders=orders, patience_ms=300)
            for name in ["a", "b"]
        ]
        self.follower = Follower(self.outcomes, self.intake)
        self.checks = Checks(
            state, simulator, self.strategies, self.follower, None, are_halted=True
        )
        for thread in [*self.strategies, self.follower]:
            thread.start()
        try:
            self._die_at(self.point)
            # A worker that takes up what another has left can die as well.
            while self.random.random() < 0.25:
                self._die_at(
                    self.point if self.point in REFUSALS else self.random.choice(self.points)
                )
            self._live_on()
        finally:
            for strategy in self.strategies:
                strategy.ends.set()
            self.follower.ends.set()

    def _worker(self, kill_at: str | None = None) -> Worker:
        return Worker(
            self.simulator,
            *("--intake", self.intake, "--outcomes", self.outcomes, "--settle-time-s", "1"),
            state=self.state,
            environment={KILL_AT: kill_at} if kill_at else {},
        )

    # --- Dying

    def _die_at(self, point: str) -> None:
        # Soon more often than late; nothing is refused as often as it is sent.
        passes = int((4 if point in REFUSALS else 60) ** self.random.random())
        try:
            with self._worker(f"{point}:{passes}") as worker:
                code = self._wait_for_death(worker)
        except NotReady as error:
            # What it took up made it pass the point before it was ready.
            code = error.code
        must(code == -signal.SIGKILL, f"{point}:{passes} ended the worker with {code}")
        # What it sent with its last breath arrives.
        time.sleep(0.05)
        self._look_at_what_is_left(point)
        self.checks.look()

    def _wait_for_death(self, worker: Worker) -> int:
        """Halts one of the strategies now and then meanwhile."""
        halt = worker.halt_file("strategy-b")
        end = time.monotonic() + PATIENCE
        while (code := worker.program.process.poll()) is None:
            if time.monotonic() > end:
                raise Violation(f"it does not die: {worker.condition()}")
            if halt.exists():
                halt.unlink()
            elif self.random.random() < 0.1:
                halt.touch()
            time.sleep(0.03)
        halt.unlink(missing_ok=True)
        return code

    def _look_at_what_is_left(self, point: str) -> None:
        posts = Counter(post["client_order_id"] for post in self.simulator.posts())
        found = Found(*self._read_copy())
        self.found.append(found)
        for name, pair in found.pairs.items():
            must(pair in LISTED, f"{name} is {pair}, which the table does not list")
            must(posts[name] in POSTS[pair], f"{name} is {pair} and was sent {posts[name]} times")
        for name in posts:
            must(name in found.pairs, f"{name} was sent, and is not on disk")
        there = set(found.pairs.values())
        sending = found.names(("executing", "sending"))
        if TABLE[point] == [("executing", "sending")]:
            must(len(sending) == 1, f"sending is {sending}")
        must(len(sending) <= 1, f"sending are {sending}")
        # A decision that is written as waiting may be sent in the very transaction that accepts it.
        if ("pending", None) not in TABLE[point] and (None, None) not in TABLE[point]:
            must(there & set(TABLE[point]), f"the table says {TABLE[point]}, there is {there}")

    def _read_copy(self) -> tuple[dict[str, Pair], int]:
        """Of a copy: the next worker is to find the files as the dead one has left them."""
        with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as copy:
            for file in [self.state.database, self.state.path / "trades.db-wal"]:
                if file.exists():
                    shutil.copy(file, copy)
            database = sqlite3.connect(pathlib.Path(copy) / "trades.db")
            try:
                rows = database.execute(
                    "SELECT strategy_name || ':' || decision_id, d.status, e.certainty"
                    " FROM trade_decisions d LEFT JOIN trade_executions e"
                    " ON trade_decision_id = d.id"
                ).fetchall()
                (seq,) = database.execute("SELECT ifnull(max(seq), 0) FROM outcomes").fetchone()
            finally:
                database.close()
        return {name: (status, certainty) for name, status, certainty in rows}, seq

    # --- Living on

    def _live_on(self) -> None:
        with self._worker() as worker:
            accepted = [strategy.counts["accepted"] for strategy in self.strategies]
            eventually(
                "some more decisions",
                lambda: all(
                    strategy.error or strategy.counts["accepted"] >= before + 2
                    for strategy, before in zip(self.strategies, accepted)
                ),
            )
            for strategy in self.strategies:
                strategy.ends.set()
                strategy.join(timeout=PATIENCE)
                must(not strategy.is_alive(), f"{strategy.name} waits for an answer in vain")
            self.checks.look()
            eventually("the end of all orders", lambda: self._is_over(worker))
            self.checks.look()
            eventually("the follower", lambda: self.follower.last >= self.checks.seq)
            self.checks.look()
            self.checks.at_rest(worker)
            for found in self.found:
                self._check_what_became_of(found)
            code = worker.terminate()
            must(code == 0, f"SIGTERM ended the worker with {code}")

    def _is_over(self, worker: Worker) -> bool:
        self.simulator.request("DELETE", "/v2/orders")
        with Publisher(worker) as publisher:
            publisher.ask({"v": 1, "type": "reconcile"})
        time.sleep(0.05)
        return is_at_rest(worker)

    def _check_what_became_of(self, found: Found) -> None:
        """What was being sent is told as unknown next; what waited takes its turn."""
        next_outcomes: dict[str, Json] = {}
        for body in self.state.stored_outcomes():
            outcome = json.loads(body)
            if outcome["seq"] > found.seq:
                name = f"{outcome['strategy_name']}:{outcome['decision_id']}"
                next_outcomes.setdefault(name, outcome)
        for name in found.names(("executing", "sending")):
            outcome = next_outcomes[name]
            execution = outcome["execution"]
            was_unknown = outcome["result"] == execution["certainty"] == "unknown"
            must(was_unknown and "stopped" in execution["error_message"], f"{name}: {outcome}")
        later = self.found[self.found.index(found) + 1 :]
        for name in found.names(("pending", None)):
            end = self.checks.ends[name]
            # Unless another death came between its intent and its first byte.
            was_sending = any(one.pairs[name] == ("executing", "sending") for one in later)
            refused = end.reason in ["expired", "halted"]
            must(
                was_sending or (name in self.checks.posted) != refused,
                f"{name} waited, and was {'sent' if name in self.checks.posted else 'not sent'}: {end}",
            )

    def _told(self) -> Told:
        left: Counter[str] = Counter()
        for found in self.found:
            left += Counter(" ".join(filter(None, pair)) for pair in found.pairs.values())
        verdicts = Counter(
            end.reason if end.reason in ["absent", "expired", "halted"] else end.result
            for end in self.checks.ends.values()
        )
        return Told(len(self.found), left, self.checks.posts_read, verdicts)


def together(tolds: list[Told]) -> Told:
    counters: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for told in tolds:
        counters[0].update(told.left)
        counters[1].update(told.verdicts)
    return Told(
        sum(told.deaths for told in tolds),
        counters[0],
        sum(told.posts for told in tolds),
        counters[1],
    )


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def option(name: str, default: str) -> str:
    given = [word.split("=", 1)[1] for word in sys.argv if word.startswith(f"--{name}=")]
    return given[-1] if given else default


def test_the_table_lists_every_point() -> str:
    points = death_points()
    assert sorted(TABLE) == sorted(points + INSIDE_TRANSFER), (points, TABLE)
    assert LISTED - {(None, None)} == set(POSTS), LISTED
    return f"{len(points)} points to die at, {len(LISTED)} states"


def test_death_at_every_point() -> str:
    times = int(option("times", "3"))
    seed = int(option("seed", str(random.SystemRandom().randrange(1_000_000))))
    points = death_points()
    chosen = [point for point in points if point == option("only", point)]
    runs = {point: [Run(point, n, points, seed) for n in range(1, times + 1)] for point in chosen}
    everything: list[Told] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming = {point: [pool.submit(run.happens) for run in some] for point, some in runs.items()}
        try:
            for point, some in coming.items():
                told = together([one.result() for one in some])
                everything.append(told)
                print(
                    f"{point:<20} {times} runs, {told.deaths} deaths, {told.posts} POSTs;"
                    f" left: {listed(told.left)}; came to: {listed(told.verdicts)}",
                    flush=True,
                )
        finally:
            pool.shutdown(cancel_futures=True)
    told = together(everything)
    if len(chosen) == len(points):
        for verdict in ["success", "partial", "failed", "absent", "expired", "halted"]:
            assert told.verdicts[verdict], f"nothing came to {verdict}: {told}"
    return (
        f"seed {seed}: {times * len(chosen)} runs, {told.deaths} deaths, {told.posts} POSTs, none twice,"
        f" none lost; {listed(told.verdicts)}, none wrong"
    )


if __name__ == "__main__":
    main(globals())
