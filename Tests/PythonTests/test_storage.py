"""A disk that is full, read-only, locked or damaged; who owns a state directory; a calendar that jumps.

python test_storage.py [BINARIES] [--all-pages]

Some of it needs root and a kernel that mounts; where that is not to be had, a test says so and is passed. The worker
must fail closed each time: what it cannot store it does not take, and what it has not stored it does not send.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Protocol

from checks import Checks
from harness import (
    COIN,
    Json,
    NotPossible,
    NotReady,
    Publisher,
    Simulator,
    State,
    Subscriber,
    Worker,
    binaries,
    decision,
    eventually,
    free_endpoints,
    main,
    run_and_fail,
)
from load import Follower, Strategy, is_at_rest

# How a worker says that its database is broken, in its one line.
WHAT_TO_DO = "mend trades.db or restore it from a backup"


def system(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError as error:
        raise NotPossible(f"there is no {command[0]}") from error
    if done.returncode != 0:
        raise NotPossible(f"{' '.join(command)}: {done.stderr.strip()}")


# --- Disks


class Room(Protocol):
    """Something that can be used up and given back."""

    def use_up(self) -> None: ...
    def give_back(self) -> None: ...


class SmallDisk:
    """A file system of its own, in memory, that is filled with one big file."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.ballast = path / "ballast"

    def use_up(self) -> None:
        with self.ballast.open("wb", buffering=0) as file:
            for size in [1 << 20, 4096]:
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def give_back(self) -> None:
        self.ballast.unlink()


@contextmanager
def mounted(*arguments: str) -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        system("mount", *arguments, directory)
        try:
            yield pathlib.Path(directory)
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True)


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    with mounted("-t", "tmpfs", "-o", "size=48m", "trade-executor-test") as path:
        yield SmallDisk(path)


class LimitedFiles:
    """Lets no file of a worker be written any more: like a full disk, and to be had by every user."""

    def __init__(self, worker: Worker):
        self.pid = worker.pid

    def use_up(self) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def give_back(self) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, unlimited)


class Immutable:
    """The database's files, made so that not even root can write them, nor who has them open already."""

    def __init__(self, state: State):
        self.files = [str(state.database), f"{state.database}-wal"]

    def use_up(self) -> None:
        system("chattr", "+i", *self.files)

    def give_back(self) -> None:
        subprocess.run(["chattr", "-i", *self.files], check=True)


@contextmanager
def used_up(room: Room) -> Iterator[None]:
    room.use_up()
    try:
        yield
    finally:
        room.give_back()


def must_be_refused(publisher: Publisher, decision_id: str) -> Json:
    refused = publisher.decide(decision_id)
    assert (refused["code"], refused["retry"]) == ("storage_failed", True), refused
    return refused


# --- Without room


def nothing_is_taken_or_sent(simulator: Simulator, worker: Worker, room: Room) -> str:
    """Before, during and after: what a publisher, a monitor and the broker see of it."""
    with Publisher(worker) as publisher, Subscriber(worker, "outcome|s|") as topic:
        publisher.accepted("before")
        worker.final_outcome("s", "before")
        posts = len(simulator.posts())
        with used_up(room):
            refused = must_be_refused(publisher, "during")
            fault = worker.status()["storage_fault"]
            assert fault and fault in refused["message"], (fault, refused)
            # Over a second: so that the worker has tried again by itself.
            for _ in range(12):
                must_be_refused(publisher, "during")
                time.sleep(0.1)
            eventually("a heartbeat", lambda: topic.next("heartbeat")["storage_fault"])
            assert len(simulator.posts()) == posts
            # What needs no writing goes on.
            assert worker.outcomes_of("s", "before")
        eventually("the same again", lambda: publisher.decide("during")["status"] == "accepted")
        assert worker.final_outcome("s", "during")["result"] == "success"
        assert worker.status()["storage_fault"] is None
        assert topic.until_final("during")[-1]["result"] == "success"
        assert topic.next("heartbeat")["storage_fault"] is None
    assert len(simulator.posts()) == posts + 1
    return str(fault)


