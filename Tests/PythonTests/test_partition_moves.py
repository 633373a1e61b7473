"""Strategies that move between partitions while they trade, and workers and the command that die meanwhile.

`--moves=20 --strategies=10` is the long run; `--seed=N` draws the same deaths again.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from harness import (
    COIN,
    PATIENCE,
    REPOSITORY,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    die_with_parent,
    eventually,
    main,
)
from partitioned import Partitions, run

sys.path.insert(0, str(REPOSITORY / "deploy/clients/python/src"))

import trade_executor_client as client  # noqa: E402

RESTING: Json = {"symbol": "MSFT", "order_type": "limit", "limit_price": "1", "quantity": "1"}


def option(name: str, default: int) -> int:
    values = [one.split("=")[1] for one in sys.argv if one.startswith(f"--{name}=")]
    return int(values[0]) if values else default


def directories(partitions: Partitions, source: str, target: str) -> list[str]:
    return [
        *("--from-state-dir", str(partitions.states[source].path)),
        *("--to-state-dir", str(partitions.states[target].path)),
        *("--partition-map", str(partitions.path)),
    ]


def move(partitions: Partitions, strategy: str, source: str, target: str) -> None:
    done = run(
        "partitions", "move", strategy, "--to", target, *directories(partitions, source, target)
    )
    assert done.returncode == 0, (done, partitions.states[target].log.read_text()[-2000:])


def move_steps(partitions: Partitions, name: str) -> list[str]:
    rows = partitions.states[name].rows("SELECT step FROM strategy_moves ORDER BY id")
    return [step for (step,) in rows]


# --- One move, looked at closely


def test_all_that_is_known_of_a_strategy_goes_with_it_and_comes_back() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        limits = partitions.path.with_name("limits.json")
        limits.write_text(json.dumps({"v": 1, "each": {"orders_per_day": 4}}))
        partitions.flags = ("--limits", str(limits))
        partitions.write(1, {"s": "p0", "other": "p1"})
        p0, p1 = partitions.start_all()
        with Publisher(p0) as at_p0, Publisher(p1) as at_p1:
            at_p1.accepted("o-1", "other", **COIN)
            first = at_p0.accepted("d-1", sequence=1, **COIN)
            at_p0.accepted("d-2", sequence=2, **RESTING)
            p0.final_outcome("s", "d-1")
            simulator.wait_for_post("s:d-2")
            eventually("d-2 to rest", lambda: p0.outcomes_of("s", "d-2"))
            before = p0.outcomes_of("s")

            move(partitions, "s", "p0", "p1")
            assert json.loads(partitions.path.read_text())["strategies"] == {
                "s": "p1",
                "other": "p1",
            }
            assert move_steps(partitions, "p0") == ["draining", "released", "gone"]
            assert move_steps(partitions, "p1") == ["imported", "opened"]
            # What was told is told again, as it was.
            assert p1.outcomes_of("s")[: len(before)] == before
            for publisher in (at_p0, at_p1):
                again = publisher.decide("d-1", sequence=1, **COIN)
                ended = [one for one in before if one["decision_id"] == "d-1"][-1]
                assert again["duplicate"] and again["outcome"] == ended, again
                assert (again["decision_seq"], again["stream"]) == (
                    first["decision_seq"],
                    first["stream"],
                ), again
            assert at_p1.decide("d-1", symbol="KO")["code"] == "id_conflict"
            # The counters go on.
            refused = at_p1.decide("d-9", sequence=9, **COIN)
            assert (refused["code"], refused["expected"]) == ("out_of_order", 3), refused
            refused = at_p0.decide("d-3", sequence=3, **COIN)
            assert (refused["code"], refused["endpoint"]) == ("wrong_partition", p1.intake), refused
            at_p1.accepted("d-3", sequence=3, **COIN)
            p1.final_outcome("s", "d-3")
            # The order that rested is the new worker's to follow, and not the old one's.
            told_by_p0 = len(p0.outcomes_of("s"))
            order = next(one for one in simulator.request("GET", "/v2/orders?status=open"))
            simulator.request("DELETE", f"/v2/orders/{order['id']}")
            ended = p1.final_outcome("s", "d-2")
            assert ended["result"] == "failed" and ended["partition"] == "p1", ended
            assert len(p0.outcomes_of("s")) == told_by_p0
            assert p0.status()["open_orders"] == 0

            # And back, with what has happened meanwhile.
            move(partitions, "s", "p1", "p0")
            outcomes = p0.outcomes_of("s")
            assert [one["strategy_seq"] for one in outcomes] == list(range(1, len(outcomes) + 1))
            assert outcomes == p1.outcomes_of("s")
            again = at_p0.decide("d-2", sequence=2, **RESTING)
            assert again["outcome"] == ended, again
            # Two coins and a resting order count towards the day; one more is allowed.
            at_p0.accepted("d-4", sequence=4, **COIN)
            assert p0.final_outcome("s", "d-4")["result"] == "success"
            at_p0.accepted("d-5", sequence=5, **COIN)
            assert p0.final_outcome("s", "d-5")["reason"] == "orders_per_day_limit"
        for name in partitions.names:
            state = partitions.states[name]
            assert state.rows("PRAGMA foreign_key_check") == []
            assert state.rows("PRAGMA integrity_check") == [("ok",)]
            own = [
                seq for (seq,) in state.rows("SELECT seq FROM outcomes WHERE seq > 0 ORDER BY seq")
            ]
            assert own == list(range(1, len(own) + 1)), own
        rows = [
            state.rows(
                "SELECT decision_id, p.type, p.method, p.body FROM api_payloads p"
                " JOIN trade_decisions d ON d.id = trade_decision_id WHERE strategy_name = 's'"
                " AND decision_id IN ('d-1', 'd-2', 'd-3') ORDER BY decision_id, p.id"
            )
            for state in partitions.states.values()
        ]
        assert rows[0] == rows[1] and len(rows[0]) >= 6, rows
        shown = run("show", "s:d-2", "--json", "--state-dir", str(partitions.states["p0"].path))
        assert shown.returncode == 0 and "canceled" in shown.stdout, shown
        assert len(simulator.posts()) == 5


def test_a_move_waits_for_what_is_under_way_and_can_be_abandoned() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        p0, p1 = partitions.start_all()
        with Publisher(p0) as publisher:
            publisher.accepted("rests", **RESTING)
            eventually("an order to rest", lambda: p0.outcomes_of("s", "rests"))
            simulator.fault("delay_after_recording", milliseconds=4000, times=1)
            publisher.accepted("slow", **COIN)
            simulator.wait_for_post("s:slow")
            done = run(
                *("partitions", "move", "s", "--to", "p1", "--timeout", "1"),
                *directories(partitions, "p0", "p1"),
            )
            assert done.returncode == 1 and "--abandon undoes it" in done.stderr, done
            refused = publisher.decide("d-1", **COIN)
            assert (refused["code"], refused["retry"]) == ("draining", True), refused
            assert publisher.decide("slow", **COIN)["duplicate"]
            eventually("p0 to release it", lambda: "released" in move_steps(partitions, "p0"))
            assert p0.status()["open_orders"] == 0
            abandon = ["partitions", "move", "s", "--abandon", *directories(partitions, "p0", "p1")]
            done = run(*abandon)
            assert done.returncode == 0, done
            assert move_steps(partitions, "p0") == ["draining", "released", "kept"]
            assert run(*abandon).returncode == 1
            publisher.accepted("d-1", **COIN)
            assert p0.final_outcome("s", "d-1")["result"] == "success"
            assert p0.status()["open_orders"] == 1
            # A new move is another one.
            move(partitions, "s", "p0", "p1")
            assert p1.status()["open_orders"] == 1 and p0.status()["open_orders"] == 0
            # After the switch there is nothing to abandon; asked again, there is nothing to do.
            assert run(*abandon).returncode == 1
            move(partitions, "s", "p0", "p1")
        assert len(simulator.posts()) == 3


def test_what_would_trade_where_it_should_not_is_refused() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0", ".hidden": "p0"})
        partitions.start_all()
        move(partitions, ".hidden", "p0", "p1")
        where = ["--state-dir", str(partitions.states["p0"].path), "--strategy", "s"]
        assert run("halt", *where).returncode == 0
        arguments = ["partitions", "move", "s", "--to", "p1"]
        done = run(*arguments, *directories(partitions, "p0", "p1"))
        assert done.returncode == 1 and "halted at p0 and not at p1" in done.stderr, done
        # A halt of all at the other worker may end before the strategy's own.
        there = ["--state-dir", str(partitions.states["p1"].path)]
        assert run("halt", *there).returncode == 0
        done = run(*arguments, *directories(partitions, "p0", "p1"))
        assert done.returncode == 1 and "halted at p0 and not at p1" in done.stderr, done
        assert run("resume", *there).returncode == 0
        assert run("resume", *where).returncode == 0
        move(partitions, "s", "p0", "p1")
        # A map that is edited back by hand does not bring back what was moved.
        partitions.write(4, {"s": "p0"})
        partitions.wait_for_map("p0", 4, "was not moved back")
        with Publisher(partitions.workers["p0"]) as publisher:
            assert publisher.decide("d-1", **COIN)["code"] == "draining"
        partitions.write(5, {"s": "p1"})
        partitions.wait_for_map("p1", 5)
        with Publisher(partitions.workers["p1"]) as publisher:
            publisher.accepted("d-1", **COIN)
        partitions.stop("p0")
        partitions.path.unlink()
        state = partitions.states["p0"]
        try:
            Worker(simulator, "--partition", "p0", state=state).kill()
            raise AssertionError("a worker without a map takes what has moved away")
        except AssertionError as error:
            assert "say --partition-map" in str(error), error


# --- With an archive


def age(partitions: Partitions, name: str, *decision_ids: str) -> None:
    """Has decisions look as if they had ended long ago."""
    connection = sqlite3.connect(partitions.states[name].database, timeout=PATIENCE)
    for one in decision_ids:
        for statement in [
            "UPDATE trade_decisions SET updated_at = ? WHERE decision_id = ?",
            "UPDATE trade_executions SET updated_at = ? WHERE client_order_id = 's:' || ?",
        ]:
            connection.execute(statement, ["2021-03-04T05:06:07.000000Z", one])
    connection.commit()
    connection.close()


def archive(partitions: Partitions, name: str, *decision_ids: str) -> str:
    partitions.stop(name)
    age(partitions, name, *decision_ids)
    where = ["--state-dir", str(partitions.states[name].path)]
    done = run("archive", "--before", "2026-01-01", *where, "--json")
    assert done.returncode == 0, done
    answer = json.loads(done.stdout)
    assert answer["executions"] == len(decision_ids), answer
    partitions.start(name)
    return str(answer["file"])


def must_be_archived(partitions: Partitions, name: str, decision_id: str, file: str) -> None:
    where = [f"s:{decision_id}", "--state-dir", str(partitions.states[name].path), "--json"]
    here = json.loads(run("show", *where).stdout)
    assert here["archive"]["file"] == file and not here["execution"], here
    there = json.loads(run("show", *where, "--archive", file).stdout)
    assert there["execution"]["status"] == "filled", there


def test_what_is_archived_stays_in_its_file_and_is_found_there_after_a_move() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        p0, _ = partitions.start_all()
        with Publisher(p0) as publisher:
            for one in ["old-1", "old-2", "new"]:
                publisher.accepted(one, **COIN)
                p0.final_outcome("s", one)
        first = archive(partitions, "p0", "old-1", "old-2")
        told = partitions.workers["p0"].outcomes_of("s")
        move(partitions, "s", "p0", "p1")
        p1 = partitions.workers["p1"]
        assert p1.outcomes_of("s") == told
        must_be_archived(partitions, "p1", "old-1", first)
        with Publisher(p1) as publisher:
            assert publisher.decide("old-1", **COIN)["duplicate"]
            for one in ["at-p1", "last"]:
                publisher.accepted(one, **COIN)
                p1.final_outcome("s", one)
        # Archived at the destination: of what came, and of what was traded there.
        second = archive(partitions, "p1", "new", "at-p1")
        age(partitions, "p0", "new")
        move(partitions, "s", "p1", "p0")
        move(partitions, "s", "p0", "p1")
        for name in partitions.names:
            must_be_archived(partitions, name, "old-1", first)
            must_be_archived(partitions, name, "at-p1", second)
            state = partitions.states[name]
            assert len(state.rows("SELECT 1 FROM archives")) == 2
            assert state.rows("PRAGMA foreign_key_check") == []
            # What is archived is not taken in again.
            assert not state.rows(
                "SELECT decision_id FROM trade_decisions d JOIN trade_executions e"
                " ON e.trade_decision_id = d.id WHERE archive_id IS NOT NULL"
            )
        must_be_archived(partitions, "p1", "new", second)
        ends = [one for one in partitions.workers["p1"].outcomes_of("s") if one["final"]]
        assert len(ends) == 5, ends


# --- Restored from a copy of before a move


def restore(partitions: Partitions, name: str, copy: pathlib.Path) -> None:
    """Has a worker lose its database, and begin anew on a copy."""
    state = partitions.states[name]
    partitions.stop(name)
    for path in state.path.glob("trades.db*"):
        path.unlink()
    for command in ["restore", str(copy)], ["resume"]:
        done = run(*command, "--state-dir", str(state.path))
        assert done.returncode == 0, done
    partitions.start(name)


def back_up(partitions: Partitions, name: str) -> pathlib.Path:
    copy = partitions.path.with_name(f"{name}-{time.monotonic_ns()}.db")
    done = run("backup", "--to", str(copy), "--state-dir", str(partitions.states[name].path))
    assert done.returncode == 0, done
    return copy


def must_hold(partitions: Partitions, name: str, problem: str) -> None:
    """It neither takes the strategy, nor follows its orders."""
    status = partitions.workers[name].status()
    assert problem in status["partition_map"]["problem"] and status["open_orders"] == 0, status
    with Publisher(partitions.workers[name]) as publisher:
        refused = publisher.decide("held", **COIN)
        assert (refused["code"], refused["retry"]) == ("draining", True), refused


def test_a_worker_restored_from_before_a_strategy_came_does_not_take_it_as_new() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        p0, p1 = partitions.start_all()
        with Publisher(p0) as publisher:
            publisher.accepted("d-1", sequence=1, **COIN)
            p0.final_outcome("s", "d-1")
            publisher.accepted("d-2", sequence=2, **RESTING)
            eventually("d-2 to rest", lambda: p0.outcomes_of("s", "d-2"))
        copy = back_up(partitions, "p1")
        move(partitions, "s", "p0", "p1")
        with Publisher(p1) as publisher:
            publisher.accepted("d-3", sequence=3, **COIN)
            p1.final_outcome("s", "d-3")
        restore(partitions, "p1", copy)
        must_hold(partitions, "p1", "before the strategy s came here")
        where = directories(partitions, "p0", "p1")
        done = run("partitions", "move", "s", "--to", "p1", *where)
        assert done.returncode == 1 and "--take p1" in done.stderr, done
        assert run("partitions", "move", "s", "--abandon", *where).returncode == 1
        # It stays so, until the record that there is has been moved again.
        partitions.stop("p1")
        partitions.start("p1")
        must_hold(partitions, "p1", "before the strategy s came here")
        partitions.write(3, {"s": "p0"})
        partitions.wait_for_map("p0", 3, "was not moved back")
        partitions.wait_for_map("p1", 3)
        move(partitions, "s", "p0", "p1")
        p1 = partitions.workers["p1"]
        assert p1.status()["open_orders"] == 1 and p0.status()["open_orders"] == 0
        with Publisher(p1) as publisher:
            assert publisher.decide("d-1", sequence=1, **COIN)["duplicate"]
            # What is in no record comes again, and is found at the broker.
            posts = len(simulator.posts())
            publisher.accepted("d-3", sequence=3, **COIN)
            assert p1.final_outcome("s", "d-3")["result"] == "success"
            assert len(simulator.posts()) == posts
        numbers = [one["strategy_seq"] for one in p1.outcomes_of("s")]
        assert numbers == list(range(1, len(numbers) + 1)), numbers


def test_a_worker_restored_from_before_a_strategy_left_neither_follows_nor_sends_it() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0", "other": "p0"})
        p0, p1 = partitions.start_all()
        with Publisher(p0) as publisher:
            publisher.accepted("d-1", **RESTING)
            eventually("d-1 to rest", lambda: p0.outcomes_of("s", "d-1"))
            # Held once it is accepted, so that the copy has one that waits.
            simulator.fault("delay_after_recording", milliseconds=1500, client_order_id="other:x")
            publisher.accepted("x", strategy="other", **COIN)
            publisher.accepted("waits", **COIN)
            copy = back_up(partitions, "p0")
            p0.final_outcome("s", "waits")
        move(partitions, "s", "p0", "p1")
        posts, told = len(simulator.posts()), p1.outcomes_of("s")
        restore(partitions, "p0", copy)
        p0 = partitions.workers["p0"]
        p0.final_outcome("other", "x")
        with Publisher(p0) as publisher:
            assert publisher.decide("d-2", **COIN)["code"] == "wrong_partition"
            publisher.accepted("y", strategy="other", **COIN)
            p0.final_outcome("other", "y")
        status = p0.status()
        assert (status["open_orders"], status["pending"]) == (0, 1), status
        assert [post["client_order_id"] for post in simulator.posts()[posts:]] == ["other:y"]
        assert len(p0.outcomes_of("s")) == 1 and p1.outcomes_of("s")[: len(told)] == told
        assert "restored from a copy of before" in partitions.states["p0"].log.read_text()
        # Where the rows of the copy wait, nothing is taken in over them.
        done = run(
            *("partitions", "move", "s", "--to", "p0", "--timeout", "1"),
            *directories(partitions, "p1", "p0"),
        )
        assert done.returncode == 1, done
        eventually(
            "p0 to say why", lambda: "is not taken in" in p0.status()["partition_map"]["problem"]
        )
        done = run("partitions", "move", "s", "--abandon", *directories(partitions, "p1", "p0"))
        assert done.returncode == 0, done
        with Publisher(p1) as publisher:
            publisher.accepted("d-2", **COIN)
            assert p1.final_outcome("s", "d-2")["result"] == "success"


def test_a_worker_restored_from_while_a_strategy_was_away_takes_it_on_the_operators_word() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        p0, p1 = partitions.start_all()
        with Publisher(p0) as publisher:
            publisher.accepted("d-1", **RESTING)
            eventually("d-1 to rest", lambda: p0.outcomes_of("s", "d-1"))
        move(partitions, "s", "p0", "p1")
        copy = back_up(partitions, "p0")
        with Publisher(p1) as publisher:
            publisher.accepted("d-2", **COIN)
            p1.final_outcome("s", "d-2")
        move(partitions, "s", "p1", "p0")
        restore(partitions, "p0", copy)
        must_hold(partitions, "p0", "which is at p1 and was not moved back")
        take = ["partitions", "move", "s", "--take", "p0", *directories(partitions, "p1", "p0")]
        done = run(*take)
        assert done.returncode == 0, done
        p0 = partitions.workers["p0"]
        assert p0.status()["open_orders"] == 1
        posts = len(simulator.posts())
        with Publisher(p0) as publisher:
            publisher.accepted("d-2", **COIN)
            assert p0.final_outcome("s", "d-2")["result"] == "success"
        assert len(simulator.posts()) == posts
        assert run(*take).returncode == 1
        # Without a map nobody says what else has moved since.
        partitions.stop("p0")
        try:
            Worker(simulator, "--partition", "p0", state=partitions.states["p0"]).kill()
            raise AssertionError("a restored worker without a map takes what has moved away")
        except AssertionError as error:
            assert "say --partition-map" in str(error), error


# --- Between machines


class Machines:
    """p0 on one machine and p1 on another, each with a map of its own. Only files are carried between them."""

    def __init__(self, simulator: Simulator, *flags: str) -> None:
        self.of = {name: Partitions(simulator, 2, *flags) for name in ["p0", "p1"]}
        self.of["p1"].places = self.of["p0"].places
        self.carried = 0

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.of.values():
            machine.__exit__()

    def begin(self, strategies: Json) -> list[Worker]:
        for machine in self.of.values():
            machine.write(1, strategies)
        return [machine.start(name) for name, machine in self.of.items()]

    @property
    def workers(self) -> dict[str, Worker]:
        return {name: machine.workers[name] for name, machine in self.of.items()}

    @property
    def states(self) -> dict[str, State]:
        return {name: machine.states[name] for name, machine in self.of.items()}

    def place(self, name: str) -> list[str]:
        path = str(self.of[name].states[name].path)
        return [
            *("--partition-map", str(self.of[name].path)),
            *("--from-state-dir", path, "--to-state-dir", path),
        ]

    def new_file(self, name: str) -> pathlib.Path:
        """The name of a file on a partition's machine."""
        self.carried += 1
        return self.of[name].path.with_name(f"carried-{self.carried}")

    def at(self, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Says `partitions move` on a partition's machine."""
        return run("partitions", "move", *map(str, arguments), *self.place(name))

    def give(self, strategy: str, source: str, target: str) -> pathlib.Path:
        file = self.new_file(source)
        must_work(self.at(source, strategy, "--to", target, "--give", file))
        assert file.stat().st_mode & 0o777 == 0o600
        return self.carry(file, target)

    def carry(self, file: pathlib.Path, target: str) -> pathlib.Path:
        return pathlib.Path(shutil.copy(file, self.new_file(target)))

    def carry_map(self, source: str, target: str, problem: str | None = None) -> None:
        self.of[target].write_text(self.of[source].path.read_text())
        epoch = json.loads(self.of[source].path.read_text())["epoch"]
        self.of[target].wait_for_map(target, epoch, problem)

    def no_rows_are_left(self) -> None:
        for name, state in self.states.items():
            left = [path.name for path in (state.path / "moves").iterdir()]
            assert not left, (name, left)


def must_work(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done


def must_fail(done: subprocess.CompletedProcess[str], why: str) -> None:
    assert done.returncode == 1 and why in done.stderr, done


def test_a_strategy_moves_to_another_machine_in_a_file_and_back() -> None:
    with Simulator() as simulator, Machines(simulator) as machines:
        p0, p1 = machines.begin({"s": "p0", "other": "p1"})
        with Publisher(p0) as at_p0, Publisher(p1) as at_p1:
            first = at_p0.accepted("d-1", sequence=1, **COIN)
            p0.final_outcome("s", "d-1")
            at_p0.accepted("d-2", sequence=2, **RESTING)
            eventually("d-2 to rest", lambda: p0.outcomes_of("s", "d-2"))
            before = p0.outcomes_of("s")
            file = machines.give("s", "p0", "p1")
            # It is nobody's now, and known ids are answered as ever.
            assert at_p0.decide("d-3", sequence=3, **COIN)["code"] == "draining"
            assert at_p1.decide("d-3", sequence=3, **COIN)["code"] == "wrong_partition"
            assert at_p0.decide("d-1", sequence=1, **COIN)["duplicate"]
            assert p0.status()["open_orders"] == 0
            assert "was handed over to p1" in p0.status()["partition_map"]["problem"]
            for away in [["--abandon"], ["--take", "p0"]]:
                must_fail(machines.at("p0", "s", *away), "may be served there")
            must_fail(machines.at("p0", "s", "--to", "p1"), "(handed_over)")

            must_work(machines.at("p1", "s", "--to", "p1", "--receive", file))
            assert p1.outcomes_of("s")[: len(before)] == before
            again = at_p1.decide("d-1", sequence=1, **COIN)
            assert again["duplicate"] and again["stream"] == first["stream"], again
            at_p1.accepted("d-3", sequence=3, **COIN)
            assert p1.final_outcome("s", "d-3")["result"] == "success"
            assert p1.status()["open_orders"] == 1
            # The old one hears of it with the map only, and is no danger until then.
            assert at_p0.decide("d-4", sequence=4, **COIN)["code"] == "draining"
            must_work(machines.at("p1", "s", "--to", "p1", "--receive", file))
            machines.carry_map("p1", "p0")
            refused = at_p0.decide("d-4", sequence=4, **COIN)
            assert (refused["code"], refused["endpoint"]) == ("wrong_partition", p1.intake), refused
            eventually("p0 to let go", lambda: move_steps(machines.of["p0"], "p0")[-1] == "gone")

            # And back, halted. The halt goes along.
            where = ["--state-dir", str(machines.states["p1"].path), "--strategy", "s"]
            must_work(run("halt", *where, "--reason", "the machine goes"))
            must_work(
                machines.at("p0", "s", "--to", "p0", "--receive", machines.give("s", "p1", "p0"))
            )
            assert at_p0.decide("d-4", sequence=4, **COIN)["code"] == "halted"
            where = ["--state-dir", str(machines.states["p0"].path), "--strategy", "s"]
            must_work(run("resume", *where))
            at_p0.accepted("d-4", sequence=4, **COIN)
            assert p0.final_outcome("s", "d-4")["result"] == "success"
            machines.carry_map("p0", "p1")
        steps = ["draining", "released", "handed_over", "gone"]
        assert move_steps(machines.of["p0"], "p0") == [*steps, "imported", "opened"]
        eventually("p1 to let go", lambda: move_steps(machines.of["p1"], "p1")[-1] == "gone")
        assert move_steps(machines.of["p1"], "p1") == ["imported", "opened", *steps]
        outcomes = p0.outcomes_of("s")
        assert [one["strategy_seq"] for one in outcomes] == list(range(1, len(outcomes) + 1))
        machines.no_rows_are_left()
        assert len(simulator.posts()) == 4


def test_a_file_that_is_damaged_foreign_stale_or_repeated_is_not_taken_in() -> None:
    with Simulator() as simulator, Machines(simulator) as machines:
        p0, p1 = machines.begin({"s": "p0", "t": "p0"})
        with Publisher(p0) as publisher:
            for strategy in ["s", "t"]:
                publisher.accepted("d-1", strategy=strategy, **COIN)
                p0.final_outcome(strategy, "d-1")
        file = machines.give("s", "p0", "p1")
        receive = ["s", "--to", "p1", "--receive"]
        whole, damaged = file.read_bytes(), machines.new_file("p1")
        for content in [
            b"",
            whole[:-1],
            whole[: len(whole) // 2],
            whole[: len(whole) // 2]
            + bytes([whole[len(whole) // 2] ^ 1])
            + whole[len(whole) // 2 + 1 :],
            whole + b"more",
            machines.states["p1"].database.read_bytes(),
        ]:
            damaged.write_bytes(content)
            must_fail(machines.at("p1", *receive, damaged), str(damaged))
        damaged.write_bytes(gzip.compress(machines.states["p1"].database.read_bytes()))
        must_fail(machines.at("p1", *receive, damaged), "no file that --give has written")
        must_fail(machines.at("p1", *receive, file.with_name("absent")), "absent")
        file.chmod(0o622)
        must_fail(machines.at("p1", *receive, file), "can be written by others")
        file.chmod(0o600)
        # Of another strategy, for another partition, at the one that gave it.
        foreign = machines.give("t", "p0", "p1")
        must_fail(machines.at("p1", *receive, foreign), "has t")
        must_fail(machines.at("p0", "s", "--to", "p0", "--receive", file), "goes to p1")
        must_fail(machines.at("p0", *receive, file), "gave s away")
        # Given before the map was edited: it may be of any age.
        machines.of["p1"].write(2, {"s": "p0", "t": "p0", "u": "p1"})
        machines.of["p1"].wait_for_map("p1", 2)
        must_fail(machines.at("p1", *receive, file), "the maps differ")
        assert move_steps(machines.of["p1"], "p1") == []
        machines.carry_map("p1", "p0", "was handed over to p1 in a file")
        must_work(machines.at("p1", *receive, machines.give("s", "p0", "p1")))
        assert move_steps(machines.of["p1"], "p1") == ["imported", "opened"]
        must_fail(machines.at("p1", "s", "--to", "p1", "--refuse", file), "by a move only")
        # It goes on, and back; what is left of the first move brings back neither.
        machines.carry_map("p1", "p0", "the strategy t was handed over")
        with Publisher(p1) as publisher:
            publisher.accepted("d-2", **COIN)
            p1.final_outcome("s", "d-2")
        second = machines.give("s", "p1", "p0")
        must_work(machines.at("p0", "s", "--to", "p0", "--receive", second))
        machines.carry_map("p0", "p1")
        must_fail(machines.at("p1", *receive, file), "not taken in again")
        must_fail(machines.at("p1", "s", "--to", "p1", "--refuse", file), "too late")
        existing = machines.new_file("p0")
        existing.write_text("of somebody")
        must_fail(machines.at("p0", "s", "--to", "p1", "--give", existing), "is there already")
        assert existing.read_text() == "of somebody"
        with Publisher(p0) as publisher:
            publisher.accepted("d-3", **COIN)
            p0.final_outcome("s", "d-3")
        assert len(simulator.posts()) == 4


def test_what_was_handed_over_comes_back_only_where_it_was_refused_for_good() -> None:
    with Simulator() as simulator, Machines(simulator) as machines:
        p0, p1 = machines.begin({"s": "p0"})
        with Publisher(p0) as publisher:
            # Before it is handed over, no word of the other machine is needed.
            simulator.fault("delay_after_recording", milliseconds=2500, times=1)
            publisher.accepted("slow", **COIN)
            simulator.wait_for_post("s:slow")
            file = machines.new_file("p0")
            give = ["s", "--to", "p1", "--give", file]
            must_fail(machines.at("p0", *give, "--timeout", "1"), "--abandon undoes it")
            assert not file.exists() and not list(file.parent.glob(".*.part"))
            must_work(machines.at("p0", "s", "--abandon"))
            publisher.accepted("d-1", **COIN)
            p0.final_outcome("s", "d-1")

            # It comes there while the command has given up, and the map is not edited yet.
            must_work(machines.at("p0", *give))
            there = machines.carry(file, "p1")
            os.kill(p1.pid, signal.SIGSTOP)
            receive = ["s", "--to", "p1", "--receive", there]
            must_fail(
                machines.at("p1", *receive, "--timeout", "1"), "has taken in what is in the file"
            )
            os.kill(p1.pid, signal.SIGCONT)
            eventually("p1 to have it", lambda: move_steps(machines.of["p1"], "p1") == ["imported"])
            back = ["s", "--abandon", "--refused", str(file) + ".refused"]
            must_fail(machines.at("p0", *back), ".refused")
            for _ in range(2):
                must_work(machines.at("p1", "s", "--to", "p1", "--refuse", there))
            answer = pathlib.Path(str(there) + ".refused")
            assert answer.stat().st_mode & 0o777 == 0o600
            must_fail(machines.at("p1", *receive), "not taken in again")
            # That of another move is none of this one.
            other = json.loads(answer.read_text()) | {"move_id": "0" * 16}
            pathlib.Path(back[-1]).write_text(json.dumps(other))
            must_fail(machines.at("p0", *back), "of another move")
            shutil.copy(answer, back[-1])
            for _ in range(2):
                must_work(machines.at("p0", *back))
            publisher.accepted("d-2", **COIN)
            assert p0.final_outcome("s", "d-2")["result"] == "success"
            assert move_steps(machines.of["p1"], "p1") == ["imported", "gone"]

            # Refused before it ever came there. And then it does move, and the old word takes nothing back.
            again = machines.give("s", "p0", "p1")
            must_work(machines.at("p1", "s", "--to", "p1", "--refuse", again))
            must_fail(machines.at("p0", *back), "of another move")
            shutil.copy(str(again) + ".refused", back[-1])
            must_work(machines.at("p0", *back))
            must_fail(
                machines.at("p1", "s", "--to", "p1", "--receive", again), "not taken in again"
            )
            last = machines.give("s", "p0", "p1")
            must_fail(machines.at("p0", *back), "of another move")
        must_work(machines.at("p1", "s", "--to", "p1", "--receive", last))
        with Publisher(p1) as publisher:
            publisher.accepted("d-3", **COIN)
            assert p1.final_outcome("s", "d-3")["result"] == "success"
        machines.no_rows_are_left()
        assert len(simulator.posts()) == 4


class Carrier:
    """Moves a strategy between machines, and has the command or the worker die at each machine."""

    def __init__(self, machines: Machines, seed: int) -> None:
        self.machines = machines
        self.random = random.Random(seed)
        self.deaths: Counter[str] = Counter()

    def move(self, source: str, target: str, giving: list[str], receiving: list[str]) -> None:
        file = self.machines.new_file(source)
        self.say(source, ["s", "--to", target, "--give", str(file)], *giving)
        there = self.machines.carry(file, target)
        self.say(target, ["s", "--to", target, "--receive", str(there)], *receiving)
        self.machines.carry_map(target, source)

    def return_to(self, source: str, target: str, refuser: str, keeper: str) -> None:
        """Has it refused, and taken back."""
        file = self.machines.give("s", source, target)
        self.say(target, ["s", "--to", target, "--refuse", str(file)], refuser, "begun")
        answer = self.machines.carry(pathlib.Path(f"{file}.refused"), source)
        self.say(source, ["s", "--abandon", "--refused", str(answer)], keeper, "begun")

    @staticmethod
    def wait_for_trading(strategy: Strategy) -> None:
        before = len(strategy.acks)
        eventually(
            "the strategy to trade on", lambda: len(strategy.acks) > before or strategy.error
        )

    def say(self, name: str, arguments: list[str], victim: str, step: str) -> None:
        arguments = [*arguments, *self.machines.place(name)]
        log = self.machines.new_file(name)
        delay = self.random.choice([0, self.random.random() * 0.3])
        code = run_told(
            arguments,
            log,
            lambda at, command: at == step and self.strike(name, victim, delay, command),
        )
        assert code == 0 or (victim, code) == ("command", -signal.SIGKILL), log.read_text()
        # What is there under its name is whole.
        if code == 0 or ("--give" in arguments and pathlib.Path(arguments[4]).exists()):
            return
        assert run_told(arguments, log, lambda at, command: None) == 0, log.read_text()

    def strike(self, name: str, victim: str, delay: float, command: subprocess.Popen[str]) -> None:
        time.sleep(delay)
        self.deaths[victim] += 1
        if victim == "command":
            return command.kill()
        machine = self.machines.of[name]
        os.kill(machine.workers[name].pid, signal.SIGKILL)
        machine.workers.pop(name).kill()
        machine.start(name)


def test_a_strategy_carried_between_machines_under_load_loses_doubles_and_swaps_nothing() -> str:
    seed = option("seed", random.SystemRandom().randrange(10**6))
    print(f"       seed {seed}", flush=True)
    with Simulator() as simulator, Machines(simulator, "--settle-time-s", "1") as machines:
        owners = {"s": "p0", "other": "p1"}
        machines.begin(owners)
        strategies = [
            Strategy(name, machines.of[owner], 0.06, seed) for name, owner in owners.items()
        ]
        for strategy in strategies:
            strategy.start()
        carrier = Carrier(machines, seed)
        # Every step on either side, for both of those who can die.
        deaths = [["command", "worker"], ["worker", "command"]]
        moves = 0
        for giving, receiving in zip(
            ["begun", "draining", "handed_over"], ["begun", "imported", "switched"]
        ):
            for giver, receiver in deaths:
                source, target = ("p0", "p1") if owners["s"] == "p0" else ("p1", "p0")
                carrier.move(source, target, [giver, giving], [receiver, receiving])
                owners["s"] = target
                moves += 1
                carrier.wait_for_trading(strategies[0])
        source, target = ("p0", "p1") if owners["s"] == "p0" else ("p1", "p0")
        for refuser, keeper in deaths:
            carrier.return_to(source, target, refuser, keeper)
            carrier.wait_for_trading(strategies[0])
        for strategy in strategies:
            strategy.stopping.set()
        for strategy in strategies:
            strategy.join(PATIENCE)
            assert not strategy.is_alive() and not strategy.error, strategy.error
        wait_for_rest(machines)
        check_all(simulator, machines, strategies, owners)
        expected = moves + len(deaths)
        assert carrier.deaths == {"command": expected, "worker": expected}, carrier.deaths
        return (
            f"{moves} moves and {len(deaths)} refusals, {expected} workers and {expected} commands killed,"
            f" {sum(len(one.acks) for one in strategies)} decisions"
        )


# --- Under load, with deaths


class Strategy(threading.Thread):
    """Publishes one decision after another, and now and then an old one again, wherever it is served."""

    def __init__(self, name: str, partitions: Partitions, pause: float, seed: int):
        super().__init__(daemon=True)
        self.pause = pause
        self.strategy = name
        self.partitions = partitions
        self.random = random.Random(seed)
        self.acks: list[client.Ack] = []
        self.repeated = 0
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with client.MappedPublisher(self.partitions.path) as publisher:
                while not self.stopping.is_set():
                    number = len(self.acks) + 1
                    ack = publisher.publish(self.decision(number))
                    self.acks.append(ack)
                    if self.random.random() < 0.2:
                        self.repeat(publisher, self.random.randrange(len(self.acks)))
                    # Slow enough for debug builds to keep up: a move waits for a backlog.
                    time.sleep(self.random.random() * self.pause)
        except BaseException as error:
            self.error = error

    def repeat(self, publisher: client.MappedPublisher, index: int) -> None:
        again, first = publisher.publish(self.decision(index + 1)), self.acks[index]
        assert again.duplicate, again
        assert (again.decision_seq, again.stream) == (first.decision_seq, first.stream), (
            again,
            first,
        )
        self.repeated += 1

    def decision(self, number: int) -> client.Decision:
        return client.Decision(
            *(f"{number:06}", self.strategy, "BTC/USD", "buy"),
            quantity=Decimal("0.01"),
            time_in_force="gtc",
        )


def run_told(
    arguments: list[str],
    log: pathlib.Path,
    told: Callable[[str, subprocess.Popen[str]], object],
) -> int:
    """Runs a move, and calls `told` with each of its steps."""
    with log.open("a") as errors, subprocess.Popen(
        [str(binaries() / "trade-executor"), "partitions", "move", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        preexec_fn=die_with_parent,
    ) as command:
        assert command.stdout
        told("begun", command)
        for line in command.stdout:
            told(json.loads(line)["step"], command)
    return command.returncode


class Mover:
    """One strategy, moved by a command that dies, between workers that die."""

    def __init__(self, partitions: Partitions, seed: int):
        self.partitions = partitions
        self.random = random.Random(seed)
        self.deaths: Counter[str] = Counter()
        self.log = partitions.path.with_name("moves.log")

    def move(self, strategy: str, source: str, target: str) -> None:
        """Moves it; soon after one of its steps, somebody is killed."""
        victim = self.random.choice(["command", source, target])
        step = self.random.choice(["begun", "draining", "imported", "switched"])
        delay = self.random.random() * 0.5
        if self.run(
            strategy,
            source,
            target,
            lambda at, command: at == step and self.strike(victim, delay, command),
        ):
            return
        assert self.run(strategy, source, target, lambda at, command: None), "killed twice"

    def run(
        self,
        strategy: str,
        source: str,
        target: str,
        told: Callable[[str, subprocess.Popen[str]], object],
    ) -> bool:
        """Whether the command lived to its end; `told` is called with each step."""
        arguments = [strategy, "--to", target, *directories(self.partitions, source, target)]
        code = run_told(arguments, self.log, told)
        assert code in [0, -signal.SIGKILL], self.condition()
        return code == 0

    def condition(self) -> str:
        """What there is to say about a move that fails."""
        told = [self.log.read_text()]
        for name, worker in self.partitions.workers.items():
            told.append(f"{name}: {worker.condition()}")
            if worker.program.process.poll() is None:
                told.append(json.dumps(worker.status()))
        return "\n".join(told)

    def strike(self, victim: str, delay: float, command: subprocess.Popen[str]) -> None:
        time.sleep(delay)
        self.deaths["commands" if victim == "command" else "workers"] += 1
        if victim == "command":
            return command.kill()
        os.kill(self.partitions.workers[victim].pid, signal.SIGKILL)
        self.partitions.workers.pop(victim).kill()
        self.partitions.start(victim)


def test_a_strategy_that_moves_under_load_loses_doubles_and_swaps_nothing() -> str:
    moves, count = option("moves", 3), option("strategies", 4)
    seed = option("seed", random.SystemRandom().randrange(10**6))
    print(f"       seed {seed}", flush=True)
    names = [f"s{number}" for number in range(count)]
    with Simulator() as simulator, Partitions(simulator, 3) as partitions:
        partitions.flags = ("--settle-time-s", "1")
        owners = {name: f"p{number % 3}" for number, name in enumerate(names)}
        partitions.write(1, owners)
        partitions.start_all()
        strategies = [
            Strategy(name, partitions, 0.03 * count, seed + n) for n, name in enumerate(names)
        ]
        for strategy in strategies:
            strategy.start()
        mover = Mover(partitions, seed)
        here = "p0"
        for number in range(moves):
            there = "p1" if here == "p0" else "p0"
            mover.move("s0", here, there)
            here = there
            owners["s0"] = here
            before = len(strategies[0].acks)
            eventually("the strategy to trade on", lambda: len(strategies[0].acks) > before)
        for strategy in strategies:
            strategy.stopping.set()
        for strategy in strategies:
            strategy.join(PATIENCE)
            assert not strategy.is_alive() and not strategy.error, (
                strategy.strategy,
                strategy.error,
            )
        decided = sum(len(one.acks) for one in strategies)
        wait_for_rest(partitions)
        check_all(simulator, partitions, strategies, owners)
        return (
            f"{moves} moves, {mover.deaths['workers']} workers and {mover.deaths['commands']} commands"
            f" killed, {decided} decisions, {sum(one.repeated for one in strategies)} resent"
        )


def wait_for_rest(partitions: Partitions | Machines) -> None:
    for worker in partitions.workers.values():

        def is_at_rest() -> bool:
            status = worker.status()
            return not (status["pending"] or status["open_orders"] or status["sending"])

        eventually(f"{worker.partition} to come to rest", is_at_rest)


def check_all(
    simulator: Simulator,
    partitions: Partitions | Machines,
    strategies: list[Strategy],
    owners: Json,
) -> None:
    posted: dict[str, list[str]] = defaultdict(list)
    for post in simulator.posts():
        strategy, decision_id = post["client_order_id"].split(":")
        posted[strategy].append(decision_id)
    for strategy in strategies:
        name = strategy.strategy
        ids = [ack.decision_id for ack in strategy.acks]
        sent = posted[name]
        assert sent == sorted(set(sent)), f"{name}: doubled or out of order"
        owner = partitions.workers[owners[name]]
        outcomes = owner.outcomes_of(name)
        numbers = [outcome["strategy_seq"] for outcome in outcomes]
        assert numbers == list(range(1, len(numbers) + 1)), f"{name}: gaps in strategy_seq"
        ends = [one for one in outcomes if one["final"]]
        assert sorted(one["decision_id"] for one in ends) == ids, f"{name}: ends of {len(ends)}"
        # What was not sent was lost on its way out when its worker died, and is told as failed.
        for one in ends:
            if one["decision_id"] not in sent:
                assert one["result"] == "failed" and one["reason"] == "absent", one
            else:
                assert one["result"] == "success", one
        with Publisher(owner) as publisher:
            for ack in (strategy.acks[0], strategy.acks[-1]):
                again: Any = publisher.ask_bytes(strategy.decision(int(ack.decision_id)).to_bytes())
                assert again["duplicate"] and again["decision_seq"] == ack.decision_seq, again
    for state in partitions.states.values():
        assert state.rows("PRAGMA foreign_key_check") == []
        assert state.rows("PRAGMA integrity_check") == [("ok",)]


if __name__ == "__main__":
    main(globals())
