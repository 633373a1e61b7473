"""Backup, restore, and the drill: a database that is lost comes back from an older copy, and nothing is placed twice."""

from __future__ import annotations

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from harness import (
    COIN,
    KILL_AT,
    PATIENCE,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    decision,
    eventually,
    main,
    run_and_fail,
)

BACKUP_POINTS = ["backup_copied", "backup_synced", "backup_named"]
RESTORE_POINTS = ["restore_copied", "restore_prepared", "restore_halted"]
# From here on the restored database takes its place, whoever comes next.
EXCHANGE_POINTS = ["next_named", "former_moved", "next_in_place"]


def run(
    *arguments: object, kill_at: str | None = None, limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    """A command of an operator; with `limit`, no file of it can have more bytes."""

    def limited() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [str(binaries() / "trade-executor"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], **({KILL_AT: kill_at} if kill_at else {})},
        preexec_fn=limited,
    )


def succeeds(*arguments: object) -> Json:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done
    answer: Json = json.loads(done.stdout)
    return answer


def fails(*arguments: object, limit: int | None = None) -> str:
    done = run(*arguments, limit=limit)
    assert done.returncode == 1 and not done.stdout, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def dies(point: str, *arguments: object) -> None:
    done = run(*arguments, kill_at=point)
    assert done.returncode == -signal.SIGKILL, (point, done)


def backup(state: State, file: pathlib.Path, *flags: str) -> Json:
    return succeeds("backup", "--state-dir", state.path, "--to", file, *flags)


def restore(state: State, file: pathlib.Path, *flags: str) -> Json:
    return succeeds("restore", file, "--state-dir", state.path, *flags)


