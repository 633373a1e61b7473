"""The kill switch: from outside while the worker hangs, by the worker itself, and on record."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from harness import (
    COIN,
    PATIENCE,
    Json,
    NotPossible,
    Publisher,
    Simulator,
    State,
    Subscriber,
    Worker,
    binaries,
    eventually,
    main,
)


def command(state: State, *arguments: str, code: int = 0) -> str:
    """Runs a command of an operator in its own process, as one does beside a worker that hangs."""
    done = subprocess.run(
        [str(binaries() / "trade-executor"), *arguments, "--state-dir", str(state.path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == code, (arguments, done)
    return done.stdout + done.stderr


EVENTS = "SELECT action, scope, hold, reason, by_whom FROM halt_events ORDER BY id"


def events(state: State, count: int) -> list[tuple[str, str, int, str | None, str | None]]:
    """The entries on record, once there are so many."""
    return eventually(f"{count} halt events", lambda: (r := state.rows(EVENTS))[count - 1 :] and r)


def frozen_while_waiting(*arguments: str) -> tuple[set[str], list[str]]:
    """Freezes a worker while decisions wait, halts, and lets it go on.

    Gives the strategies of which anything was sent after the halt, and what was refused."""
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("delay_before_recording", milliseconds=1000)
        publisher.accepted("first", "slow")
        simulator.wait_for_post("slow:first")
        for number in range(10):
            for strategy in ["a", "b"]:
                publisher.accepted(f"d-{number}", strategy)
        os.kill(worker.pid, signal.SIGSTOP)
        # The broker's answer comes while the worker hangs; the next order is the first thing that it would do.
        time.sleep(1.2)
        said = command(worker.state, "halt", *arguments)
        assert said.startswith("halted"), said
        before = len(simulator.posts())
        os.kill(worker.pid, signal.SIGCONT)
        for strategy in ["a", "b"]:
            worker.final_outcome(strategy, "d-9")
        sent = {post["client_order_id"].split(":")[0] for post in simulator.posts()[before:]}
        refused = [
            row[0]
            for row in worker.state.rows(
                "SELECT DISTINCT strategy_name FROM trade_decisions WHERE failure_reason = 'halted'"
                " ORDER BY 1"
            )
        ]
        return sent, refused


def test_a_halt_of_all_stops_a_worker_that_hangs() -> None:
    assert frozen_while_waiting() == (set(), ["a", "b"])


def test_a_halt_of_one_strategy_stops_that_one_in_a_worker_that_hangs() -> None:
    assert frozen_while_waiting("--strategy", "a") == ({"b"}, ["a"])


def test_who_halted_and_resumed_when_and_why_is_on_record() -> None:
    with Simulator() as simulator, State() as state:
        # Before there is a worker.
        command(state, "halt", "--strategy", "s", "--reason", "drawdown", "--hold")
        with Worker(simulator, state=state) as worker:
            assert [row[:4] for row in events(state, 1)] == [
                ("halted", "strategy-s", 1, "drawdown")
            ]
            halts = worker.status()["halts"]
            assert len(halts) == 1 and halts[0]["scope"] == "s" and halts[0]["hold"], halts
            assert "@" in halts[0]["by"] and halts[0]["reason"] == "drawdown", halts
            os.kill(worker.pid, signal.SIGSTOP)
            command(state, "resume", "--strategy", "s", "--reason", "looked at it")
            command(state, "halt", "--reason", "news")
            os.kill(worker.pid, signal.SIGCONT)
            events(state, 3)
        # While it is stopped.
        command(state, "resume")
        listed = [
            json.loads(line) for line in command(state, "halt", "--list", "--json").splitlines()
        ]
        assert [one["entry"] for one in listed] == [
            "resumed",
            "halted",
            "resumed",
            "halted",
        ], listed
        with Worker(simulator, state=state):
            rows = events(state, 4)
        assert [row[:4] for row in rows] == [
            ("halted", "strategy-s", 1, "drawdown"),
            ("resumed", "strategy-s", 0, "looked at it"),
            ("halted", "all", 0, "news"),
            ("resumed", "all", 0, None),
        ], rows
        assert all("@" in row[4] for row in rows), rows
        # Not told twice, whichever worker has read it.
        with Worker(simulator, state=state):
            time.sleep(2.5)
        assert state.rows(EVENTS) == rows
        text = command(state, "halt", "--list")
        assert text.startswith("nothing is halted\n") and "looked at it" in text, text


def test_what_is_done_by_hand_is_noticed_and_recorded() -> None:
    by_hand = "by hand, noticed by the worker"
    with Simulator() as simulator, Worker(simulator) as worker:
        worker.halt_file("all").touch()
        assert events(worker.state, 1) == [("halted", "all", 0, by_hand, None)]
        worker.halt_file("all").unlink()
        assert events(worker.state, 2)[1] == ("resumed", "all", 0, by_hand, None)
        command(worker.state, "halt", "--reason", "x")
        events(worker.state, 3)
        worker.halt_file("all").unlink()
        assert events(worker.state, 4)[3] == ("resumed", "all", 0, by_hand, None)
        time.sleep(2.5)
        assert len(worker.state.rows(EVENTS)) == 4


def test_half_a_line_and_nonsense_hide_no_entry() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        history = worker.state.path / "halt-history.jsonl"
        history.write_bytes(b'\xff\xfe nonsense\n{"at":"never"}\n{"at":"2026-11-22T14:30:0')
        command(worker.state, "halt", "--reason", "after a torn line")
        assert [row[3] for row in events(worker.state, 1)] == ["after a torn line"]
        log = worker.state.log.read_text()
        # The torn one may have been left for another heartbeat.
        counts = re.findall(r"make no sense are passed over: (\d+)", log)
        assert sum(map(int, counts)) == 3, log
        # Another file in its place is read from its beginning.
        command(worker.state, "resume")
        events(worker.state, 2)
        history.unlink()
        command(worker.state, "halt", "--reason", "another file")
        assert events(worker.state, 3)[2][3] == "another file"


def test_a_line_longer_than_any_hides_no_entry_and_keeps_no_worker_from_starting() -> None:
    with Simulator() as simulator, State() as state:
        command(state, "halt", "--reason", "before")
        history = state.path / "halt-history.jsonl"
        with history.open("ab") as file:
            file.write(b"x" * 200_000)
        with Worker(simulator, state=state) as worker:
            assert [row[3] for row in events(state, 1)] == ["before"]
            assert "before" in command(state, "halt", "--list")
            command(state, "resume", "--reason", "after")
            assert [row[3] for row in events(state, 2)] == ["before", "after"]
            assert "after" in command(state, "halt", "--list")
            time.sleep(2.5)
            assert len(state.rows(EVENTS)) == 2
            assert worker.state.log.read_text().count("passed over: 1") == 1
        with Worker(simulator, state=state):
            time.sleep(1.5)
            assert len(state.rows(EVENTS)) == 2


def test_a_folder_that_cannot_be_listed_ends_no_halt_on_record() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        command(worker.state, "halt", "--strategy", "s")
        events(worker.state, 1)
        folder = worker.state.path / "halt"
        away = worker.state.path / "away"
        folder.rename(away)
        folder.touch()
        eventually("all is halted", lambda: worker.status()["halted"] == ["all"])
        time.sleep(3.5)
        folder.unlink()
        away.rename(folder)
        time.sleep(2.5)
        assert worker.status()["halted"] == ["s"]
        assert [row[:2] for row in worker.state.rows(EVENTS)] == [("halted", "strategy-s")]


def test_while_nobody_can_tell_whether_all_is_halted_nothing_is_sent_and_the_waiting_wait() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        folder = worker.state.path / "halt"
        simulator.fault("delay_before_recording", milliseconds=1000)
        publisher.accepted("first", **COIN)
        publisher.accepted("waits", **COIN)
        simulator.wait_for_post("s:first")
        hidden = folder.with_name("hidden")
        folder.rename(hidden)
        folder.symlink_to("not/mounted")
        eventually("all is halted", lambda: worker.status()["halted"] == ["all"])
        assert worker.status()["halts"][0]["hold"]
        assert publisher.decide("next")["code"] == "halted"
        worker.final_outcome("s", "first")
        # A file takes the link's place, without a moment between.
        file = folder.with_name("file")
        file.touch()
        file.rename(folder)
        assert publisher.decide("next")["code"] == "halted"
        time.sleep(1.5)
        assert worker.status()["halted"] == ["all"] and len(simulator.posts()) == 1
        said = command(worker.state, "status", "--intake", worker.intake)
        assert "halt files cannot be read" in said and "Not a directory" in said, said
        folder.unlink()
        hidden.rename(folder)
        assert worker.final_outcome("s", "waits")["result"] == "success"


def test_a_file_that_halts_nothing_is_warned_of_once_and_named_by_status() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        worker.halt_file("ALL").touch()
        log = worker.state.log
        eventually("the warning", lambda: '"ALL" the first' in log.read_text())
        time.sleep(2.5)
        assert log.read_text().count("files that halt nothing") == 1
        assert "halt/ALL halts nothing" in command(
            worker.state, "status", "--intake", worker.intake
        )
        publisher.accepted("d", **COIN)


def test_an_operators_halt_and_resumption_end_the_row_of_broker_errors() -> None:
    with Simulator() as simulator, Worker(simulator, "--halt-after-errors", "2") as worker:
        with Publisher(worker) as publisher:
            simulator.fault("text_429", times=2)
            publisher.accepted("d-1")
            worker.final_outcome("s", "d-1")
            command(worker.state, "halt")
            eventually("the halt", lambda: worker.status()["halted"] == ["all"])
            events(worker.state, 1)
            command(worker.state, "resume")
            events(worker.state, 2)
            publisher.accepted("d-2")
            worker.final_outcome("s", "d-2")
            publisher.accepted("d-3", **COIN)
            assert worker.final_outcome("s", "d-3")["result"] == "success"


def test_a_history_that_cannot_be_written_stops_no_halt_but_a_resumption() -> None:
    with State() as state:
        (state.path / "halt-history.jsonl").mkdir()
        assert "Warning: halted" in command(state, "halt")
        assert (state.path / "halt/all").exists()
        assert "NOT resumed" in command(state, "resume", code=1)
        assert (state.path / "halt/all").exists()


def test_broker_errors_in_a_row_halt_all_before_the_next_order() -> None:
    def fail(publisher: Publisher, worker: Worker, decision_id: str) -> None:
        simulator.fault("json_500_unrecorded", client_order_id=f"s:{decision_id}")
        publisher.accepted(decision_id)
        eventually("it is lost", lambda: worker.outcomes_of("s", decision_id))

    flags = ["--halt-after-errors", "3"]
    with Simulator() as simulator, State() as state:
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            for number in range(2):
                fail(publisher, worker, f"e-{number}")
            # An order that is refused ends the row, and counts for none.
            publisher.accepted("refused", symbol="NOSUCH")
            assert worker.final_outcome("s", "refused")["execution"]["http_status_code"] == 422
            for number in range(2):
                fail(publisher, worker, f"f-{number}")
            assert worker.status()["halted"] == []
            simulator.fault("delay_before_recording", milliseconds=500, client_order_id="s:slow")
            publisher.accepted("slow")
            for number in range(5):
                simulator.fault("json_500_unrecorded", client_order_id=f"s:w-{number}")
                publisher.accepted(f"w-{number}")
            for number in [3, 4]:
                assert worker.final_outcome("s", f"w-{number}")["reason"] == "halted"
            posts = [post["client_order_id"] for post in simulator.posts()]
            assert posts[5:] == ["s:slow", "s:w-0", "s:w-1", "s:w-2"], posts
            assert publisher.decide("later")["code"] == "halted"
            halt = worker.status()["halts"][0]
            assert halt["by"] == "trade-executor" and not halt["hold"], halt
            assert "3 broker errors in a row (halt_after_errors is 3)" in halt["reason"], halt
            assert worker.halt_file("all").exists()
            assert events(state, 1)[0][4] == "trade-executor"
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            assert publisher.decide("later")["code"] == "halted"
            command(state, "resume", "--reason", "mended")
            publisher.accepted("later")
            assert worker.final_outcome("s", "later")["result"] == "success"
            # The errors count from none.
            for number in range(2):
                fail(publisher, worker, f"g-{number}")
            assert worker.status()["halted"] == []
            assert [row[0] for row in events(state, 2)] == ["halted", "resumed"]


def test_keys_that_are_not_known_halt_all() -> None:
    wrong = {"APCA_API_SECRET_KEY": "another secret".replace(" ", "-")}
    with Simulator() as simulator:
        with Worker(simulator, "--halt-after-errors", "2", environment=wrong) as worker:
            with Publisher(worker) as publisher:
                for number in range(5):
                    publisher.decide(f"d-{number}")
                assert eventually("a halt", lambda: worker.status()["halted"]) == ["all"]
                codes = [
                    row[0]
                    for row in worker.state.rows("SELECT http_status_code FROM trade_executions")
                ]
                assert codes == [401, 401], codes
                halt = worker.status()["halts"][0]
                assert "HTTP 401" in halt["reason"], halt
                command(worker.state, "resume")
                # After that it takes as many again.
                assert publisher.decide("again")["status"] == "accepted"
                worker.final_outcome("s", "again")
                assert worker.status()["halted"] == []


def test_too_many_unknown_attempts_halt_all_and_old_ones_do_not_halt_it_again() -> None:
    flags = ["--halt-over-unknown", "2", "--settle-time-s", "3600"]
    with Simulator() as simulator, State() as state:

        def lose(publisher: Publisher, worker: Worker, decision_id: str) -> None:
            simulator.fault("close_before_recording")
            publisher.accepted(decision_id)
            eventually("it is lost", lambda: worker.outcomes_of("s", decision_id))

        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            for number in range(3):
                assert worker.status()["halted"] == []
                lose(publisher, worker, f"u-{number}")
            halts = eventually("a halt", lambda: worker.status()["halts"])
            assert "3 attempts are unknown (halt_over_unknown is 2)" in halts[0]["reason"], halts
            posts = len(simulator.posts())
            assert publisher.decide("next")["code"] == "halted"
            command(state, "resume")
            publisher.accepted("next", **COIN)
            assert worker.final_outcome("s", "next")["result"] == "success"
            # One that is lost and found at once is no more than that.
            simulator.fault("close_after_recording")
            publisher.accepted("found", **COIN)
            assert worker.final_outcome("s", "found")["result"] == "success"
            assert "unknown" in [one["result"] for one in worker.outcomes_of("s", "found")]
            publisher.accepted("last", **COIN)
            assert worker.final_outcome("s", "last")["result"] == "success"
            assert worker.status()["halted"] == []
            assert len(simulator.posts()) == posts + 3
        # Nor does a worker that is started later.
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            time.sleep(1.5)
            assert worker.status()["unknown"] == 3 and worker.status()["halted"] == []
            lose(publisher, worker, "u-3")
            assert eventually("a halt", lambda: worker.status()["halted"]) == ["all"]


def test_its_own_halt_can_let_the_waiting_wait() -> None:
    flags = ["--halt-after-errors", "1", "--halt-holds", "true"]
    with Simulator() as simulator, Worker(simulator, *flags) as worker:
        with Publisher(worker) as publisher:
            simulator.fault("delay_before_recording", milliseconds=500, client_order_id="s:slow")
            publisher.accepted("slow")
            simulator.fault("json_500_unrecorded", client_order_id="s:error")
            publisher.accepted("error")
            publisher.accepted("waits")
            eventually("a halt", lambda: worker.status()["halted"])
            time.sleep(1.5)
            assert worker.status()["pending"] == 1
            assert publisher.decide("new")["code"] == "halted"
            command(worker.state, "resume")
            assert worker.final_outcome("s", "waits")["result"] == "success"


def test_its_own_halt_stands_in_memory_while_its_file_cannot_be_written() -> None:
    with Simulator() as simulator, Worker(simulator, "--halt-after-errors", "1") as worker:
        with Publisher(worker) as publisher, Subscriber(worker) as topic:
            folder = worker.state.path / "halt"
            folder.rmdir()
            # In its place is one that can be listed, and in which nobody can make a file.
            folder.symlink_to("/proc/sys")
            simulator.fault("json_500_unrecorded")
            publisher.accepted("error")
            eventually("it is lost", lambda: worker.outcomes_of("s", "error"))
            assert publisher.decide("next")["code"] == "halted"
            assert topic.next("heartbeat")["halted"] == ["all"]
            shown = json.loads(command(worker.state, "status", "--json", "--intake", worker.intake))
            assert [halt["by"] for halt in shown["halts"]] == ["trade-executor"], shown
            log = worker.state.log.read_text()
            assert log.count("the halt stands in memory") == 1, log
            # On record it is once, when its file is there.
            time.sleep(2.5)
            assert worker.state.rows(EVENTS) == []
            folder.unlink()
            folder.mkdir()
            eventually("the file", worker.halt_file("all").exists)
            assert publisher.decide("next")["code"] == "halted"
            command(worker.state, "resume")
            publisher.accepted("next")
            assert worker.final_outcome("s", "next")["result"] == "success"
            assert len(simulator.posts()) == 2
            assert [row[0] for row in events(worker.state, 2)] == ["halted", "resumed"]


def test_a_full_disk_keeps_the_record_for_later() -> None:
    """The database cannot be written for a while; what is halted meanwhile is recorded after."""
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        import resource

        try:
            limits = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        except (PermissionError, AttributeError) as error:
            raise NotPossible(str(error)) from error
        command(worker.state, "halt", "--strategy", "x", "--reason", "while it is full")
        eventually("it fails", lambda: worker.status()["storage_fault"])
        assert publisher.decide("d-1")["code"] == "storage_failed"
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, limits)
        assert events(worker.state, 1)[0][3] == "while it is full"
        assert len(worker.state.rows(EVENTS)) == 1
        publisher.accepted("d-1")
        assert worker.final_outcome("s", "d-1")["result"] == "success"


def test_nothing_is_written_while_nothing_is_halted_or_resumed() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        command(worker.state, "halt")
        events(worker.state, 1)
        time.sleep(1.5)
        log = worker.state.path / "trades.db-wal"

        def written() -> tuple[int, int, int]:
            files: list[pathlib.Path] = [log, worker.state.database]
            sizes = [file.stat().st_size for file in files]
            return (sizes[0], sizes[1], log.stat().st_mtime_ns)

        before = written()
        time.sleep(3)
        assert written() == before


if __name__ == "__main__":
    main(globals())