def an_answer_is_kept(simulator: Simulator, worker: Worker, room: Room) -> None:
    with Publisher(worker) as publisher:
        simulator.fault("delay_before_recording", milliseconds=700, client_order_id="s:flying")
        publisher.accepted("flying")
        publisher.accepted("next")
        simulator.wait_for_post("s:flying")
        with used_up(room):
            eventually("the answer", lambda: simulator.posts("s:flying")[0]["http_status"] == 200)
            eventually("the fault", lambda: worker.status()["storage_fault"])
            # Nothing follows before the answer is stored.
            time.sleep(1.2)
            assert not simulator.posts("s:next")
        for decision_id in ["flying", "next"]:
            assert worker.final_outcome("s", decision_id)["result"] == "success"
            assert len(simulator.posts(f"s:{decision_id}")) == 1
        assert worker.outcomes_of("s", "flying")[0]["execution"]["certainty"] == "answered"


def decisions_pour_in(
    simulator: Simulator, state: State, room_of: Callable[[Worker], Room], times: int = 3
) -> str:
    """Back and forth, under four strategies; then everything must agree as after any soak."""
    intake, outcomes = free_endpoints(2)
    strategies = [Strategy(f"strategy-{number}", intake, number, 50) for number in range(4)]
    follower = Follower(outcomes, intake)
    checks = Checks(state, simulator, strategies, follower, None)
    flags = ["--intake", intake, "--outcomes", outcomes, "--settle-time-s", "1"]
    with Worker(simulator, *flags, "--max-age-s", "86400", state=state) as worker:
        for thread in [*strategies, follower]:
            thread.start()
        try:
            for number in range(times):
                time.sleep(0.5)
                checks.look()
                with used_up(room_of(worker)):
                    eventually("the fault", lambda: worker.status()["storage_fault"])
                    time.sleep(0.7)
                    # What is written over needs no room, so that a decision may get through now and
                    # then; but none is sent that is not stored.
                    checks.look()
            for strategy in strategies:
                strategy.ends.set()
                strategy.join(timeout=30)
                assert not strategy.is_alive(), f"{strategy.name} waits for an answer in vain"

            def is_over() -> bool:
                simulator.request("DELETE", "/v2/orders")
                return is_at_rest(worker)

            eventually("the end of all orders", is_over)
            checks.look()
            eventually("the follower", lambda: follower.last >= checks.seq)
            checks.look()
            checks.at_rest(worker)
        finally:
            for strategy in strategies:
                strategy.ends.set()
            follower.ends.set()
        assert worker.terminate() == 0
    refused = sum(strategy.counts["storage_failed"] for strategy in strategies)
    assert refused > times, refused
    return f"{times} times, {len(checks.acknowledged)} decisions, {refused} refused for a time"


def test_a_full_disk() -> str:
    with small_disk() as disk, State(disk.path) as state, Simulator() as simulator:
        with Worker(simulator, state=state) as worker:
            fault = nothing_is_taken_or_sent(simulator, worker, disk)
            an_answer_is_kept(simulator, worker, disk)
            assert worker.terminate() == 0
    return fault


def test_a_full_disk_while_decisions_pour_in() -> str:
    with small_disk() as disk, State(disk.path) as state, Simulator() as simulator:
        return decisions_pour_in(simulator, state, lambda _: disk)


def test_a_crash_and_a_start_on_a_full_disk() -> str:
    with small_disk() as disk, State(disk.path) as state, Simulator() as simulator:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            simulator.fault("delay_after_recording", milliseconds=500, client_order_id="s:flying")
            publisher.accepted("flying")
            publisher.accepted("waiting")
            simulator.wait_for_post("s:flying")
            disk.use_up()
            eventually("the fault", lambda: worker.status()["storage_fault"])
            worker.kill()
        line = run_and_fail("--broker-url", simulator.url, "--state-dir", str(disk.path))
        assert "No space left" in line or "full" in line, line
        disk.give_back()
        with Worker(simulator, "--settle-time-s", "1", state=state) as worker:
            for decision_id in ["flying", "waiting"]:
                assert worker.final_outcome("s", decision_id)["result"] == "success"
            first = worker.outcomes_of("s", "flying")[0]
            assert first["result"] == "unknown", first
            assert worker.terminate() == 0
        ids = [post["client_order_id"] for post in simulator.posts()]
        assert ids == ["s:flying", "s:waiting"], ids
    return line


def test_files_that_may_not_grow() -> str:
    with Simulator() as simulator, Worker(simulator) as worker:
        room = LimitedFiles(worker)
        fault = nothing_is_taken_or_sent(simulator, worker, room)
        an_answer_is_kept(simulator, worker, room)
        assert worker.terminate() == 0
    return fault


