"""`trade-executor conformance`: at a guarded worker, and with `--client` before clients, good and bad."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import zmq

from harness import (
    PATIENCE,
    Json,
    Simulator,
    Worker,
    binaries,
    decision,
    die_with_parent,
    main,
)
from test_access import key_ring

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

    def ask(self, socket: zmq.Socket[Any], body: bytes, is_answer: Callable[[Json], bool]) -> Json:
        """Sends the same until it is answered."""
        while not self.is_over.is_set():
            socket.send(body)
            end = time.monotonic() + 2
            while (left := end - time.monotonic()) > 0 and not self.is_over.is_set():
                if socket.poll(min(int(left * 1000) + 1, 100)):
                    answer: Json = json.loads(socket.recv())
                    if is_answer(answer):
                        return answer
        return {}


def good_publisher(contact: Contact) -> None:
    with contact.socket(zmq.DEALER, contact.intake) as socket:
        for number in range(1, 8):
            name = f"d-{number}"
            body = json.dumps(decision(name)).encode()
            while True:
                ack = contact.ask(socket, body, lambda answer: answer["decision_id"] == name)
                if not ack.get("retry"):
                    break
                time.sleep(0.2)


def impatient_publisher(contact: Contact) -> None:
    """Sends one after the other and reads nothing."""
    with contact.socket(zmq.DEALER, contact.intake) as socket:
        for number in range(1, 8):
            socket.send_json(decision(f"d-{number}"))
        contact.is_over.wait()


def good_subscriber(contact: Contact) -> None:
    strategy, last, stream = "mean-rev", 0, None
    with contact.socket(zmq.DEALER, contact.intake) as intake, contact.socket(
        zmq.SUB, contact.outcomes
    ) as live:
        live.subscribe(f"outcome|{strategy}|")
        live.subscribe("heartbeat|")
        while not contact.is_over.is_set():
            if not live.poll(100):
                continue
            message = json.loads(live.recv_multipart()[1])
            if stream not in (None, message["stream"]):
                last = 0
            stream = message["stream"]
            news = [message] if message["type"] == "outcome" else []
            newest = news[0]["strategy_seq"] if news else message["strategies"].get(strategy, 0)
            if newest > last + len(news):
                news = list(replayed(contact, intake, strategy, last))
            for outcome in news:
                if outcome["strategy_seq"] == last + 1:
                    last += 1
                    os.write(contact.output, json.dumps(outcome).encode() + b"\n")


def replayed(
    contact: Contact, intake: zmq.Socket[Any], strategy: str, after: int
) -> Iterator[Json]:
    more = True
    while more:
        request = {"v": 1, "type": "replay", "strategy_name": strategy, "after": after}
        page = contact.ask(
            intake, json.dumps(request).encode(), lambda answer: answer.get("after") == after
        )
        for outcome in page.get("outcomes", []):
            after = outcome["strategy_seq"]
            yield outcome
        more = page.get("more", False)


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


def test_clients_that_do_all_they_should_pass() -> str:
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
