"""What a client in any language has to do, checked on its two sample programs.

They have the same arguments in each language:
    publish DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
    subscribe STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from harness import (
    COIN,
    PATIENCE,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    decision,
    die_with_parent,
    eventually,
    strict_json,
)
from relay import Relay
from test_access import key_ring


@dataclass
class Client:
    """The commands of one language's samples, each to be followed by arguments."""

    publish: list[str]
    subscribe: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, command: list[str], *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.environment},
            preexec_fn=die_with_parent,
        )

    def ack(self, *arguments: str, code: int = 0) -> Json:
        """What the publisher prints: the acknowledgement."""
        return finish(self.start(self.publish, *arguments), code)


def finish(process: subprocess.Popen[bytes], code: int = 0) -> Json:
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, (process.returncode, output, errors)
    ack: Json = strict_json(output)
    return ack


class Follower:
    """A subscriber's program, and all that it has printed, over as many lives as it has."""

    def __init__(self, client: Client, strategy: str, *endpoints: str, counter: int = 0):
        self.client = client
        self.strategy = strategy
        self.endpoints = endpoints
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.position_file = pathlib.Path(self.directory.name) / "position"
        if counter:
            self.position_file.write_text(json.dumps({"stream": None, "counter": counter}))
        self.output = (pathlib.Path(self.directory.name) / "output").open("w+b")
        self.log = (pathlib.Path(self.directory.name) / "log").open("w+b")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*self.client.subscribe, self.strategy, str(self.position_file), *self.endpoints],
            stdout=self.output,
            stderr=self.log,
            env={**os.environ, **self.client.environment},
            preexec_fn=die_with_parent,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.output.close()
        self.log.close()
        self.directory.cleanup()

    def lines(self) -> list[bytes]:
        text = pathlib.Path(self.output.name).read_bytes()
        return [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def outcomes(self) -> list[Json]:
        return [strict_json(line) for line in self.lines()]

    def position(self) -> Json:
        position: Json = json.loads(self.position_file.read_text())
        return position

    def gets(self, outcomes: list[bytes]) -> None:
        """Waits until it has printed so many, and compares: each once and in order."""
        try:
            eventually(f"{len(outcomes)} outcomes", lambda: len(self.lines()) >= len(outcomes))
        except AssertionError as error:
            log = pathlib.Path(self.log.name).read_text()
            raise AssertionError(f"{error}; it has {len(self.lines())}; {log}") from error
        assert self.outcomes() == [strict_json(body) for body in outcomes]

    def gets_all(self, worker: Worker) -> None:
        self.gets(worker.state.stored_outcomes(self.strategy))


def wait_until_all_ended(worker: Worker) -> None:
    """After this no outcome of what was accepted so far is to come."""
    living = "SELECT count(*) FROM trade_decisions WHERE status IN ('pending', 'executing')"
    eventually("the end of all decisions", lambda: worker.state.rows(living) == [(0,)])


def publishes_and_tells_what_is_refused(client: Client) -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        message = json.dumps(decision("d-1"))
        for duplicate in [False, True]:
            ack = client.ack(message, worker.intake)
            assert (ack["status"], ack["duplicate"]) == ("accepted", duplicate), ack
        other = json.dumps(decision("d-1", quantity="2"))
        assert client.ack(other, worker.intake, code=1)["code"] == "id_conflict"
        nothing = json.dumps(decision("d-2", quantity="0"))
        ack = client.ack(nothing, worker.intake, code=1)
        assert (ack["code"], ack["field"], ack["retry"]) == ("bad_field", "quantity", False), ack
        assert worker.final_outcome("s", "d-1")["result"] == "success"
        assert len(simulator.posts()) == 1


def sends_the_same_bytes_to_a_frozen_worker_again(client: Client) -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Relay(worker) as relay:
        worker.program.process.send_signal(signal.SIGSTOP)
        publisher = client.start(client.publish, json.dumps(decision("d-1")), relay.intake)
        eventually("the same again", lambda: len(relay.requests) > 1)
        worker.program.process.send_signal(signal.SIGCONT)
        ack = finish(publisher)
        assert (ack["status"], ack["duplicate"]) == ("accepted", True), ack
        assert len(set(relay.requests)) == 1, relay.requests
        assert worker.final_outcome("s", "d-1")["result"] == "success"
        assert len(simulator.posts()) == 1


def follows_without_gaps(client: Client) -> str:
    """Through a relay that loses and doubles, over a death of the subscriber and another database."""
    with Simulator() as simulator, State() as state, State() as other_state, State() as sockets:
        endpoints = [f"ipc://{sockets.path}/{name}" for name in ["intake", "outcomes"]]
        flags = ["--intake", endpoints[0], "--outcomes", endpoints[1]]
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            with (
                Relay(worker) as relay,
                Follower(client, "s", relay.outcomes, relay.intake) as follower,
            ):
                publisher.accepted("first", **COIN)
                eventually("an outcome", follower.lines)
                for number in range(20):
                    publisher.accepted(f"d-{number}", **COIN)
                    publisher.accepted(f"d-{number}", "other", **COIN)
                wait_until_all_ended(worker)
                follower.gets_all(worker)
                follower.kill()
                # Killed between handling an outcome and keeping its place it would get it again.
                stored = worker.state.stored_outcomes("s")
                kept = follower.position()
                assert len(stored) - kept["counter"] in [0, 1], kept
                for number in range(20, 30):
                    publisher.accepted(f"d-{number}", **COIN)
                wait_until_all_ended(worker)
                follower.start()
                again = stored[kept["counter"] :]
                stored += again + worker.state.stored_outcomes("s")[len(stored) :]
                follower.gets(stored)
                lost, doubled = relay.lost, relay.doubled
                assert lost and doubled
        # Directly, since the relay is gone, to see another database at the same address.
        with Follower(client, "s", endpoints[1], endpoints[0]) as follower:
            with Worker(simulator, *flags, state=state) as worker:
                follower.gets_all(worker)
                first = worker.state.stored_outcomes("s")
            with Worker(simulator, *flags, state=other_state) as worker:
                with Publisher(worker) as publisher:
                    publisher.accepted("d-100", **COIN)
                wait_until_all_ended(worker)
                second = worker.state.stored_outcomes("s")
                follower.gets(first + second)
                here = {"stream": strict_json(second[-1])["stream"], "counter": len(second)}
                eventually("its position", lambda: follower.position() == here)
    return f"{lost} outcomes lost on the way, {doubled} doubled, all printed once"


def goes_on_after_a_restoration(client: Client) -> None:
    """Outcomes from before it name the stream of then, but their place is one of the stream of now."""
    with Simulator() as simulator, State() as state, State() as lost:
        with Worker(simulator, state=lost) as worker, Publisher(worker) as publisher:
            publisher.accepted("before", **COIN)
            wait_until_all_ended(worker)
            copy = lost.path / "copy.db"
            operate("backup", "--state-dir", lost.path, "--to", copy)
        operate("restore", copy, "--state-dir", state.path)
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            with Follower(client, "s", worker.outcomes, worker.intake) as follower:
                follower.gets_all(worker)
                count = len(follower.lines())
                here = {"stream": worker.status()["stream"], "counter": count}
                eventually("its position", lambda: follower.position() == here)
                assert strict_json(follower.lines()[-1])["stream"] != here["stream"]
                follower.kill()
                follower.start()
                operate("resume", "--state-dir", state.path)
                publisher.accepted("after", **COIN)
                wait_until_all_ended(worker)
                follower.gets_all(worker)


def operate(*arguments: object) -> None:
    subprocess.run(
        [str(binaries() / "trade-executor"), *map(str, arguments)],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )


def shows_its_keys(client: Client) -> None:
    with Simulator() as simulator, key_ring() as ring:
        for name, *rights in [
            ("alice", "--strategy", "s"),
            ("bob", "--strategy", "other"),
            ("monitor", "--role", "read"),
        ]:
            ring.allow(name, *rights)
        ring.generate("carol")
        with Worker(simulator, *ring.flags()) as worker:

            def keys(name: str) -> list[str]:
                return [str(ring.directory / file) for file in [f"{name}.key_secret", "server.key"]]

            def arguments(number: int, name: str) -> list[str]:
                return [json.dumps(decision(f"d-{number}")), worker.intake, *keys(name)]

            strange = client.start(client.publish, *arguments(1, "carol"))
            plain = client.start(client.publish, json.dumps(decision("d-2")), worker.intake)
            endpoints = [worker.outcomes, worker.intake]
            with (
                Follower(client, "s", *endpoints, *keys("carol")) as stranger,
                Follower(client, "s", *endpoints, *keys("monitor")) as monitor,
            ):
                ack = client.ack(*arguments(3, "alice"))
                assert ack["status"] == "accepted", ack
                for name in ["bob", "monitor"]:
                    ack = client.ack(*arguments(4, name), code=1)
                    assert (ack["code"], ack["retry"]) == ("not_authorised", False), ack
                # Long enough to have tried again.
                time.sleep(2.5)
                assert strange.poll() is None and plain.poll() is None
                assert worker.state.rows("SELECT decision_id FROM trade_decisions") == [("d-3",)]
                assert not stranger.lines()
                # Whoever is let in need not start again.
                ring.allow("carol", "--strategy", "s")
                assert finish(strange)["status"] == "accepted"
                wait_until_all_ended(worker)
                for follower in [stranger, monitor]:
                    follower.gets_all(worker)
            assert plain.poll() is None, plain.communicate()
            plain.kill()
            plain.communicate()