def test_files_that_may_not_grow_while_decisions_pour_in() -> str:
    with Simulator() as simulator, State() as state:
        return decisions_pour_in(simulator, state, LimitedFiles)


# --- Read-only


def test_a_database_that_is_made_read_only() -> str:
    # A remount as read-only is no test of this: the kernel refuses it while a file is open for writing.
    with Simulator() as simulator, State() as state, Worker(simulator, state=state) as worker:
        room = Immutable(state)
        fault = nothing_is_taken_or_sent(simulator, worker, room)
        an_answer_is_kept(simulator, worker, room)
        assert worker.terminate() == 0
    return fault


def test_a_file_system_that_gives_up() -> str:
    """What Linux makes of a disk with errors: read-only at once, whoever writes, until it is mended."""
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        image = f"{directory}/image"
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        system("mkfs.ext4", "-q", image)
        with Simulator() as simulator:
            with mounted("-o", "loop", image) as path, State(path) as state:
                with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
                    publisher.accepted("before")
                    worker.final_outcome("s", "before")
                    simulator.fault(
                        "delay_before_recording", milliseconds=500, client_order_id="s:flying"
                    )
                    publisher.accepted("flying")
                    publisher.accepted("waiting")
                    simulator.wait_for_post("s:flying")
                    system("mount", "-o", "remount,abort", str(path))
                    must_be_refused(publisher, "during")
                    eventually("the fault", lambda: worker.status()["storage_fault"])
                    fault = must_be_refused(publisher, "during")["message"]
                    assert not simulator.posts("s:waiting") and not simulator.posts("s:during")
                    # The answer can be stored nowhere: it goes with the process.
                    worker.kill()
            subprocess.run(["fsck.ext4", "-p", image], capture_output=True, timeout=60)
            with mounted("-o", "loop", image) as path, State(path) as state:
                with Worker(simulator, "--settle-time-s", "1", state=state) as worker:
                    with Publisher(worker) as publisher:
                        publisher.accepted("during")
                    for decision_id in ["flying", "waiting", "during"]:
                        assert worker.final_outcome("s", decision_id)["result"] == "success"
                        assert len(simulator.posts(f"s:{decision_id}")) == 1
                    assert worker.terminate() == 0
    return str(fault)


def test_files_that_are_removed_can_be_copied_out_of_the_worker_and_nothing_is_taken_meanwhile() -> (
    str
):
    """Whoever has a file open can write it after it was removed, and what is written is found by nobody."""
    waited = []
    for removed in ["trades.db", "trades.db-wal"]:
        with Simulator() as simulator, State() as state, tempfile.TemporaryDirectory() as rescue:
            with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
                publisher.accepted("before")
                worker.final_outcome("s", "before")
                # Moving the whole directory removes nothing.
                moved = state.path.with_name(f"{state.path.name}-moved")
                state.path.rename(moved)
                time.sleep(1.5)
                publisher.accepted("moved")
                moved.rename(state.path)
                (state.path / removed).unlink()
                began = time.monotonic()
                eventually("the fault", lambda: worker.status()["storage_fault"])
                waited.append(time.monotonic() - began)
                assert "removed or replaced" in must_be_refused(publisher, "after")["message"]
                for link in pathlib.Path(f"/proc/{worker.pid}/fd").iterdir():
                    name = pathlib.Path(os.readlink(link).removesuffix(" (deleted)")).name
                    if name in ["trades.db", "trades.db-wal"]:
                        with contextlib.suppress(OSError):
                            shutil.copyfile(link, f"{rescue}/{name}")
            for file in state.path.glob("trades.db*"):
                file.unlink()
            copy = f"{rescue}/copy.db"
            for arguments in [
                ["backup", "--to", copy, "--state-dir", rescue],
                ["restore", copy, "--state-dir", str(state.path)],
                ["resume", "--state-dir", str(state.path)],
            ]:
                subprocess.run(
                    [str(binaries() / "trade-executor"), *arguments],
                    check=True,
                    capture_output=True,
                )
            with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
                for decision_id in ["before", "moved"]:
                    assert publisher.decide(decision_id)["duplicate"] is True
                    worker.final_outcome("s", decision_id)
                publisher.accepted("after")
                worker.final_outcome("s", "after")
            assert [len(simulator.posts(f"s:{name}")) for name in ["before", "moved", "after"]] == [
                1
            ] * 3
    return f"noticed after {max(waited):.1f} s"


