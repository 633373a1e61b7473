"""Stopping, crashing and starting again: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import signal
import json
import pathlib
import subprocess

import zmq

from harness import (
    COIN,
    KEY_ID,
    SECRET,
    Json,
    Publisher,
    Simulator,
    State,
    Subscriber,
    Worker,
    decision,
    eventually,
    main,
    run_and_fail,
)


def test_a_stop_finishes_the_request_in_flight() -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            with Subscriber(worker, "outcome|s|") as topic:
                simulator.fault("delay_after_recording", milliseconds=1500)
                publisher.accepted("flying")
                simulator.wait_for_post("s:flying")
                publisher.accepted("waiting")
                worker.program.process.terminate()
                assert topic.next()["decision_id"] == "flying"
                assert worker.program.wait() == 0
        rows = state.rows(
            "SELECT decision_id, status, (SELECT certainty FROM trade_executions"
            " WHERE trade_decision_id = trade_decisions.id) FROM trade_decisions ORDER BY id"
        )
        assert rows[0] in [("flying", "executing", "answered"), ("flying", "executed", "answered")]
        assert rows[1] == ("waiting", "pending", None), rows
        with Worker(simulator, state=state) as worker:
            for decision_id in ["flying", "waiting"]:
                assert worker.final_outcome("s", decision_id)["result"] == "success"
            assert worker.terminate() == 0
        ids = [post["client_order_id"] for post in simulator.posts()]
        assert ids == ["s:flying", "s:waiting"]


def test_a_stopping_worker_says_draining() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("delay_after_recording", milliseconds=3000)
        publisher.accepted("flying")
        simulator.wait_for_post("s:flying")
        worker.program.process.terminate()
        # The signal needs a moment to arrive.
        for number in range(10_000):
            publisher.send_bytes(json.dumps(decision(f"late-{number}", "other")).encode())
            ack = publisher.receive(patience=5)
            if ack["status"] == "refused":
                break
        assert (ack["code"], ack["retry"]) == ("draining", True), ack
        assert publisher.decide("flying")["duplicate"]
        assert worker.status()["draining"]
        assert worker.program.wait() == 0


def test_a_stop_with_nothing_to_finish_is_quick() -> None:
    with Simulator() as simulator:
        for send in [subprocess.Popen.terminate, lambda process: process.send_signal(2)]:
            with Worker(simulator) as worker:
                send(worker.program.process)
                assert worker.program.wait(10) == 0


def crash(fault: str, result: str) -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            simulator.fault(fault, milliseconds=1000, client_order_id="s:flying")
            publisher.accepted("flying")
            for number in range(3):
                publisher.accepted(f"waiting-{number}")
            simulator.wait_for_post("s:flying")
            worker.kill()
        with Worker(simulator, "--settle-time-s", "3", state=state) as worker:
            flying = worker.final_outcome("s", "flying")
            assert flying["result"] == result, flying
            first = worker.outcomes_of("s", "flying")[0]
            assert (first["result"], first["execution"]["certainty"]) == (
                "unknown",
                "unknown",
            ), first
            assert "stopped" in first["execution"]["error_message"], first
            for number in range(3):
                assert worker.final_outcome("s", f"waiting-{number}")["result"] == "success"
            with Publisher(worker) as publisher:
                ack = publisher.decide("flying")
                assert ack["duplicate"] and ack["outcome"] == flying, ack
        ids = [post["client_order_id"] for post in simulator.posts()]
        assert sorted(ids) == sorted(set(ids)) and len(ids) == 4, ids


def test_a_crash_in_flight_of_an_order_that_was_placed() -> None:
    crash("delay_after_recording", "success")


def test_a_crash_in_flight_of_an_order_that_is_placed_later() -> None:
    crash("delay_before_recording", "success")


def test_a_crash_in_flight_of_an_order_that_was_never_placed() -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            # The look-up is slow, so that the crash comes while the attempt is unknown.
            simulator.fault("close_before_recording")
            simulator.fault("delay_before_recording", milliseconds=3000, method="GET")
            publisher.accepted("lost")
            eventually("the unknown", lambda: worker.outcomes_of("s", "lost"))
            worker.kill()
        with Worker(simulator, "--settle-time-s", "2", state=state) as worker:
            last = worker.final_outcome("s", "lost")
            assert (last["result"], last["reason"]) == ("failed", "absent"), last
        assert len(simulator.posts()) == 1


def test_a_crash_while_decisions_pour_in_loses_none_that_was_acknowledged() -> str:
    acknowledged: list[str] = []
    kills = 8
    with Simulator() as simulator, State() as state:
        number = 0
        for _ in range(kills):
            with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
                for _ in range(40):
                    number += 1
                    body = decision(f"d-{number}", **COIN)
                    publisher.send_bytes(json.dumps(body).encode())
                # Not all of them are read: the crash comes in the middle of the others.
                for _ in range(20):
                    acknowledged.append(publisher.receive()["decision_id"])
                worker.kill()
        with Worker(simulator, "--settle-time-s", "2", state=state) as worker:
            publisher = Publisher(worker)
            # The publisher's rule: what has no answer is sent again.
            for again in range(1, number + 1):
                ack = publisher.decide(f"d-{again}", **COIN)
                assert ack["status"] == "accepted", ack
                assert ack["duplicate"] or f"d-{again}" not in acknowledged, ack
            eventually("the end of all", lambda: len(finals(worker)) == number)
            ends = finals(worker)
        ids = [post["client_order_id"] for post in simulator.posts()]
        # A crash between the durable intent and the first byte: never sent, found absent.
        absent = {f"s:{name}" for name, end in ends.items() if end["result"] != "success"}
        assert len(ids) == len(set(ids)) and set(ids) | absent == {f"s:{name}" for name in ends}
        assert not set(ids) & absent and len(absent) <= kills, absent
    return f"{kills} kills, {number} decisions, {len(absent)} not sent"


def finals(worker: Worker) -> dict[str, Json]:
    outcomes = worker.outcomes_of("s")
    assert [o["strategy_seq"] for o in outcomes] == list(range(1, len(outcomes) + 1))
    return {o["decision_id"]: o for o in outcomes if o["final"]}


def test_two_workers_never_share_a_state_directory_or_an_endpoint() -> None:
    with Simulator() as simulator, State() as other, Worker(simulator) as worker:
        common = ["--broker-url", simulator.url, "--outcomes", "tcp://127.0.0.1:*"]
        line = run_and_fail(
            *common, "--intake", "tcp://127.0.0.1:*", "--state-dir", str(worker.state.path)
        )
        assert str(worker.pid) in line, line
        line = run_and_fail(*common, "--intake", worker.intake, "--state-dir", str(other.path))
        assert worker.intake.rsplit(":", 1)[1] in line, line
        assert worker.status()["seq"] == 0


def test_whoever_can_reach_the_intake_can_trade_so_it_is_local() -> None:
    with Simulator() as simulator, State() as state:
        for endpoint in ["tcp://0.0.0.0:*", "tcp://*:5555", "tcp://192.168.0.1:5555"]:
            line = run_and_fail(
                *("--broker-url", simulator.url, "--state-dir", str(state.path)),
                *("--intake", endpoint),
            )
            assert "127.0.0.1" in line, line


def test_over_ipc_too() -> None:
    with Simulator() as simulator, State() as state:
        paths = [state.path / name for name in ["intake.sock", "outcomes.sock"]]
        flags = ["--intake", f"ipc://{paths[0]}", "--outcomes", f"ipc://{paths[1]}"]
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            assert [oct(path.stat().st_mode & 0o777) for path in paths] == ["0o600", "0o600"]
            publisher.accepted("d-1")
            assert worker.final_outcome("s", "d-1")["result"] == "success"


def test_secrets_stand_nowhere() -> None:
    with Simulator() as simulator, Worker(simulator, "--log-level", "debug") as worker:
        with Publisher(worker) as publisher:
            simulator.fault("html_504", contains="d-1")
            for name in ["d-1", "d-2"]:
                publisher.accepted(name)
                worker.final_outcome("s", name)
        command = pathlib.Path(f"/proc/{worker.pid}/cmdline").read_bytes()
        assert worker.terminate() == 0
        files = [path for path in worker.state.path.rglob("*") if path.is_file()]
        assert worker.state.database in files
        for content in [command, *(path.read_bytes() for path in files)]:
            assert KEY_ID.encode() not in content and SECRET.encode() not in content


def test_a_publisher_that_never_reads_harms_nobody() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        worker.halt_file("strategy-rude").touch()
        rude = worker.context.socket(zmq.DEALER)
        rude.linger = 0
        rude.rcvhwm = 1
        rude.connect(worker.intake)
        body = json.dumps(decision("d-1", "rude")).encode()
        for _ in range(5000):
            rude.send(body)
        with Publisher(worker) as publisher:
            publisher.accepted("d-1")
            assert worker.final_outcome("s", "d-1")["result"] == "success"


def test_a_terminal_that_is_closed_stops_it_in_order_unless_it_runs_under_nohup() -> None:
    # Whoever runs the tests may have them under nohup.
    heard = ["env", "--default-signal=HUP"]
    with Simulator() as simulator, Worker(simulator, wrapper=heard) as worker:
        worker.program.process.send_signal(signal.SIGHUP)
        assert worker.program.wait() == 0
        assert "stopped" in worker.state.log.read_text()
    with Simulator() as simulator, Worker(simulator, wrapper=["nohup"]) as worker:
        worker.program.process.send_signal(signal.SIGHUP)
        with Publisher(worker) as publisher:
            publisher.accepted("d-1")
            worker.final_outcome("s", "d-1")
        assert worker.terminate() == 0


if __name__ == "__main__":
    main(globals())
