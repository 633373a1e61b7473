"""`trade-executor conformance`: at a guarded worker, and with `--client` before clients, good and bad."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import zmq

from harness import (
    PATIENCE,
    REPOSITORY,
    Json,
    Simulator,
    Worker,
    binaries,
    decision,
    die_with_parent,
    main,
)
from test_access import key_ring

sys.path.insert(0, str(REPOSITORY / "deploy/clients/python/src"))

import trade_executor_client as client  # noqa: E402

CONFORMANCE = [str(binaries() / "trade-executor"), "conformance", "--json"]


def verdicts(lines: list[bytes]) -> dict[str, Json]:
    return {finding["check"]: finding for finding in map(json.loads, lines) if "check" in finding}


def wrong(findings: dict[str, Json]) -> dict[str, str]:
    return {
        check: f"expected {finding['expected']}, seen {finding['seen']}"
        for check, finding in findings.items()
        if finding["verdict"] == "fail"
    }


def test_a_guarded_worker_conforms_with_orders_of_every_kind() -> str:
    with key_ring() as ring, Simulator() as simulator:
        ring.allow("author", "--role", "trade", "--role", "read", "--strategy", "*")
        with Worker(simulator, *ring.flags()) as worker:
            done = subprocess.run(
                [
                    *(*CONFORMANCE, "--intake", worker.intake, "--outcomes", worker.outcomes),
                    *("--client-key", str(ring.directory / "author.key_secret")),
                    *("--server-public-key", str(ring.directory / "server.key")),
                    *("--with-orders", "--with-golden-orders", "--timeout", "30"),
                ],
                capture_output=True,
                timeout=4 * PATIENCE,
            )
        findings = verdicts(done.stdout.splitlines())
        assert done.returncode == 0, (wrong(findings), done.stderr)
        assert {finding["verdict"] for finding in findings.values()} == {"ok"}
        posts = simulator.posts()
        assert posts and not any(post["duplicate"] for post in posts)
        return f"{len(findings)} checks, {len(posts)} orders"


# --- Clients


class Contact:
    """What a client of these tests has: a context, endpoints, and somewhere to print."""

    def __init__(self, intake: str, outcomes: str, output: int):
        self.context: zmq.Context[Any] = zmq.Context()
        self.intake = intake
        self.outcomes = outcomes
        self.output = output
        self.is_over = threading.Event()

    def socket(self, kind: int, endpoint: str) -> zmq.Socket[Any]:
        socket: zmq.Socket[Any] = self.context.socket(kind)
        socket.linger = 0
        socket.connect(endpoint)
        return socket


def good_publisher(contact: Contact) -> None:
    with client.Publisher(contact.intake) as publisher:
        # No more than it takes: who asks after the end is not answered.
        for number in range(1, 5):
            wanted = client.Decision.from_json(decision(f"d-{number}"))
            while True:
                try:
                    publisher.publish(wanted)
                except client.Refused as refusal:
                    if refusal.retry:
                        time.sleep(0.2)
                        continue
                break


def impatient_publisher(contact: Contact) -> None:
    """Sends one after the other and reads nothing."""
    with contact.socket(zmq.DEALER, contact.intake) as socket:
        for number in range(1, 8):
            socket.send_json(decision(f"d-{number}"))
        contact.is_over.wait()


def good_subscriber(contact: Contact) -> None:
    with client.Subscriber(
        "mean-rev", client.Position(), contact.outcomes, contact.intake
    ) as subscriber:
        while not contact.is_over.is_set():
            outcome = subscriber.receive(0.1)
            if outcome is not None:
                os.write(contact.output, json.dumps(outcome.json).encode() + b"\n")


def careless_subscriber(contact: Contact) -> None:
    """Takes what comes and asks for nothing."""
    with contact.socket(zmq.SUB, contact.outcomes) as live:
        live.subscribe("outcome|mean-rev")
        while not contact.is_over.is_set():
            if live.poll(100):
                os.write(contact.output, live.recv_multipart()[1] + b"\n")


def clients_verdicts(
    *clients: Callable[[Contact], None], timeout: int
) -> tuple[int, dict[str, Json]]:
    """What the command says of clients, and its exit code."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [
            *CONFORMANCE,
            "--client",
            "--intake",
            "tcp://127.0.0.1:*",
            "--outcomes",
            "tcp://127.0.0.1:*",
            "--timeout",
            str(timeout),
        ],
        stdin=reading,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    os.close(reading)
    with contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout is not None
        stack.enter_context(process.stdout)
        ready = json.loads(process.stdout.readline())
        contact = Contact(ready["intake"], ready["outcomes"], writing)
        threads = [threading.Thread(target=client, args=(contact,)) for client in clients]
        for thread in threads:
            thread.start()
        # A check that waits in vain gives up by itself.
        lines = process.stdout.readlines()
        code = process.wait(PATIENCE)
        contact.is_over.set()
        for thread in threads:
            thread.join()
        os.close(writing)
        contact.context.term()
        return code, verdicts(lines)


def test_the_python_package_does_all_that_a_client_should() -> str:
    code, findings = clients_verdicts(good_publisher, good_subscriber, timeout=30)
    assert code == 0, wrong(findings)
    assert {finding["verdict"] for finding in findings.values()} == {"ok"}, findings
    return f"{len(findings)} checks"


def test_clients_that_do_not_are_told_what() -> None:
    code, findings = clients_verdicts(impatient_publisher, careless_subscriber, timeout=3)
    assert code == 1
    assert set(wrong(findings)) >= {
        "has one decision in flight",
        "subscribes to outcomes with the | at the end",
        "subscribes to heartbeats",
        "asks for what it missed when a counter is left out",
        "asks for what it missed when a heartbeat is ahead",
        "begins at 0 when the stream is another",
        "handles every outcome once and in order",
    }, findings


def test_one_that_only_publishes_is_not_blamed_for_what_it_does_not_do() -> None:
    code, findings = clients_verdicts(good_publisher, timeout=30)
    assert code == 0, wrong(findings)
    assert findings["subscribes to heartbeats"]["why"] == "it subscribed to no outcomes"


if __name__ == "__main__":
    main(globals())