def test_a_start_on_a_read_only_file_system() -> str:
    with small_disk() as disk, State(disk.path) as state, Simulator() as simulator:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("before")
            worker.final_outcome("s", "before")
            assert worker.terminate() == 0
        subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
        line = run_and_fail("--broker-url", simulator.url, "--state-dir", str(disk.path))
        assert "Read-only file system" in line, line
        subprocess.run(["mount", "-o", "remount,rw", str(disk.path)], check=True)
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            assert publisher.decide("before")["duplicate"]
    return line


# --- Locked


class Locked:
    """The lock for writing, in the hands of somebody else's program."""

    def __init__(self, state: State):
        self.connection = sqlite3.connect(state.database, isolation_level=None)

    def use_up(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def give_back(self) -> None:
        self.connection.execute("ROLLBACK")


def test_a_database_that_another_program_has_locked() -> str:
    with Simulator() as simulator, State() as state, Worker(simulator, state=state) as worker:
        room = Locked(state)
        fault = nothing_is_taken_or_sent(simulator, worker, room)
        an_answer_is_kept(simulator, worker, room)
        room.connection.close()
        assert worker.terminate() == 0
    return fault


def test_a_lock_for_seconds_holds_up_no_heartbeat() -> str:
    with Simulator() as simulator, State() as state, Worker(simulator, state=state) as worker:
        with Publisher(worker) as publisher, Subscriber(worker, "outcome|s|") as topic:
            room = Locked(state)
            times: list[float] = []
            with used_up(room):
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    asked = time.monotonic()
                    must_be_refused(publisher, "during")
                    times.append(time.monotonic() - asked)
                    time.sleep(0.02)
            room.connection.close()
            beats = [m["storage_fault"] for _, m in topic.messages(0.5) if m["type"] == "heartbeat"]
            assert sum("locked" in (fault or "") for fault in beats) >= 3, beats
            assert max(times) < 1, max(times)
            eventually("the same again", lambda: publisher.decide("during")["status"] == "accepted")
            assert worker.final_outcome("s", "during")["result"] == "success"
    return f"{len(times)} refusals, the slowest after {max(times) * 1000:.0f} ms"


# --- Damaged


PAGE = 4096


def decided_state(simulator: Simulator, state: State, count: int) -> None:
    """Leaves a state directory with decisions that are over, and `flying` amid its request."""
    with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
        for number in range(count):
            publisher.accepted(f"old-{number}", **COIN)
        eventually("the end of all orders", lambda: is_at_rest(worker))
        simulator.fault("delay_after_recording", milliseconds=60_000, client_order_id="s:flying")
        publisher.accepted("flying", **COIN)
        simulator.wait_for_post("s:flying")
        worker.kill()
    # All of it in the one file that is to be damaged.
    with sqlite3.connect(state.database) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


@contextmanager
def copy_of(state: State) -> Iterator[State]:
    with State() as copy:
        shutil.copy(state.database, copy.path)
        yield copy


def start_and_fail(simulator: Simulator, state: State) -> str:
    line = run_and_fail(
        *("--broker-url", simulator.url, "--state-dir", str(state.path)),
        *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
        code=74,
    )
    assert WHAT_TO_DO in line, line
    return line


def must_have_ended_with_what_to_do(worker: Worker) -> None:
    assert worker.program.wait() == 74, worker.condition()
    line = worker.state.log.read_text().strip().splitlines()[-1]
    assert line.startswith("Error: ") and WHAT_TO_DO in line, line


def use(worker: Worker, name: str) -> bool:
    """Sends new decisions and old ones, and asks for all outcomes; whether the worker still lives."""
    with Publisher(worker) as publisher:
        bodies: list[Json] = [decision(f"new-{name}-{number}", **COIN) for number in range(3)]
        bodies[1:1] = [decision(f"old-{number}", **COIN) for number in range(0, 100, 9)]
        bodies.append({"v": 1, "type": "replay", "after": 0, "limit": 1000})
        for body in bodies:
            publisher.send_bytes(json.dumps(body).encode())
            while not publisher.socket.poll(20):
                if worker.program.process.poll() is not None:
                    return False
            answer = json.loads(publisher.socket.recv())
            assert answer.get("status", "accepted") == "accepted", answer
            # What is known is never taken for new.
            assert answer.get("duplicate", True) == (not name_is_new(body)), (body, answer)
        time.sleep(0.2)
    return worker.program.process.poll() is None


def name_is_new(body: Json) -> bool:
    return str(body.get("decision_id")).startswith("new-")


def damage(state: State, page: int, content: bytes) -> None:
    with state.database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(content)


def test_a_damaged_page_stops_it_or_does_not_matter() -> str:
    """Each page in turn. One that nobody reads is not missed; one that is read stops the worker."""
    chance = random.Random(1)
    ends: Counter[str] = Counter()
    with Simulator() as simulator, State() as state, ThreadPoolExecutor(4) as pool:
        decided_state(simulator, state, 100)
        whole = state.database.stat().st_size // PAGE
        pages = list(range(1, whole + 1))
        if "--all-pages" not in sys.argv:
            # The first ones are the roots of tables and indexes.
            pages = sorted({*range(1, 33, 2), *chance.sample(range(33, whole + 1), 16)})

        def try_page(page: int) -> str:
            with copy_of(state) as copy:
                garbage = random.Random(page).randbytes(PAGE)
                damage(copy, page, bytes(PAGE) if page % 4 == 1 else garbage)
                try:
                    with Worker(simulator, "--settle-time-s", "1", state=copy) as worker:
                        if use(worker, str(page)):
                            return "never read"
                        must_have_ended_with_what_to_do(worker)
                        return "stopped it when it was read"
                except NotReady as error:
                    assert error.code == 74 and WHAT_TO_DO in str(error), error
                    return "stopped it at its start"

        ends.update(pool.map(try_page, pages))
        posts = Counter(post["client_order_id"] for post in simulator.posts())
        assert max(posts.values()) == 1, posts
    assert len(ends) == 3, ends
    return f"of {whole} pages, {', '.join(f'{count} {end}' for end, count in ends.items())}"


def test_damage_while_it_runs() -> None:
    with Simulator() as simulator, State() as state:
        decided_state(simulator, state, 100)
        # A new process has read only what it needed to start.
        with Worker(simulator, "--settle-time-s", "1", state=state) as worker:
            worker.final_outcome("s", "flying")
            for page in range(33, state.database.stat().st_size // PAGE + 1):
                damage(state, page, random.Random(page).randbytes(PAGE))
            assert not use(worker, "running")
            must_have_ended_with_what_to_do(worker)
        start_and_fail(simulator, state)
        posts = Counter(post["client_order_id"] for post in simulator.posts())
        assert max(posts.values()) == 1, posts


def test_garbage_for_a_database() -> str:
    with Simulator() as simulator, State() as state:
        decided_state(simulator, state, 20)
        content = state.database.read_bytes()
        spoiled = {
            "random bytes": random.Random(1).randbytes(len(content)),
            "text": b"no database\n" * 1000,
            "half of it": content[: len(content) // 2 // PAGE * PAGE],
            "a spoiled header": b"SQLite format 4\0" + content[16:],
            "another database": None,
        }
        for what, bytes_of in spoiled.items():
            with copy_of(state) as copy:
                if bytes_of is None:
                    copy.database.unlink()
                    with sqlite3.connect(copy.database) as other:
                        other.execute("CREATE TABLE trade_decisions (id)")
                    other.close()
                    line = run_and_fail(
                        *("--broker-url", simulator.url, "--state-dir", str(copy.path))
                    )
                else:
                    copy.database.write_bytes(bytes_of)
                    line = start_and_fail(simulator, copy)
                    assert copy.database.read_bytes() == bytes_of, f"{what} was written to"
        assert len(simulator.posts()) == 21
    return line


def test_rows_that_contradict_each_other() -> None:
    of = "(SELECT id FROM trade_decisions WHERE decision_id = '{}')"
    decisions = "UPDATE trade_decisions SET status = '{}' WHERE id = " + of
    executions = "UPDATE trade_executions SET certainty = '{}' WHERE trade_decision_id = " + of
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("over")
            publisher.accepted("refused", symbol="NOSUCH")
            publisher.accepted("open", symbol="MSFT", order_type="limit", limit_price="1")
            for name in ["over", "refused"]:
                worker.final_outcome("s", name)
            eventually("the order", lambda: worker.status()["open_orders"] == 1)
            worker.kill()
        with sqlite3.connect(state.database) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            columns = [row[1] for row in database.execute("PRAGMA table_info(trade_decisions)")]
        database.close()
        values = {
            "id": "99",
            "decision_id": "'lone'",
            "message": "replace(message, 'over', 'lone')",
            "status": "'executing'",
        }
        copied = ", ".join(values.get(name, name) for name in columns)
        lone = f"INSERT INTO trade_decisions SELECT {copied} FROM trade_decisions WHERE id = 1"
        posts = len(simulator.posts())
        for name, statement in [
            ("over", decisions.format("pending", "over")),
            ("open", decisions.format("pending", "open")),
            ("refused", decisions.format("pending", "refused")),
            ("over", executions.format("sending", "over")),
            ("over", executions.format("unknown", "over")),
            ("refused", executions.format("sending", "refused")),
            ("refused", executions.format("unknown", "refused")),
            ("open", executions.format("not_sent", "open")),
            ("lone", lone),
        ]:
            with copy_of(state) as copy:
                with sqlite3.connect(copy.database) as database:
                    assert database.execute(statement).rowcount == 1
                database.close()
                line = start_and_fail(simulator, copy)
                assert f"the rows of s:{name} contradict" in line, (statement, line)
        assert len(simulator.posts()) == posts


# --- Who owns the directory


def second_worker(simulator: Simulator, path: pathlib.Path) -> str:
    line = run_and_fail(
        *("--broker-url", simulator.url, "--state-dir", str(path)),
        *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
    )
    assert f"the state directory {path} is in use by another worker" in line, line
    return line


def test_one_owner_whatever_becomes_of_files_and_names() -> str:
    with Simulator() as simulator, State() as parent:
        path = parent.path / "first"
        path.mkdir()
        with Worker(simulator, state=State(path)) as worker, Publisher(worker) as publisher:
            assert f"process {worker.pid}" in second_worker(simulator, path)
            shutil.rmtree(path / "halt")
            for file in [one for one in path.iterdir() if not one.name.startswith("trades.db")]:
                file.unlink()
            line = second_worker(simulator, path)
            moved = parent.path / "moved"
            path.rename(moved)
            second_worker(simulator, moved)
            publisher.accepted("d-1")
            assert worker.final_outcome("s", "d-1")["result"] == "success"
            # The kill switch moves with it.
            (moved / "halt").mkdir(exist_ok=True)
            (moved / "halt/all").touch()
            assert publisher.decide("d-2")["code"] == "halted"
            (moved / "halt/all").unlink()
            publisher.accepted("d-2")
            worker.program.process.send_signal(signal.SIGSTOP)
            second_worker(simulator, moved)
            worker.program.process.send_signal(signal.SIGCONT)
            assert worker.final_outcome("s", "d-2")["result"] == "success"
            assert worker.terminate() == 0
        with Worker(simulator, state=State(moved)) as worker:
            assert worker.final_outcome("s", "d-2")["result"] == "success"
        assert len(simulator.posts()) == 2
    return line


def test_the_lock_of_a_crashed_worker_is_free_at_once() -> str:
    times = []
    with Simulator() as simulator, State() as state:
        for _ in range(6):
            with Worker(simulator, state=state) as worker:
                times.append(worker.program.seconds_to_ready * 1000)
                os.kill(worker.pid, signal.SIGKILL)
                worker.program.wait()
    assert max(times[1:]) < 5000, times
    return f"ready again after {statistics.median(times[1:]):.0f} ms"


# --- Calendars

# libfaketime is of no use here: it changes the environment before main, and Swift then finds no arguments.
CALENDAR = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int file = -1;
    int result = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && result == 0) {
        if (file < 0) file = open(getenv("CALENDAR"), O_RDONLY | O_CLOEXEC);
        int64_t seconds = 0;
        if (pread(file, &seconds, sizeof seconds, 0) == sizeof seconds) time->tv_sec += seconds;
    }
    return result;
}
"""


class Calendar:
    """A worker's calendar, which can be set; its other clocks go on as they do."""

    def __init__(self, directory: pathlib.Path):
        self.file = directory / "calendar"
        self.set(0)
        source, library = directory / "calendar.c", directory / "calendar.so"
        source.write_text(CALENDAR)
        system("clang", "-shared", "-fPIC", "-o", str(library), str(source))
        self.environment = {"LD_PRELOAD": str(library), "CALENDAR": str(self.file)}

    def set(self, days: float) -> None:
        self.days = days
        self.file.write_bytes(struct.pack("=q", int(days * 86400)))

    def in_seconds(self, seconds: float) -> datetime:
        return datetime.now(timezone.utc) + timedelta(days=self.days, seconds=seconds)


def test_a_calendar_that_jumps() -> str:
    """By a day, forth and back: deadlines, order and counters do not follow."""
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        calendar = Calendar(pathlib.Path(directory))
        with Simulator() as simulator, State() as state:
            posted: list[str] = []
            flags = ["--settle-time-s", "1"]
            for life, jumps in enumerate([[1], [-1, 1]]):
                with Worker(
                    simulator, *flags, state=state, environment=calendar.environment
                ) as worker, Publisher(worker) as publisher:
                    for number, days in enumerate(jumps):
                        name = f"{life}-{number}"
                        posted += jump(simulator, worker, publisher, calendar, days, name)
                        at = datetime.fromisoformat(worker.status()["at"].replace("Z", "+00:00"))
                        assert abs((at - calendar.in_seconds(0)).total_seconds()) < 5, at
                    # The next life begins days before.
                    simulator.fault(
                        "delay_after_recording", milliseconds=500, client_order_id=f"s:last-{life}"
                    )
                    publisher.accepted(f"last-{life}", valid_for_ms=60_000)
                    simulator.wait_for_post(f"s:last-{life}")
                    publisher.accepted(f"left-{life}", valid_for_ms=60_000)
                    posted += [f"last-{life}", f"left-{life}"]
                    worker.kill()
                calendar.set(-calendar.days)
            with Worker(simulator, *flags, state=state, environment=calendar.environment) as worker:
                for name in posted:
                    end = worker.final_outcome("s", name)
                    wanted = "failed" if name.startswith("lost") else "success"
                    assert end["result"] == wanted, end
                outcomes = worker.outcomes_of("s")
                numbers = [(one["seq"], one["strategy_seq"]) for one in outcomes]
                assert numbers == [(n, n) for n in range(1, len(outcomes) + 1)], numbers
            ids = [post["client_order_id"].removeprefix("s:") for post in simulator.posts()]
            assert ids == posted, (ids, posted)
    return f"{len(posted)} orders, {len(outcomes)} outcomes"


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def jump(
    simulator: Simulator,
    worker: Worker,
    publisher: Publisher,
    calendar: Calendar,
    days: float,
    name: str,
) -> list[str]:
    """Sets the calendar while decisions wait. Returns those that must have been sent, in order."""
    simulator.fault("delay_after_recording", milliseconds=600, client_order_id=f"s:slow-{name}")
    simulator.fault("close_before_recording", client_order_id=f"s:lost-{name}")
    publisher.accepted(f"slow-{name}")
    simulator.wait_for_post(f"s:slow-{name}")
    publisher.accepted(f"short-{name}", valid_for_ms=200)
    publisher.accepted(f"dated-short-{name}", expires_at=text(calendar.in_seconds(0.2)))
    publisher.accepted(f"long-{name}", valid_for_ms=60_000)
    publisher.accepted(f"dated-{name}", expires_at=text(calendar.in_seconds(60)))
    publisher.accepted(f"plain-{name}")
    publisher.accepted(f"lost-{name}")
    calendar.set(days)
    publisher.accepted(f"after-{name}", valid_for_ms=60_000)
    for word in ["short", "dated-short"]:
        end = worker.final_outcome("s", f"{word}-{name}")
        assert end["reason"] == "expired", end
    asked = time.monotonic()
    for word in ["slow", "long", "dated", "plain", "after"]:
        end = worker.final_outcome("s", f"{word}-{name}")
        assert end["result"] == "success", end
    absent = worker.final_outcome("s", f"lost-{name}")
    assert absent["reason"] == "absent" and time.monotonic() - asked > 0.8, absent
    return [f"{word}-{name}" for word in ["slow", "long", "dated", "plain", "lost", "after"]]


if __name__ == "__main__":
    main(globals())
