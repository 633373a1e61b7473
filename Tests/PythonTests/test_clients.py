"""The example clients of deploy/clients, and subscribers that are frozen, slow or late."""

from __future__ import annotations

import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from harness import (
    CLIENTS,
    COIN,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    die_with_parent,
    decision,
    eventually,
    main,
    strict_json,
)


class Follower:
    """subscribe.py as a process."""

    def __init__(self, worker: Worker, strategy: str, after: int = 0):
        self.file = tempfile.NamedTemporaryFile(prefix="trade-executor-test-")
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(CLIENTS / "subscribe.py"), strategy, str(after)),
                *(worker.outcomes, worker.intake),
            ],
            stdout=self.file,
            preexec_fn=die_with_parent,
        )

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.file.close()

    def lines(self) -> list[bytes]:
        text = pathlib.Path(self.file.name).read_bytes()
        return [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def outcomes(self) -> list[Json]:
        return [strict_json(line) for line in self.lines()]

    def gets_all(self, worker: Worker, strategy: str) -> None:
        """Waits until it has what is stored, each once and in order."""
        stored = worker.state.stored_outcomes(strategy)
        eventually(f"{len(stored)} outcomes", lambda: len(self.lines()) >= len(stored))
        assert self.outcomes() == [strict_json(body) for body in stored]


def publish(worker_intake: str, message: Json) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(CLIENTS / "publish.py"), json.dumps(message), worker_intake],
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )


def test_the_publisher_of_the_readme() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        message = decision("d-1")
        del message["v"]
        for duplicate in [False, True]:
            output, _ = publish(worker.intake, message).communicate(timeout=60)
            ack = strict_json(output)
            assert (ack["status"], ack["duplicate"]) == ("accepted", duplicate), ack


def test_the_publisher_waits_for_a_worker_that_is_not_there_yet() -> None:
    with Simulator() as simulator, State() as state:
        endpoint = f"ipc://{state.path}/intake.sock"
        publisher = publish(endpoint, decision("d-1"))
        # Longer than it waits for one answer, so that it sends again.
        time.sleep(2.5)
        with Worker(simulator, "--intake", endpoint, state=state) as worker:
            output, _ = publisher.communicate(timeout=60)
            assert strict_json(output)["status"] == "accepted"
            assert worker.final_outcome("s", "d-1")["result"] == "success"
        assert len(simulator.posts()) == 1


def test_a_frozen_subscriber_slows_nobody_and_catches_up() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        with Follower(worker, "s") as frozen, Follower(worker, "s") as healthy:
            publisher.accepted("first", **COIN)
            for follower in [frozen, healthy]:
                eventually("the first outcome", follower.outcomes)
            frozen.process.send_signal(signal.SIGSTOP)
            times: list[float] = []
            count = 300
            for number in range(count):
                sent = time.monotonic()
                publisher.accepted(f"d-{number}", **COIN)
                times.append((time.monotonic() - sent) * 1000)
            worker.final_outcome("s", f"d-{count - 1}")
            healthy.gets_all(worker, "s")
            assert len(frozen.outcomes()) < len(healthy.outcomes())
            frozen.process.send_signal(signal.SIGCONT)
            frozen.gets_all(worker, "s")
        median, worst = statistics.median(times), max(times)
        assert median < 50 and worst < 1000, (median, worst)
    return f"{count} acks meanwhile, median {median:.2f} ms, worst {worst:.1f} ms"


def test_a_subscriber_that_comes_late_or_again_has_everything_once() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        # More than one page of replay.
        count = 300
        for number in range(count):
            publisher.accepted(f"d-{number}", **COIN)
            publisher.accepted(f"d-{number}", "other", **COIN)
        for strategy in ["s", "other"]:
            worker.final_outcome(strategy, f"d-{count - 1}")
        total = len(worker.state.stored_outcomes("s"))
        assert total > 500
        with Follower(worker, "s") as late, Follower(worker, "s", after=total - 3) as again:
            late.gets_all(worker, "s")
            eventually("the last three", lambda: again.outcomes() == late.outcomes()[-3:])


def test_a_subscriber_lives_through_a_crash_of_the_worker() -> None:
    with Simulator() as simulator, State() as state:
        endpoints = [f"ipc://{state.path}/{name}.sock" for name in ["intake", "outcomes"]]
        flags = ["--intake", endpoints[0], "--outcomes", endpoints[1]]
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            follower = Follower(worker, "s")
            publisher.accepted("d-1")
            eventually("the first outcome", follower.outcomes)
            simulator.fault("delay_after_recording", milliseconds=1000)
            publisher.accepted("d-2")
            simulator.wait_for_post("s:d-2")
            worker.kill()
        with follower, Worker(simulator, *flags, state=state) as worker:
            worker.final_outcome("s", "d-2")
            follower.gets_all(worker, "s")


if __name__ == "__main__":
    main(globals())
