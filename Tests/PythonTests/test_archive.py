"""What ended long ago is moved to a packed file, and nothing is lost, doubled or forgotten, whenever it is killed."""

from __future__ import annotations

import gzip
import json
import pathlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import COIN, Json, Publisher, Simulator, State, Worker, eventually, main
from test_backup import dies, fails, lose_database, run, succeeds

# Until the next database has its name, the one in place is as it was.
POINTS_BEFORE = ["archive_built", "archive_checked", "archive_named", "archive_next_checked"]
POINTS_AFTER = ["next_named", "former_moved", "next_in_place", "former_removed"]

MOVED = ["trade_executions", "api_payloads", "alpaca_orders"]
KEPT = ["trade_decisions", "outcomes", "halt_events", "refused_messages", "restorations"]
OLD = "2021-03-04T05:06:07.000000Z"


class Past:
    """A state directory with trades of years ago and one of today, and what was told of them."""

    def __init__(self, simulator: Simulator, state: State):
        self.simulator = simulator
        self.state = state
        self.file = state.path / "archive/before-2026-01-01.db.gz"
        self.bodies: dict[str, bytes] = {}
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            for number in range(6):
                self.publish(publisher, f"d-{number}", **COIN)
                worker.final_outcome("s", f"d-{number}")
            self.publish(publisher, "too-dear", symbol="BRK.A", quantity="900000")
            worker.final_outcome("s", "too-dear")
            simulator.fault("delay_before_recording", milliseconds=200, client_order_id="s:slow")
            self.publish(publisher, "slow", **COIN)
            self.publish(publisher, "stale", valid_for_ms=1)
            worker.final_outcome("s", "slow")
            worker.final_outcome("s", "stale")
            publisher.ask_bytes(b'{"v":1,"nonsense":true}')
            self.publish(
                publisher,
                "rests",
                **{"symbol": "MSFT", "order_type": "limit", "limit_price": "1"},
                time_in_force="gtc",
            )
            eventually("it to rest", lambda: worker.outcomes_of("s", "rests"))
            assert worker.terminate() == 0
        # All but the resting one become old; payloads keep their times, since they are never changed.
        connection = sqlite3.connect(state.database)
        connection.execute(
            "UPDATE trade_decisions SET updated_at = ? WHERE decision_id <> 'rests'", [OLD]
        )
        connection.execute(
            "UPDATE trade_executions SET updated_at = ? WHERE client_order_id <> 's:rests'", [OLD]
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self.rows = {table: rows(state.database, table) for table in MOVED + KEPT}
        self.executions = listed(state)
        self.failures = tally(state)
        self.shown = {name: shown(state, f"s:{name}") for name in self.bodies}
        self.outcomes = state.stored_outcomes()
        self.stream = state.rows("SELECT stream FROM database_identity")

    def publish(self, publisher: Publisher, name: str, **more: Any) -> None:
        body = {"v": 1, "decision_id": name, "strategy_name": "s", "side": "buy", "quantity": "1"}
        self.bodies[name] = json.dumps({**body, "symbol": "AAPL", **more}).encode()
        ack = publisher.ask_bytes(self.bodies[name])
        assert ack["status"] == "accepted", ack

    def command(self, *more: object) -> list[object]:
        return ["archive", "--before", "2026-01-01", "--state-dir", self.state.path, *more]

    def is_as_it_was(self) -> None:
        for table in MOVED + KEPT:
            assert rows(self.state.database, table) == self.rows[table], table

    def is_parted(self) -> None:
        """Every row is in the database or in the archive, and in one of them only."""
        state, file = self.state, self.file
        assert state.rows("PRAGMA integrity_check") == [("ok",)]
        assert state.rows("PRAGMA foreign_key_check") == []
        assert state.rows("SELECT stream FROM database_identity") == self.stream
        with unpacked(file) as archive:
            for table in MOVED:
                parts = rows(state.database, table), rows(archive, table)
                assert sorted(parts[0] + parts[1]) == self.rows[table], table
                assert parts[0] and parts[1], table
            for table in KEPT:
                assert rows(state.database, table) == self.rows[table], table
        assert state.stored_outcomes() == self.outcomes
        assert state.rows("SELECT executions FROM archives") == [(8,)]
        for statement in [
            "DELETE FROM api_payloads",
            "UPDATE api_payloads SET body = 'x'",
            "DELETE FROM archives",
        ]:
            assert "never" in state.shell(statement).stderr

    def reads_as_before(self) -> None:
        state, file = self.state, self.file
        live, archived = listed(state), listed(state, "--archive", file)
        assert live and archived
        assert sorted(live + archived) == sorted(self.executions)
        assert tally(state) + tally(state, "--archive", file) == self.failures
        archived_names = [name for name in self.bodies if "archive" in shown(state, f"s:{name}")]
        assert len(archived_names) == len(archived)
        for name in self.bodies:
            if name not in archived_names:
                assert shown(state, f"s:{name}") == self.shown[name], name
                continue
            assert shown(state, f"s:{name}", "--archive", file) == self.shown[name], name
            here = shown(state, f"s:{name}")
            assert here["outcomes"] == self.shown[name]["outcomes"]
            assert here["archive"]["file"] == str(file) and here["execution"] is None
            text = run("show", f"s:{name}", "--state-dir", state.path).stdout
            assert f"--archive {file}" in text, text
            # Its order's own name is found where the order is.
            order = self.shown[name]["execution"]["alpaca_order_id"]
            if order:
                assert str(file) in fails("show", order, "--state-dir", state.path)
                assert shown(state, order, "--archive", file) == self.shown[name]
        assert str(file) in run("executions", "--state-dir", state.path).stderr

    def trades_as_before(self) -> None:
        """Repeats are recognised, replays are whole, numbers go on."""
        posts = len(self.simulator.posts())
        with Worker(self.simulator, state=self.state) as worker, Publisher(worker) as publisher:
            replayed = worker.outcomes_of("s")
            # What rests is followed on.
            assert replayed[: len(self.outcomes)] == [json.loads(o) for o in self.outcomes]
            for number, (name, body) in enumerate(self.bodies.items()):
                ack = publisher.ask_bytes(body)
                assert ack["duplicate"] and ack["decision_seq"] == number + 1, ack
                if name != "rests":
                    assert ack["outcome"] == [o for o in replayed if o["decision_id"] == name][-1]
                spaced = json.dumps(json.loads(body), indent=1).encode()
                assert publisher.ask_bytes(spaced)["duplicate"]
                other = json.dumps({**json.loads(body), "side": "sell"}).encode()
                assert publisher.ask_bytes(other)["code"] == "id_conflict"
            assert len(self.simulator.posts()) == posts
            publisher.accepted("new", **COIN)
            new = worker.final_outcome("s", "new")
            assert new["result"] == "success"
            assert new["seq"] > len(self.outcomes)
        for table in MOVED:
            newest = self.state.rows(f"SELECT max(id) FROM {table}")[0][0]
            assert newest > max(row[0] for row in self.rows[table]), table


@contextmanager
def unpacked(file: pathlib.Path) -> Iterator[pathlib.Path]:
    with tempfile.NamedTemporaryFile(suffix=".db") as copy:
        copy.write(gzip.decompress(file.read_bytes()))
        copy.flush()
        yield pathlib.Path(copy.name)


def rows(database: pathlib.Path, table: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    try:
        found = connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        return [
            tuple(row[key] for key in row.keys() if key != "archive_id")  # noqa: SIM118
            for row in found
        ]
    finally:
        connection.close()


def listed(state: State, *more: object) -> list[str]:
    done = run("executions", "--limit", 0, "--payloads", "--json", "--state-dir", state.path, *more)
    assert done.returncode == 0, done
    return done.stdout.splitlines()


def tally(state: State, *more: object) -> Counter[str]:
    done = run("failures", "--json", "--state-dir", state.path, *more)
    assert done.returncode == 0, done
    counts: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        failure = json.loads(line)
        counts[f"{failure['kind']} {failure['message']}"] += failure["count"]
    return counts


def shown(state: State, name: str, *more: object) -> Json:
    return succeeds("show", name, "--state-dir", state.path, *more)


@contextmanager
def past() -> Iterator[Past]:
    with Simulator() as simulator, State() as state:
        yield Past(simulator, state)


def test_what_is_archived_is_read_there_and_everything_else_is_as_before() -> str:
    with past() as it:
        answer = succeeds(*it.command())
        assert answer["file"] == str(it.file) and answer["former_database"] is None
        assert it.file.stat().st_mode & 0o777 == 0o600
        it.is_parted()
        it.reads_as_before()
        it.trades_as_before()
        left = sorted(path.name for path in it.state.path.iterdir())
        assert not [name for name in left if "part" in name or "before" in name], left
        again = run(*it.command("--to", it.file.with_name("more.db.gz")))
        assert again.returncode == 0 and "nothing to archive" in again.stdout, again
    return f"{answer['executions']} executions, {answer['payloads']} payloads"


def test_an_archive_that_is_killed_leaves_the_old_database_or_the_new_and_is_run_again() -> None:
    with past() as it, tempfile.TemporaryDirectory() as kept:
        shutil.copytree(it.state.path, kept, dirs_exist_ok=True)
        for point in POINTS_BEFORE + POINTS_AFTER:
            lose_database(it.state)
            shutil.rmtree(it.file.parent, ignore_errors=True)
            shutil.copytree(kept, it.state.path, dirs_exist_ok=True)
            dies(point, *it.command())
            if point in POINTS_BEFORE:
                it.is_as_it_was()
                assert it.file.exists() == (point in POINTS_BEFORE[2:]), point
            else:
                # Whoever locks the directory finishes it.
                run("archive", "--before", "2000-01-01", "--state-dir", it.state.path)
                it.is_parted()
            done = run(*it.command())
            assert done.returncode == 0, (point, done)
            it.is_parted()
            assert not [path for path in it.state.path.rglob(".*part*")], point
        it.reads_as_before()
        it.trades_as_before()


def test_nothing_is_archived_beside_a_worker_too_early_over_another_file_or_without_room() -> None:
    with past() as it:
        with Worker(it.simulator, state=it.state) as worker:
            assert str(worker.pid) in fails(*it.command())
            assert worker.terminate() == 0
        it.rows = {table: rows(it.state.database, table) for table in MOVED + KEPT}
        for before in ["47h", "0s"]:
            assert "48 hours" in fails("archive", "--before", before, "--state-dir", it.state.path)
        other = it.state.path / "other.db.gz"
        for content in [b"", b"anything", gzip.compress(b"anything")]:
            other.write_bytes(content)
            assert "there already" in fails(*it.command("--to", other))
            assert other.read_bytes() == content
        size = it.state.database.stat().st_size
        for limit in [0, 8192, size // 3, size // 2]:
            fails(*it.command(), limit=limit)
            it.is_as_it_was()
            assert not [path for path in it.state.path.rglob(".*part*")], limit
            assert not it.file.exists(), limit
        # An archive on record is never replaced, and is no copy to restore.
        succeeds(*it.command("--keep-former"))
        assert len(list(it.state.path.glob("trades.db.before-*Z"))) == 1
        content = it.file.read_bytes()
        assert "nothing to archive" in run(*it.command()).stdout
        connection = sqlite3.connect(it.state.database)
        for table in ["trade_decisions", "trade_executions"]:
            connection.execute(f"UPDATE {table} SET updated_at = ?", [OLD])
        connection.execute("UPDATE trade_decisions SET status = 'executed'")
        # Newer rows, of another decision, so that these are no longer the newest.
        connection.executescript("""
            INSERT INTO api_payloads (type, method, endpoint, body, trade_decision_id, captured_at)
            VALUES ('ApiRequest', 'POST', '/v2/orders', '{}', 1, '2999');
            INSERT INTO trade_executions (trade_decision_id, execution_id, client_order_id, status,
                certainty, api_request_payload_id, submitted_at, created_at, updated_at)
            SELECT 1, 'x', 's:d-0', 'filled', 'answered', max(id), '2999', '2999', '2999'
            FROM api_payloads;
            INSERT INTO alpaca_orders (trade_decision_id, alpaca_order_id, status, created_at,
                updated_at)
            VALUES (1, 'x', 'filled', '2999', '2999');
            """)
        connection.commit()
        connection.close()
        assert "there already" in fails(*it.command())
        with unpacked(it.file) as archive:
            line = fails("restore", archive, "--state-dir", it.state.path, "--move-aside")
            assert "it is an archive" in line, line
        assert it.file.read_bytes() == content


if __name__ == "__main__":
    main(globals())
