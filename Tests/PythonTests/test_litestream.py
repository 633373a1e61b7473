"""Litestream beside a worker: what is restored from its copy trades on, and nothing is placed twice."""

from __future__ import annotations

import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness import (
    COIN,
    PATIENCE,
    REPOSITORY,
    NotPossible,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    die_with_parent,
    eventually,
    main,
)

# Beside this Python, where requirements.txt has brought it.
LITESTREAM = shutil.which("litestream", path=pathlib.Path(sys.executable).parent)
CONFIGURATION = REPOSITORY / "deploy/litestream/litestream.yml"


class Litestream:
    """A Litestream with our configuration, but for the places."""

    def __init__(self, state: State, replica: State):
        if not LITESTREAM:
            raise NotPossible("there is no litestream; Tests/PythonTests/requirements.txt names it")
        self.program: str = LITESTREAM
        self.state = state
        text = CONFIGURATION.read_text()
        for ours, here in [
            ("/var/lib/trade-executor/p0/trades.db", str(state.database)),
            ("/mnt/other-disk/trade-executor/p0", str(replica.path / "p0")),
        ]:
            assert ours in text
            text = text.replace(ours, here)
        self.configuration = replica.path / "litestream.yml"
        self.configuration.write_text(text)
        self.log = replica.path / "litestream.log"

    @contextmanager
    def replicating(self) -> Iterator[None]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [self.program, "replicate", "-config", str(self.configuration)],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        try:
            yield
        finally:
            assert process.poll() is None, self.log.read_text()
            process.kill()
            process.wait()

    def restore(self, database: pathlib.Path) -> str | None:
        """Returns why there is nothing to restore."""
        options = ["-config", str(self.configuration), "-o", str(database)]
        done = subprocess.run(
            [self.program, "restore", *options, str(self.state.database)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stderr + done.stdout if done.returncode else None

    def holds(self, decision_id: str) -> bool:
        """Whether what is restored now would have a decision in it."""
        with State() as elsewhere:
            if self.restore(elsewhere.database):
                return False
            with sqlite3.connect(elsewhere.database) as connection:
                query = "SELECT count(*) FROM trade_decisions WHERE decision_id = ?"
                [count] = connection.execute(query, (decision_id,)).fetchone()
            return bool(count)


def command(*words: str) -> str:
    done = subprocess.run(
        [str(binaries() / "trade-executor"), *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, (words, done)
    return done.stdout


def test_a_copy_that_lacks_the_last_orders_places_nothing_twice() -> str:
    with Simulator() as simulator, State() as state, State() as replica, State() as restored:
        litestream = Litestream(state, replica)
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            with litestream.replicating():
                for number in range(20):
                    publisher.accepted(f"d-{number}", **COIN)
                worker.final_outcome("s", "d-19")
                eventually("the copy of d-19", lambda: litestream.holds("d-19"))
            # From here on nothing is copied any more.
            for number in range(20, 25):
                publisher.accepted(f"d-{number}", **COIN)
            worker.final_outcome("s", "d-24")
            worker.kill()
        before = simulator.request("GET", "/_simulator/orders?summary=true")["recorded"]
        [(stream,)] = state.rows("SELECT stream FROM database_identity")
        # As README.md beside the configuration says.
        copy = replica.path / "p0-litestream.db"
        problem = litestream.restore(copy)
        assert problem is None, problem
        place = ["--state-dir", str(restored.path)]
        told = command("restore", str(copy), *place, "--move-aside", "--json")
        assert json.loads(told)["copied_at"] is None, told
        assert restored.rows("PRAGMA integrity_check") == [("ok",)]
        assert restored.rows("SELECT stream FROM database_identity") != [(stream,)]
        with Worker(simulator, state=restored) as worker, Publisher(worker) as publisher:
            assert publisher.decide("d-0", **COIN)["duplicate"]
            assert publisher.decide("d-20", **COIN)["code"] == "halted"
            command("resume", *place)
            # The publishers' rule, for all that they cannot be sure of.
            for number in range(25):
                ack = publisher.decide(f"d-{number}", **COIN)
                assert ack["status"] == "accepted" and ack["duplicate"] == (number < 20), ack
            ends = [worker.final_outcome("s", f"d-{number}") for number in range(25)]
        summary = simulator.request("GET", "/_simulator/orders?summary=true")
        assert summary["recorded"] == before == 25, summary
        assert [end["result"] for end in ends] == ["success"] * 25, ends
        resolutions = {end["execution"]["resolution"] for end in ends[20:]}
        assert resolutions == {"adopted"}, resolutions
    return "5 orders were not in the copy, and were adopted"


def test_it_does_not_stand_in_the_worker_s_way() -> str:
    with Simulator() as simulator, State() as state, State() as replica:
        litestream = Litestream(state, replica)
        taken = refused = 0
        longest = 0.0
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            with litestream.replicating():
                end = time.monotonic() + 10
                while time.monotonic() < end:
                    began = time.monotonic()
                    ack = publisher.decide(f"d-{taken}", **COIN)
                    longest = max(longest, time.monotonic() - began)
                    if ack["status"] == "accepted":
                        taken += 1
                    else:
                        # Once in a while it holds the database longer than the worker waits.
                        assert (ack["code"], ack["retry"]) == ("storage_failed", True), ack
                        refused += 1
                eventually("the last one", lambda: litestream.holds(f"d-{taken - 1}"))
        assert taken > 100 * max(1, refused), (taken, refused)
    return f"{taken} taken, {refused} to be sent again, {longest * 1000:.0f} ms for the slowest"


if __name__ == "__main__":
    main(globals())
