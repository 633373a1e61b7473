"""The monitor beside real workers: what it shows is what they have stored, whatever is lost or killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import socket
import sqlite3
import subprocess
import tempfile
import time

from harness import (
    COIN,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    eventually,
    free_endpoints,
    main,
)
from monitors import Monitor, totals_of, totals_shown, watching
from relay import Relay
from stand_in_worker import StandInWorker
from test_access import KeyRing


def last_seq(state: State) -> int:
    return int(state.rows("SELECT coalesce(max(seq), 0) FROM outcomes")[0][0])


def trade(worker: Worker, *strategies: str, count: int = 10) -> None:
    """Decisions that fill and decisions that the broker refuses, until they have ended."""
    with Publisher(worker) as publisher:
        for strategy in strategies:
            began = len(worker.outcomes_of(strategy))
            for number in range(count):
                publisher.accepted(f"d-{began}-{number}", strategy, **COIN)
            publisher.accepted(f"big-{began}", strategy, quantity="100000000")
            worker.final_outcome(strategy, f"big-{began}")
            worker.final_outcome(strategy, f"d-{began}-{count - 1}")


def wait_for_end(worker: Worker) -> None:
    eventually("all orders have ended", lambda: not worker.status()["open_orders"])


def test_what_it_shows_is_what_the_databases_hold() -> str:
    with Simulator() as simulator, State() as state:
        with (
            Worker(simulator, "--partition", "p0", state=state) as first,
            Worker(simulator, "--partition", "p1") as second,
            Monitor(*watching(first, second), "--state-dir", f"p0={state.path}") as monitor,
        ):
            trade(first, "mean-rev", "breakout")
            trade(second, "crypto-grid")
            for worker in [first, second]:
                wait_for_end(worker)
                monitor.wait_for_seq(worker.partition, last_seq(worker.state))
                shown, held = totals_shown(monitor, worker.partition), totals_of(worker.state)
                assert shown == held, (shown, held)
            eventually("both are heard", lambda: monitor.health()[0] == 200)
            assert monitor.health()[1]["status"] == "ok"

            metrics = monitor.metrics()
            key = 'partition="p0",strategy="mean-rev"'
            stored = totals_of(state)["mean-rev"]
            assert metrics[f"trade_executor_outcomes_total{{{key}}}"] == stored["outcomes"]
            assert (
                metrics[f'trade_executor_decisions_total{{{key},result="success"}}']
                == stored["success"]
            )
            assert metrics['trade_executor_up{partition="p1"}'] == 1
            assert metrics['trade_executor_answer_seconds_count{partition="p0"}'] == 22

            failures = monitor.api("failures", partition="p0", strategy="breakout")["failures"]
            messages = state.rows(
                "SELECT error_message, http_status_code, count(*) FROM trade_executions"
                " JOIN trade_decisions d ON d.id = trade_decision_id"
                " WHERE error_message IS NOT NULL AND strategy_name = 'breakout'"
                " GROUP BY error_message, http_status_code"
            )
            told = [(one["message"], one["http_status_code"], one["count"]) for one in failures]
            assert told == messages and len(told) == 1, (told, messages)
            page = monitor.api("outcomes", strategy="breakout", result="success", limit=3)
            assert len(page["outcomes"]) == 3 and page["older_before"], page
            ids = [one["id"] for one in page["outcomes"]]
            older = monitor.api("outcomes", strategy="breakout", before=page["older_before"])
            assert ids == sorted(ids, reverse=True) and older["outcomes"][0]["id"] < ids[-1]
            periods = monitor.api("history", minutes=60)["periods"]
            assert sum(one["success"] for one in periods) == sum(
                row["success"]
                for worker in (first, second)
                for row in totals_of(worker.state).values()
            )
            assert sum(one["answer_us"]["count"] for one in periods) == 33

            story = monitor.api("decision", partition="p0", strategy="mean-rev", decision="d-0-0")
            assert story["outcomes"][-1]["outcome"]["result"] == "success", story
            assert story["records"]["decision"]["decision_id"] == "d-0-0"
            assert [one["role"] for one in story["records"]["payloads"]][:2] == [
                "request",
                "response",
            ]
            elsewhere = monitor.api(
                "decision", partition="p1", strategy="crypto-grid", decision="d-0-0"
            )
            assert elsewhere["outcomes"] and elsewhere["records"] is None
            return f"{last_seq(first.state) + last_seq(second.state)} outcomes"


def test_killed_and_started_again_it_shows_the_same_and_what_came_meanwhile() -> str:
    with Simulator() as simulator, tempfile.TemporaryDirectory() as directory:
        store = pathlib.Path(directory) / "monitor.db"
        with Worker(simulator) as worker:
            for turn in range(3):
                with Monitor(*watching(worker), store=store) as monitor:
                    with Publisher(worker) as publisher:
                        for number in range(15):
                            publisher.accepted(f"d-{turn}-{number}", **COIN)
                            if number == 9:
                                # In the midst of it; the rest comes while nobody listens.
                                monitor.program.kill()
                    worker.final_outcome("s", f"d-{turn}-14")
            with Monitor(*watching(worker), store=store) as monitor:
                monitor.wait_for_seq("p0", last_seq(worker.state))
                assert totals_shown(monitor, "p0") == totals_of(worker.state)
                monitor.terminate()
            with sqlite3.connect(store) as database:
                kept = database.execute("SELECT body FROM outcomes ORDER BY seq").fetchall()
            stored = [json.loads(body) for body in worker.state.stored_outcomes()]
            assert [json.loads(body) for (body,) in kept] == stored
            return f"{len(kept)} outcomes over 3 kills"


def test_what_a_bad_network_loses_is_asked_for_again() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Relay(worker) as relay:
        with Monitor("--worker", f"p0={relay.outcomes},{relay.intake}") as monitor:
            eventually("the first heartbeat", lambda: monitor.partition("p0")["fresh"])
            trade(worker, "s", count=40)
            one = monitor.wait_for_seq("p0", last_seq(worker.state))
            assert totals_shown(monitor, "p0") == totals_of(worker.state)
            assert one["gaps"] > 0 and one["replayed"] > 0, one
            assert relay.lost > 0
            return f"{relay.lost} lost, {one['gaps']} gaps, {one['replayed']} replayed"


def test_a_worker_whose_intake_is_cut_off_is_heard_for_as_long_as_it_lives() -> str:
    with StandInWorker("p0") as worker, Monitor(*worker.flag) as monitor:
        eventually("the first heartbeat", lambda: monitor.partition("p0")["fresh"])
        worker.answers = False
        worker.loses = 1
        worker.say("s", "lost", "success")
        worker.loses = 0
        end = time.monotonic() + 9
        longest = 0
        while time.monotonic() < end:
            for number in range(20):
                worker.say("s", f"d-{len(worker.bodies)}", "success")
            time.sleep(0.1)
            longest = max(longest, monitor.partition("p0")["silent_ms"])
        # A heartbeat each second.
        assert longest < 4000, longest
        assert "behind" in monitor.partition("p0")["problems"]
        # One page asked for twice or thrice, and a rest; not with every message.
        assert worker.replays <= 6, worker.replays
        worker.beating = False
        died = time.monotonic()
        while time.monotonic() < died + 7:
            worker.say("s", f"d-{len(worker.bodies)}", "success")
            time.sleep(0.05)
        assert monitor.partition("p0")["fresh"] is False
        worker.answers = worker.beating = True
        monitor.wait_for_seq("p0", len(worker.bodies))
        assert totals_shown(monitor, "p0") == worker.totals()
        return f"silent for {longest} ms at most, {worker.replays} replays"


def test_a_partition_that_is_cut_off_is_shown_and_its_halts_too() -> None:
    with Simulator() as simulator:
        intake, outcomes = free_endpoints(2)
        flags = ("--partition", "p1", "--intake", intake, "--outcomes", outcomes)
        with State() as state, Worker(simulator, "--partition", "p0") as stays:
            with Worker(simulator, *flags, state=state) as goes:
                monitor = Monitor(*watching(stays, goes))
                eventually("both are heard", lambda: monitor.health()[0] == 200)
                subprocess.run(
                    [
                        *(str(binaries() / "trade-executor"), "halt", "--strategy", "s"),
                        *("--state-dir", str(state.path), "--reason", "<b>too hot</b>"),
                    ],
                    check=True,
                    capture_output=True,
                )
                one = eventually(
                    "the halt, and who made it",
                    lambda: (p := monitor.partition("p1"))["halts"] and p,
                )
                assert one["halts"][0]["reason"] == "<b>too hot</b>"
                assert "halted" in one["problems"], one
                metrics = monitor.metrics()
                assert metrics['trade_executor_strategy_halted{partition="p1",strategy="s"}'] == 1
            status, health = eventually(
                "the loss is noticed", lambda: (h := monitor.health())[0] == 503 and h
            )
            assert health["failing"] == ["p1"], health
            assert health["partitions"]["p0"]["fresh"] is True
            assert monitor.metrics()['trade_executor_up{partition="p1"}'] == 0
            assert "not_heard" in monitor.partition("p1")["problems"]
            with Worker(simulator, *flags, state=state):
                eventually("it is heard again", lambda: monitor.health()[0] == 200)
            monitor.__exit__()


def test_another_database_and_an_older_copy_are_shown_as_they_are() -> None:
    with StandInWorker("p0") as worker, Monitor(*worker.flag) as monitor:
        for number in range(700):
            worker.say("s", f"d-{number}", "success")
        monitor.wait_for_seq("p0", 700)
        # Restored from a copy of some time ago, and the numbers are given out again.
        with worker.lock:
            del worker.bodies[600:]
            worker.strategies = {"s": 600}
            worker.last = dict(list(worker.last.items())[:600])
        eventually("it is noticed", lambda: monitor.partition("p0")["went_back"] == 1)
        for number in range(50):
            worker.say("s", f"e-{number}", "failed", "rejected", message="no")
        monitor.wait_for_seq("p0", 650)
        assert totals_shown(monitor, "p0") == worker.totals()
        assert monitor.metrics()['trade_monitor_numbers_went_back_total{partition="p0"}'] == 1
        # What the copy had forgotten is still told.
        story = monitor.api("decision", partition="p0", strategy="s", decision="d-699")
        assert len(story["outcomes"]) == 1
        # Restored as the command does it: what the copy has names the stream before.
        with worker.lock:
            worker.stream = "restored"
            del worker.bodies[620:]
            worker.last = {
                (one["strategy_name"], one["decision_id"]): one
                for one in map(json.loads, worker.bodies)
            }
            worker.strategies = {"s": 620}
        worker.say("s", "f-1", "success")
        eventually("the copy is counted", lambda: totals_shown(monitor, "p0") == worker.totals())
        monitor.wait_for_seq("p0", 621)
        story = monitor.api("decision", partition="p0", strategy="s", decision="d-5")
        assert len(story["outcomes"]) == 1, "what was told before the restoration is there once"
        # A new one.
        with worker.lock:
            worker.stream, worker.bodies, worker.strategies, worker.last = "another", [], {}, {}
        worker.say("t", "d-1", "success")
        eventually("it is counted anew", lambda: totals_shown(monitor, "p0") == worker.totals())
        assert monitor.metrics()['trade_monitor_new_streams_total{partition="p0"}'] == 2


def test_a_worker_that_was_restored_is_shown_as_it_is_now() -> str:
    with Simulator() as simulator, State() as state:
        intake, outcomes = free_endpoints(2)
        flags = ("--intake", intake, "--outcomes", outcomes)

        def command(*arguments: str) -> None:
            line = [str(binaries() / "trade-executor"), *arguments, "--state-dir", str(state.path)]
            subprocess.run(line, check=True, capture_output=True)

        copy = str(state.path / "copy.db")
        with contextlib.ExitStack() as ending:
            with Worker(simulator, *flags, state=state) as worker:
                monitor = ending.enter_context(Monitor(*watching(worker)))
                trade(worker, "kept")
                wait_for_end(worker)
                command("backup", "--to", copy)
                trade(worker, "kept", "forgotten")
                wait_for_end(worker)
                monitor.wait_for_seq("p0", last_seq(state))
                assert worker.terminate() == 0
            command("restore", copy, "--move-aside")
            with Worker(simulator, *flags, state=state) as worker:
                command("resume")
                eventually("trading", lambda: not worker.status()["halted"])
                trade(worker, "new")
                wait_for_end(worker)
                held = totals_of(state)
                assert set(held) == {"kept", "new"}
                eventually("it is shown", lambda: totals_shown(monitor, "p0") == held)
                # What the database has forgotten, the monitor still tells.
                story = monitor.api("decision", strategy="forgotten", decision="d-0-0")
                assert story["outcomes"][-1]["outcome"]["result"] == "success"
                return f"{last_seq(state)} outcomes"


def test_another_database_that_came_while_the_monitor_was_away_is_noticed() -> None:
    with StandInWorker("p0") as worker, tempfile.TemporaryDirectory() as directory:
        store = pathlib.Path(directory) / "monitor.db"
        with Monitor(*worker.flag, store=store) as monitor:
            for number in range(20):
                worker.say("s", f"d-{number}", "success")
            monitor.wait_for_seq("p0", 20)
        with worker.lock:
            worker.stream, worker.bodies, worker.strategies, worker.last = "another", [], {}, {}
        for number in range(5):
            worker.say("s", f"e-{number}", "failed", None, reason="halted")
        with Monitor(*worker.flag, store=store) as monitor:
            eventually("it is counted", lambda: totals_shown(monitor, "p0") == worker.totals())
            # The lost database's outcomes are still told.
            assert monitor.api("outcomes", decision="d-19")["outcomes"]


def test_a_store_that_cannot_be_written_is_told_and_it_goes_on_when_it_can() -> None:
    # No file of the monitor's may become larger than this.
    limit = ["bash", "-c", 'ulimit -S -f 1200; exec "$@"', "monitor"]
    with StandInWorker("p0") as worker, Monitor(*worker.flag, wrapper=limit) as monitor:
        eventually("it is heard", lambda: monitor.health()[0] == 200)
        for number in range(3000):
            worker.say("s", f"d-{number}", "success")
        fault = eventually("it is told", lambda: monitor.health()[1]["store_fault"])
        assert "monitor.db" in fault and monitor.health()[0] == 503
        assert monitor.metrics()["trade_monitor_store_fault"] == 1
        process = str(monitor.program.process.pid)
        subprocess.run(["prlimit", "--pid", process, "--fsize=unlimited"], check=True)
        eventually("it goes on", lambda: monitor.health()[0] == 200)
        monitor.wait_for_seq("p0", 3000)
        assert totals_shown(monitor, "p0") == worker.totals()


def test_partitions_come_from_the_map_which_is_read_again() -> None:
    with Simulator() as simulator, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "partitions.json"

        def write(epoch: int, *workers: Worker) -> None:
            partitions = {
                worker.partition: {"intake": worker.intake, "outcomes": worker.outcomes}
                for worker in workers
            }
            new = path.with_suffix(".new")
            new.write_text(
                json.dumps({"v": 1, "epoch": epoch, "partitions": partitions, "strategies": {}})
            )
            new.rename(path)

        with (
            Worker(simulator, "--partition", "p0") as first,
            Worker(simulator, "--partition", "p1") as second,
        ):
            write(1, first)
            with Monitor("--partition-map", str(path)) as monitor:
                eventually("the first is heard", lambda: monitor.partition("p0")["fresh"])
                write(2, first, second)
                eventually(
                    "the second is heard",
                    lambda: [p["fresh"] for p in monitor.api("state")["partitions"]] == [True] * 2,
                )
                path.write_text("{")
                eventually("the broken edit is told", lambda: monitor.api("state")["map_fault"])
                assert len(monitor.api("state")["partitions"]) == 2
                write(1, first)
                eventually(
                    "the older map is told",
                    lambda: "older" in (monitor.api("state")["map_fault"] or ""),
                )
                assert len(monitor.api("state")["partitions"]) == 2
                write(3, second)
                eventually(
                    "the first is let go",
                    lambda: [p["partition"] for p in monitor.api("state")["partitions"]] == ["p1"],
                )
                assert monitor.api("state")["map_fault"] is None


def test_guarded_workers_are_read_with_a_key_that_may_only_read() -> None:
    with Simulator() as simulator, tempfile.TemporaryDirectory() as directory:
        ring = KeyRing(directory)
        ring.allow("monitor", "--role", "read")
        with Worker(simulator, *ring.flags()) as worker:
            own = str(ring.directory / "monitor.key_secret")
            keys = ("--client-key", own, "--server-public-key", str(ring.directory / "server.key"))
            with Monitor(*watching(worker), *keys) as monitor:
                eventually("it is heard", lambda: monitor.partition("p0")["fresh"])
                assert monitor.partition("p0")["encrypted"] is True
                log = monitor.log.read_text()
                assert "secret" not in log, log


def test_its_answers_are_for_its_own_page_only() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        hostile = "</script><img src=x onerror=alert(1)>"
        with Publisher(worker) as publisher, Monitor(*watching(worker)) as monitor:
            publisher.accepted("d-1", rationale={"why": hostile}, **COIN)
            worker.final_outcome("s", "d-1")
            monitor.wait_for_seq("p0", last_seq(worker.state))
            status, headers, body = monitor.ask("/")
            assert status == 200 and b"<title>trade-monitor</title>" in body
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy, policy
            assert "access-control-allow-origin" not in headers
            assert headers["x-content-type-options"] == "nosniff"
            assert b"<script>" not in body and b"style=" not in body and b"onclick" not in body
            for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""]:
                assert monitor.ask("/api/state", host=host)[0] == 421, host
            for host in ["localhost", f"LOCALHOST:{monitor.port}", "127.0.0.1", "[::1]:9"]:
                assert monitor.ask("/api/state", host=host)[0] == 200, host
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]:
                assert monitor.ask("/api/state", method=method)[0] == 405, method
            status, _, body = monitor.ask("/", method="HEAD")
            assert status == 200 and body == b""
            refused: list[tuple[str, Json]] = [
                ("/api/outcomes", {"limit": 100000}),
                ("/api/outcomes", {"since": "x"}),
                ("/api/outcomes", {"result": "won"}),
                ("/api/history", {"minutes": 0}),
                ("/api/open", {}),
                ("/api/decision", {}),
                ("/api/failures", {"strategy": "s" * 201}),
            ]
            for path, query in refused:
                assert monitor.ask(path, **query)[0] == 400, (path, query)
            assert monitor.ask("/../../etc/passwd")[0] == 404


def test_more_connections_than_it_may_have_do_not_end_it() -> None:
    few = ["bash", "-c", 'ulimit -n 100; exec "$@"', "monitor"]
    with StandInWorker("p0") as worker, Monitor(*worker.flag, wrapper=few) as monitor:
        eventually("it is heard", lambda: monitor.health()[0] == 200)
        with contextlib.ExitStack() as held:
            for _ in range(150):
                with contextlib.suppress(OSError):
                    held.enter_context(socket.create_connection(("127.0.0.1", monitor.port), 5))

        def answers() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return monitor.health()[0] == 200
            return False

        worker.say("s", "d-1", "success")
        eventually("it answers again", answers)
        monitor.wait_for_seq("p0", 1)


def test_wrong_usage_and_what_cannot_be_served_are_told() -> None:
    def fails(code: int, *flags: str) -> str:
        done = subprocess.run(
            [str(binaries() / "trade-monitor"), *flags], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code, (done.returncode, done.stderr)
        return done.stderr

    assert "--partition-map" in fails(64)
    assert "NAME=OUTCOMES,INTAKE" in fails(64, "--worker", "p0")
    with Simulator() as simulator, Worker(simulator) as worker, Monitor(*watching(worker)) as one:
        with tempfile.TemporaryDirectory() as directory:
            taken = ("--listen", f"127.0.0.1:{one.port}", "--store", f"{directory}/m.db")
            assert "choose another address with --listen" in fails(1, *watching(worker), *taken)
            # Two that count into the same store would count twice.
            own = fails(1, *watching(worker), "--listen", "127.0.0.1:0", "--store", str(one.store))
            assert "another trade-monitor keeps its store in" in own
            others = f"{directory}/others.db"
            with contextlib.closing(sqlite3.connect(others)) as database:
                database.execute("CREATE TABLE positions_of_mine (a)")
            assert "another program's database" in fails(1, *watching(worker), "--store", others)
            missing = ("--partition-map", f"{directory}/none.json")
            assert "none.json" in fails(1, *missing)
        began = time.monotonic()
        assert one.terminate() == 0
        assert time.monotonic() - began < 10


if __name__ == "__main__":
    main(globals())
