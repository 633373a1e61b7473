"""Thousands of decisions from several publishers at once, while the broker fails at random.

python ten_thousand.py [BINARIES] [--decisions=10000] [--publishers=4] [--per-mille=10] [--seed=7]
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections import Counter

from harness import (
    COIN,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    eventually,
    main,
    strict_json,
)
from client_checks import Follower
from test_python_client import PYTHON


def option(name: str, default: int) -> int:
    values = [a.split("=", 1)[1] for a in sys.argv[1:] if a.startswith(f"--{name}=")]
    return int(values[-1]) if values else default


DECISIONS = option("decisions", 10_000)
PUBLISHERS = option("publishers", 4)
PER_MILLE = option("per-mille", 10)
SEED = option("seed", 7)

STRATEGIES = [f"strategy-{number}" for number in range(PUBLISHERS)]


class Load(threading.Thread):
    """One strategy: one decision in flight at a time, as the rule for publishers says."""

    def __init__(self, worker: Worker, strategy: str, count: int):
        super().__init__()
        self.worker, self.strategy, self.count = worker, strategy, count
        self.milliseconds: list[float] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with Publisher(self.worker) as publisher:
                for number in range(1, self.count + 1):
                    sent = time.monotonic()
                    publisher.accepted(f"d-{number}", self.strategy, sequence=number, **COIN)
                    self.milliseconds.append((time.monotonic() - sent) * 1000)
        except BaseException as error:
            self.error = error


def test_every_decision_is_executed_once_and_its_end_is_told() -> str:
    with Simulator("--cash", "90000000000") as simulator, State() as state:
        faults = {"seed": SEED, "per_mille": PER_MILLE, "milliseconds": 2}
        simulator.request("POST", "/_simulator/faults/random", faults)
        # Stale decisions are another test's matter.
        flags = ["--settle-time-s", "2", "--broker-timeout-ms", "5000", "--max-age-s", "3600"]
        with Worker(simulator, *flags, state=state) as worker:
            with Follower(PYTHON, STRATEGIES[0], worker.outcomes, worker.intake) as follower:
                return load(simulator, worker, follower)


def load(simulator: Simulator, worker: Worker, follower: Follower) -> str:
    began = time.monotonic()
    memory_before = worker.memory_kib()
    each = DECISIONS // PUBLISHERS
    loads = [Load(worker, strategy, each) for strategy in STRATEGIES]
    for one in loads:
        one.start()
    for one in loads:
        one.join()
        if one.error:
            raise one.error
    accepted = time.monotonic() - began
    milliseconds = sorted(m for one in loads for m in one.milliseconds)

    def is_over() -> bool:
        status = worker.status()
        busy = [status["pending"], status["open_orders"], status["unknown"], status["sending"]]
        return not any(busy)

    eventually("the end of all", is_over, patience=60 + DECISIONS * 0.05)
    executed = time.monotonic() - began
    count = each * PUBLISHERS

    # One row for each decision, one execution, at most one POST.
    state = worker.state
    assert state.rows("SELECT count(*) FROM trade_decisions") == [(count,)]
    assert state.rows("SELECT count(*) FROM trade_executions") == [(count,)]
    summary = simulator.request("GET", "/_simulator/orders?summary=true")
    assert summary["posts"] <= count and summary["duplicates"] == 0, summary
    assert summary["distinct_client_order_ids"] == summary["posts"], summary
    # In the order of acceptance, and with it in the order of each strategy.
    posts = [post["client_order_id"] for post in simulator.posts()]
    order = state.rows(
        "SELECT strategy_name || ':' || decision_id FROM trade_decisions ORDER BY id"
    )
    sent = set(posts)
    assert posts == [name for (name,) in order if name in sent]

    # Every decision's end is told, without gaps.
    outcomes: list[Json] = [strict_json(body) for body in state.stored_outcomes()]
    assert [o["seq"] for o in outcomes] == list(range(1, len(outcomes) + 1))
    for strategy in STRATEGIES:
        own = [o["strategy_seq"] for o in outcomes if o["strategy_name"] == strategy]
        assert own == list(range(1, len(own) + 1))
    finals = Counter((o["strategy_name"], o["decision_id"]) for o in outcomes if o["final"])
    assert len(finals) == count and set(finals.values()) == {1}
    results = Counter(o["result"] for o in outcomes if o["final"])
    lost = sum(o["result"] == "unknown" for o in outcomes)
    # What the broker recorded was filled, and nothing else was.
    assert results["success"] == summary["recorded"], (results, summary)
    follower.gets_all(worker)
    assert state.rows("PRAGMA integrity_check") == [("ok",)]
    assert state.rows("PRAGMA foreign_key_check") == []

    memory = worker.memory_kib()
    assert memory < 200 * 1024, memory
    median = statistics.median(milliseconds)
    nearly_all = milliseconds[count * 99 // 100]
    return (
        f"{count} decisions from {PUBLISHERS} publishers, accepted in {accepted:.1f} s"
        f" ({count / accepted:.0f}/s; ack median {median:.2f} ms, 99 % {nearly_all:.1f} ms,"
        f" worst {milliseconds[-1]:.0f} ms), all over after {executed:.1f} s;"
        f" {summary['posts']} POSTs, {dict(results)}, {lost} were unknown for a time; {len(outcomes)} outcomes;"
        f" memory {memory_before / 1024:.0f} MiB before, {memory / 1024:.0f} MiB after,"
        f" {worker.memory_kib('VmHWM') / 1024:.0f} MiB at most;"
        f" ready after {worker.program.seconds_to_ready * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main({"test_load": test_every_decision_is_executed_once_and_its_end_is_told})