def query(file: pathlib.Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def must_be_whole(file: pathlib.Path) -> None:
    assert query(file, "PRAGMA integrity_check") == [("ok",)]
    assert query(file, "PRAGMA foreign_key_check") == []
    numbers = [seq for (seq,) in query(file, "SELECT seq FROM outcomes ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))


def names(directory: pathlib.Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@contextmanager
def place_for_copies() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        yield pathlib.Path(directory)


@contextmanager
def traded(count: int = 3) -> Iterator[tuple[Simulator, State, pathlib.Path]]:
    """A state directory whose worker is stopped after some trades, and a copy of it, `copy.db`."""
    with Simulator() as simulator, State() as state, place_for_copies() as copies:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            for number in range(count):
                publisher.accepted(f"d-{number}", **COIN)
                worker.final_outcome("s", f"d-{number}")
            assert worker.terminate() == 0
        backup(state, copies / "copy.db")
        yield simulator, state, copies / "copy.db"


def lose_database(state: State) -> None:
    for path in state.path.glob("trades.db*"):
        path.unlink()


# --- Backup


def test_a_copy_is_taken_beside_a_worker_that_trades_and_is_whole_and_one_file() -> str:
    with Simulator() as simulator, State() as state, place_for_copies() as copies:
        with Worker(simulator, state=state) as worker:
            ends = threading.Event()
            latencies: list[float] = []

            def trade() -> None:
                with Publisher(worker) as publisher:
                    while not ends.is_set():
                        began = time.monotonic()
                        publisher.accepted(f"d-{len(latencies)}", **COIN)
                        latencies.append(time.monotonic() - began)

            trading = threading.Thread(target=trade)
            trading.start()
            try:
                eventually("some trades", lambda: len(latencies) > 30)
                made = [backup(state, copies / f"copy-{number}.db") for number in range(3)]
            finally:
                ends.set()
                trading.join()
            for number, answer in enumerate(made):
                file = copies / f"copy-{number}.db"
                must_be_whole(file)
                assert answer["size_bytes"] == file.stat().st_size
                assert file.stat().st_mode & 0o777 == 0o600
                digest = subprocess.run(["sha256sum", file], capture_output=True, text=True)
                assert answer["sha256"] == digest.stdout.split()[0]
                assert query(file, "SELECT copied_at FROM database_identity") == [
                    (answer["taken_at"],)
                ]
                count = query(file, "SELECT count(*) FROM trade_decisions")[0][0]
                assert answer["rows"]["trade_decisions"] == count and count
            counts = [answer["rows"]["trade_decisions"] for answer in made]
            assert counts == sorted(counts) and counts[-1] <= len(latencies), counts
            assert names(copies) == [f"copy-{number}.db" for number in range(3)]
            # The worker's own database does not take itself for a copy.
            assert state.rows("SELECT copied_at FROM database_identity") == [(None,)]
    return f"{counts} decisions"


def test_a_file_that_is_there_is_replaced_only_when_told_to() -> None:
    with traded() as (_, state, copy):
        before = copy.read_bytes()
        assert "--force" in fails("backup", "--state-dir", state.path, "--to", copy)
        assert copy.read_bytes() == before
        backup(state, copy, "--force")
        must_be_whole(copy)
        assert copy.read_bytes() != before
        # Not even --force makes a copy of the database onto itself.
        line = fails("backup", "--state-dir", state.path, "--to", state.database, "--force")
        assert "own database" in line, line


def test_a_disk_that_fills_leaves_no_half_copy_and_the_former_one() -> None:
    with traded() as (_, state, copy):
        before = copy.read_bytes()
        for limit in [0, 4096, len(before) // 2, len(before) - 1]:
            fails("backup", "--state-dir", state.path, "--to", copy, "--force", limit=limit)
            fails("backup", "--state-dir", state.path, "--to", f"{copy}.new", limit=limit)
            assert names(copy.parent) == ["copy.db"] and copy.read_bytes() == before


def test_what_is_no_database_of_ours_or_is_damaged_is_not_copied() -> None:
    with traded() as (_, state, copy), State() as empty:
        line = fails("backup", "--state-dir", empty.path, "--to", f"{copy}.new")
        assert "no worker has run there" in line, line
        page = 4096
        content = bytearray(state.database.read_bytes())
        content[3 * page : 4 * page] = bytes(random.Random(1).randbytes(page))
        state.database.write_bytes(content)
        fails("backup", "--state-dir", state.path, "--to", f"{copy}.new")
        assert names(copy.parent) == ["copy.db"]


def test_a_backup_that_is_killed_leaves_the_former_copy_or_the_new_one() -> None:
    with traded() as (_, state, copy):
        for point in BACKUP_POINTS:
            before = copy.read_bytes()
            dies(point, "backup", "--state-dir", state.path, "--to", copy, "--force")
            assert (copy.read_bytes() == before) == (point != "backup_named"), point
            must_be_whole(copy)
            backup(state, copy, "--force")
            must_be_whole(copy)
            assert names(copy.parent) == ["copy.db"], point
        # Without a former one there is none or a whole one.
        for point in BACKUP_POINTS:
            new = copy.with_name(f"{point}.db")
            dies(point, "backup", "--state-dir", state.path, "--to", new)
            assert new.exists() == (point == "backup_named"), point
            backup(state, new, "--force")
            must_be_whole(new)


# --- Restore


def test_a_restored_database_is_a_new_stream_that_begins_halted_and_says_where_it_comes_from() -> (
    None
):
    with traded() as (simulator, state, copy):
        stream = state.rows("SELECT stream FROM database_identity")[0][0]
        lose_database(state)
        answer = restore(state, copy)
        assert answer["former_stream"] == stream != answer["stream"]
        assert answer["former_database"] is None
        assert not list(state.path.glob("trades.db.*")) and not list(state.path.glob(".trades*"))
        row = state.rows(
            "SELECT file, file_sha256, copied_at, former_stream, last_seq FROM restorations"
        )
        copied_at = query(copy, "SELECT copied_at FROM database_identity")[0][0]
        assert row == [(str(copy), answer["sha256"], copied_at, stream, answer["last_seq"])], row
        for change in ["DELETE FROM restorations", "UPDATE restorations SET file = 'x'"]:
            assert "never" in state.shell(change).stderr
        halt = json.loads((state.path / "halt/all").read_text())
        assert halt["hold"] and str(copy) in halt["reason"], halt

        for arguments in [["status"], ["show", "d-1"]]:
            text = run(*arguments, "--state-dir", state.path).stdout
            assert "restored" in text and str(copy) in text, text
        assert "restored" in fails("show", "d-99", "--state-dir", state.path)
        status = succeeds("status", "--state-dir", state.path)
        assert status["database"]["restoration"]["file"] == str(copy), status
        shown = succeeds("show", "s:d-1", "--state-dir", state.path)
        assert shown["restoration"]["stream"] == answer["stream"], shown

        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            assert worker.status()["stream"] == answer["stream"]
            assert publisher.decide("d-3", **COIN)["code"] == "halted"
            assert publisher.decide("d-1", **COIN)["duplicate"]


def test_a_copy_that_is_merely_put_in_place_does_not_trade() -> None:
    with traded() as (simulator, state, copy):
        lose_database(state)
        shutil.copy(copy, state.database)
        line = run_and_fail("--state-dir", str(state.path), "--broker-url", simulator.url)
        assert "trade-executor restore" in line, line
        state.database.rename(state.path / "copy.db")
        restore(state, state.path / "copy.db")
        with Worker(simulator, state=state) as worker:
            assert len(worker.outcomes_of("s")) == copy_outcomes(copy)


def test_a_database_that_is_there_is_moved_aside_with_its_log_and_never_deleted() -> None:
    with traded() as (simulator, state, copy):
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("later", **COIN)
            worker.final_outcome("s", "later")
            # It dies, and leaves a log.
        assert pathlib.Path(f"{state.database}-wal").stat().st_size
        assert "--move-aside" in fails("restore", copy, "--state-dir", state.path)
        assert state.rows("SELECT count(*) FROM trade_decisions") == [(4,)]
        answer = restore(state, copy, "--move-aside")
        assert state.rows("SELECT count(*) FROM trade_decisions") == [(3,)]
        connection = sqlite3.connect(answer["former_database"])
        assert connection.execute("SELECT count(*) FROM trade_decisions").fetchone() == (4,)
        connection.close()


def test_nothing_is_restored_over_a_worker_an_open_shell_or_from_what_is_no_finished_copy() -> None:
    with traded() as (simulator, state, copy):
        with Worker(simulator, state=state) as worker:
            line = fails("restore", copy, "--state-dir", state.path, "--move-aside")
            assert str(worker.pid) in line and "in use" in line, line
            assert worker.terminate() == 0
        before = state.database.read_bytes()

        shell = sqlite3.connect(state.database)
        shell.execute("SELECT count(*) FROM outcomes").fetchall()
        child = subprocess.Popen(
            ["sqlite3", str(state.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin and child.stdout
        child.stdin.write("SELECT 'open', count(*) FROM outcomes;\n")
        child.stdin.flush()
        assert "open" in child.stdout.readline()
        shell.close()
        line = fails("restore", copy, "--state-dir", state.path, "--move-aside")
        assert f"process {child.pid}" in line, line
        child.stdin.close()
        assert child.wait(PATIENCE) == 0

        bad = copy.with_name("bad.db")
        content = bytearray(copy.read_bytes())
        content[5 * 4096 : 6 * 4096] = random.Random(2).randbytes(4096)
        for what, body in [
            ("damaged", bytes(content)),
            ("half", copy.read_bytes()[: len(content) // 8192 * 4096]),
            ("text", b"no database" * 500),
            ("empty", b""),
        ]:
            bad.write_bytes(body)
            assert "nothing was restored" in fails(
                "restore", bad, "--state-dir", state.path, "--move-aside"
            ), what
        shutil.copy(copy, bad)
        pathlib.Path(f"{bad}-wal").write_bytes(b"log")
        assert "log" in fails("restore", bad, "--state-dir", state.path, "--move-aside")
        link = copy.with_name("link.db")
        link.symlink_to(bad)
        assert "bad.db-wal" in fails("restore", link, "--state-dir", state.path, "--move-aside")
        pathlib.Path(f"{bad}-wal").rename(f"{bad}-journal")
        assert "bad.db-journal" in fails("restore", bad, "--state-dir", state.path, "--move-aside")
        fails("restore", copy, "--state-dir", state.path, "--move-aside", limit=len(content) // 2)

        assert state.database.read_bytes() == before
        assert not list(state.path.glob("trades.db.*")) and not list(state.path.glob(".trades*"))
        assert not (state.path / "halt/all").exists()


def test_a_restoration_that_is_killed_leaves_the_old_database_or_the_new_and_is_run_again() -> None:
    with traded() as (simulator, state, copy):
        kept = state.path / "kept"
        kept.mkdir()
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("later", **COIN)
            worker.final_outcome("s", "later")
        for file in state.path.glob("trades.db*"):
            shutil.copy(file, kept)
        arguments = ["restore", copy, "--state-dir", state.path, "--move-aside"]
        for point in RESTORE_POINTS + EXCHANGE_POINTS:
            for is_lost in [False, True]:
                lose_database(state)
                (state.path / "halt/all").unlink(missing_ok=True)
                if not is_lost:
                    for file in kept.iterdir():
                        shutil.copy(file, state.path)
                dies(point, *arguments)
                if point in RESTORE_POINTS:
                    # Nothing has happened yet.
                    count = (
                        0 if is_lost else state.rows("SELECT count(*) FROM trade_decisions")[0][0]
                    )
                    assert count == (0 if is_lost else 4), point
                else:
                    # A worker finds the new one, however far its way was, and the halt.
                    with Worker(simulator, state=state) as worker:
                        status = worker.status()
                        assert status["halted"] == ["all"], status
                        assert len(worker.outcomes_of("s")) == copy_outcomes(copy), point
                        assert worker.terminate() == 0
                answer = restore(state, copy, *([] if is_lost else ["--move-aside"]))
                assert state.rows("SELECT count(*) FROM trade_decisions") == [(3,)], point
                assert state.rows("SELECT stream FROM database_identity") == [(answer["stream"],)]
                assert state.rows("SELECT count(*) FROM restorations") == [(1,)]
                assert (state.path / "halt/all").exists()
                assert not list(state.path.glob(".trades*")) + list(state.path.glob("*.next-*"))
                formers = list(state.path.glob("trades.db.before-*[0-9]Z"))
                assert len(formers) == (0 if is_lost else 1), (point, formers)


def test_what_came_after_the_copy_is_looked_up_before_the_broker_can_refuse_it() -> None:
    with traded() as (simulator, state, copy):
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("after", **COIN)
            order = worker.final_outcome("s", "after")["execution"]["alpaca_order_id"]
            assert worker.terminate() == 0
        lose_database(state)
        restore(state, copy)
        assert run("resume", "--state-dir", state.path).returncode == 0
        # Whatever else the broker would say to it, it is not asked.
        simulator.fault("text_429", client_order_id="s:after")
        posts = len(simulator.posts())
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("after", **COIN)
            adopted = worker.final_outcome("s", "after")
            assert adopted["result"] == "success", adopted
            assert adopted["execution"]["alpaca_order_id"] == order, adopted
            assert len(simulator.posts()) == posts
            # For as long as the stream goes on, and what is new goes out.
            assert worker.terminate() == 0
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("new", **COIN)
            assert worker.final_outcome("s", "new")["result"] == "success"
        methods = state.rows(
            "SELECT method FROM api_payloads p JOIN trade_decisions d ON d.id = trade_decision_id"
            " WHERE decision_id = 'new' AND type = 'ApiRequest' ORDER BY p.id LIMIT 2"
        )
        assert methods == [("GET",), ("POST",)], methods


def copy_outcomes(copy: pathlib.Path) -> int:
    count = query(copy, "SELECT count(*) FROM outcomes")[0][0]
    assert isinstance(count, int)
    return count


# --- The drill


def test_the_drill_a_database_is_lost_and_restored_and_nothing_is_placed_twice() -> str:
    """Backup, trade on, lose the database, restore, send everything again."""
    sent: dict[str, bytes] = {}

    def publish(publisher: Publisher, name: str, strategy: str, **more: object) -> Json:
        body = sent.setdefault(
            f"{strategy}:{name}", json.dumps(decision(name, strategy, **more)).encode()
        )
        return publisher.ask_bytes(body)

    resting = {"symbol": "MSFT", "order_type": "limit", "limit_price": "1", "time_in_force": "gtc"}
    with Simulator() as simulator, State() as state, place_for_copies() as copies:
        copy = copies / "copy.db"
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            for number in range(5):
                publish(publisher, f"before-{number}", "a", **COIN)
                worker.final_outcome("a", f"before-{number}")
            publish(publisher, "rests", "b", **resting)
            eventually("it to rest", lambda: worker.outcomes_of("b", "rests"))
            # While the copy is taken, one is on its way and others wait.
            simulator.fault("delay_after_recording", milliseconds=1500, client_order_id="a:flying")
            publish(publisher, "flying", "a", **COIN)
            for number in range(4):
                publish(publisher, f"waits-{number}", "b", **COIN)
            simulator.wait_for_post("a:flying")
            made = backup(state, copy)
            assert query(copy, "SELECT count(*) FROM trade_decisions WHERE status = 'pending'") == [
                (4,)
            ], made
            # Trading goes on: what waited is sent, and more comes that the copy does not know.
            for number in range(4):
                worker.final_outcome("b", f"waits-{number}")
            for number in range(6):
                publish(publisher, f"after-{number}", "a" if number % 2 else "c", **COIN)
            publish(publisher, "rests-too", "c", **resting)
            publish(publisher, "too-dear", "c", symbol="BRK.A", quantity="900000")
            for number in range(6):
                worker.final_outcome("a" if number % 2 else "c", f"after-{number}")
            rejected = worker.final_outcome("c", "too-dear")
            assert rejected["result"] == "failed", rejected
            eventually("it to rest", lambda: worker.outcomes_of("c", "rests-too"))
            before = {
                outcome["decision_id"]: outcome
                for strategy in "abc"
                for outcome in worker.outcomes_of(strategy)
            }
            stream = worker.status()["stream"]
        lose_database(state)
        # An order of the copy ends while nobody watches.
        order = next(p for p in simulator.posts() if p["client_order_id"] == "b:rests")
        simulator.request("DELETE", f"/v2/orders/{order['order_id']}")
        posts = len(simulator.posts())

        answer = restore(state, copy)
        with Worker(simulator, "--settle-time-s", "1", state=state) as worker:
            with Publisher(worker) as publisher:
                assert worker.status()["stream"] == answer["stream"] != stream
                # It learns what has become of what it knows, and waits for a person before it does more.
                assert worker.final_outcome("b", "rests")["execution"]["status"] == "cancelled"
                assert worker.final_outcome("a", "flying")["result"] == "success"
                time.sleep(1.5)
                assert len(simulator.posts()) == posts and worker.status()["pending"] == 4
                refused = publish(publisher, "after-0", "c", **COIN)
                assert refused["code"] == "halted", refused
                assert run("resume", "--state-dir", state.path).returncode == 0
                # What waited was sent before: it is adopted without being sent.
                for number in range(4):
                    assert worker.final_outcome("b", f"waits-{number}")["result"] == "success"
                assert len(simulator.posts()) == posts
                # Everybody sends everything again, twice.
                for _ in range(2):
                    for client_order_id, body in sent.items():
                        ack = publisher.ask_bytes(body)
                        assert ack["status"] == "accepted", (client_order_id, ack)
                for number in range(6):
                    worker.final_outcome("a" if number % 2 else "c", f"after-{number}")
                worker.final_outcome("c", "too-dear")
                eventually(
                    "the resting order to be followed",
                    lambda: worker.outcomes_of("c", "rests-too")[-1:]
                    and worker.outcomes_of("c", "rests-too")[-1]["execution"]["certainty"]
                    == "answered",
                )
                after: dict[str, Json] = {}
                for strategy in "abc":
                    outcomes = worker.outcomes_of(strategy)
                    numbers = [outcome["strategy_seq"] for outcome in outcomes]
                    assert numbers == list(range(1, len(numbers) + 1)), numbers
                    after.update({outcome["decision_id"]: outcome for outcome in outcomes})

        placed = Counter(p["client_order_id"] for p in simulator.posts() if p["http_status"] == 200)
        assert set(placed.values()) == {1}, placed
        assert len(placed) == len(sent) - 1 and "c:too-dear" not in placed, placed
        # Each ends as it did before, at the same order of the broker's.
        assert after.keys() == before.keys() == {name.split(":")[1] for name in sent}
        for name in after.keys() - {"rests", "flying"}:
            for key in ["status", "alpaca_order_id", "filled_quantity", "filled_avg_price"]:
                old, new = before[name]["execution"][key], after[name]["execution"][key]
                assert old == new, (name, key, old, new)
        again = len(simulator.posts()) - posts
    # All but the one that the broker does not know are found before they are sent.
    assert again == 1, again
    return f"{len(sent)} decisions, {again} POST refused by its cost, none placed twice"


if __name__ == "__main__":
    main(globals())
