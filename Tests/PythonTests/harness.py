"""What the tests share: the real programs, sockets that check every frame, and a plain runner.

A script is run as `python test_x.py [DIRECTORY_OF_BINARIES]`; its functions test_* in order.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import queue
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import zmq
import zmq.auth
from referencing import Registry, Resource

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# How long anything may take before a test gives up: machines that run tests are often busy.
PATIENCE = float(os.environ.get("PATIENCE", "60"))

KEY_ID = "PKTESTKEYOFTHETESTS1"
SECRET = "secretOfTheTestsNeverToBeWrittenAnywhere"

Json = dict[str, Any]

# Makes a worker die when it passes a point for the n-th time: `point:n`.
KILL_AT = "TRADE_EXECUTOR_KILL_AT"

# An order that fills within some milliseconds.
COIN: Json = {"symbol": "BTC/USD", "quantity": "0.01", "time_in_force": "gtc"}


def binaries() -> pathlib.Path:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if arguments and pathlib.Path(arguments[0]).is_dir():
        return pathlib.Path(arguments[0]).resolve()
    return REPOSITORY / ".build/debug"


class NotPossible(Exception):
    """This machine does not let us do what a test needs."""


def eventually(what: str, condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.005)


# --- Schemas


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """Patterns as JSON Schema means them: `$` is the end, where Python's also allows a line feed."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


SchemaValidator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"pattern": _pattern}
)


def _schemas() -> dict[str, Any]:
    documents = {
        path.name.removesuffix(".schema.json"): json.loads(path.read_text())
        for path in sorted((REPOSITORY / "deploy/contract").glob("*.schema.json"))
    }
    registry: Registry[Any] = Registry().with_resources(
        [(document["$id"], Resource.from_contents(document)) for document in documents.values()]
    )
    return {
        name: SchemaValidator(
            document,
            registry=registry,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )
        for name, document in documents.items()
    }


SCHEMAS = _schemas()
# What was held against a schema, for the last lines of a run: what never came was not tested.
seen: Counter[str] = Counter()


def is_valid(schema: str, message: Any) -> bool:
    return bool(SCHEMAS[schema].is_valid(message))


def check(schema: str, message: Any) -> None:
    error = jsonschema.exceptions.best_match(SCHEMAS[schema].iter_errors(message))
    assert error is None, f"{schema}: {error.message} at {error.json_path} in {json.dumps(message)}"
    count(schema, message)


def count(schema: str, message: Json) -> None:
    kind = schema
    if schema == "ack":
        kind += f" {message.get('code') or ('duplicate' if message['duplicate'] else 'accepted')}"
    elif schema == "outcome":
        status = message["execution"]["status"] if message["execution"] else "refused"
        kind += f" {message['result']}/{status}"
    seen[kind] += 1


def strict_json(text: bytes) -> Any:
    def no_duplicates(pairs: list[tuple[str, Any]]) -> Json:
        result = dict(pairs)
        assert len(result) == len(pairs), f"a key stands twice in {text!r}"
        return result

    return json.loads(text.decode("utf-8"), object_pairs_hook=no_duplicates)


def read_answer(body: bytes) -> Json:
    """A frame of the worker: one JSON object that follows the schema of its type."""
    message: Json = strict_json(body)
    check(message["type"], message)
    for outcome in message.get("outcomes", []):
        count("outcome", outcome)
    return message


# --- Programs


# Loaded here, since between fork and exec nothing should be loaded.
LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    pr_set_pdeathsig = 1
    LIBC.prctl(pr_set_pdeathsig, signal.SIGKILL)


class NotReady(AssertionError):
    """A program has ended, or says nothing, instead of getting ready."""

    def __init__(self, name: str, line: str, code: int, log: pathlib.Path):
        super().__init__(f"{name} did not get ready ({code}): {line!r} {log.read_text()[-2000:]}")
        self.code = code


class Program:
    """A program of ours, with the line `ready name=value ...` that it prints once it serves."""

    def __init__(self, arguments: list[str], log: pathlib.Path, environment: dict[str, str]):
        self.log = log
        self.arguments = arguments
        self.environment = {"PATH": os.environ["PATH"], **environment}
        began = time.monotonic()
        with log.open("ab") as error_file:
            self.process = subprocess.Popen(
                arguments,
                stdout=subprocess.PIPE,
                stderr=error_file,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                preexec_fn=die_with_parent,
            )
        assert self.process.stdout is not None
        line = self._first_line()
        self.seconds_to_ready = time.monotonic() - began
        if not line.startswith("ready "):
            self.kill()
            raise NotReady(arguments[0], line, self.process.returncode, log)
        self.ready = dict(word.split("=", 1) for word in line.split()[1:])

    def _first_line(self) -> str:
        lines: queue.Queue[bytes] = queue.Queue()
        output = self.process.stdout
        assert output is not None
        threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
        try:
            return lines.get(timeout=PATIENCE).decode()
        except queue.Empty:
            return ""

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def wait(self, patience: float = PATIENCE) -> int:
        return self.process.wait(timeout=patience)


class Simulator:
    def __init__(self, *flags: str, log: pathlib.Path | None = None):
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.program = Program(
            [
                str(binaries() / "alpaca-simulator"),
                *("--cash", "1000000000", "--allow-wash-trades", "--fill-milliseconds", "20"),
                *("--key-id", KEY_ID, "--secret", SECRET),
                *flags,
            ],
            log or pathlib.Path(self.directory.name) / "simulator.log",
            {},
        )
        self.url = self.program.ready["url"]

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()
        self.directory.cleanup()

    def request(self, method: str, path: str, body: Json | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def fault(self, fault: str, **more: Any) -> None:
        self.request("POST", "/_simulator/faults", {"fault": fault, **more})

    def script(self, symbol: str, *steps: Json, initial_status: str = "new") -> None:
        body = {"symbol": symbol, "initial_status": initial_status, "steps": list(steps)}
        self.request("POST", "/_simulator/scripts", body)

    def posts(self, client_order_id: str | None = None) -> list[Json]:
        narrowed = f"?client_order_id={client_order_id}" if client_order_id else ""
        answer: list[Json] = self.request("GET", f"/_simulator/orders{narrowed}")
        return answer

    def wait_for_post(self, client_order_id: str) -> Json:
        post: Json = eventually(f"POST of {client_order_id}", lambda: self.posts(client_order_id))[
            0
        ]
        return post


class State:
    """A state directory, which outlives the workers that use it; one of its own, unless told."""

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.path = path or pathlib.Path(self.directory.name)
        self.database = self.path / "trades.db"
        self.log = self.path / "worker.log"

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.directory.cleanup()

    def rows(self, query: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(
            f"file:{self.database}?mode=ro", uri=True, timeout=PATIENCE, isolation_level=None
        )
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def stored_outcomes(self, strategy: str | None = None) -> list[bytes]:
        where = "WHERE strategy_name = ?" if strategy else ""
        values = [strategy] if strategy else []
        return [
            body.encode()
            for (body,) in self.rows(f"SELECT body FROM outcomes {where} ORDER BY seq", *values)
        ]

    def shell(self, query: str) -> subprocess.CompletedProcess[str]:
        """What an operator does beside a running worker."""
        return subprocess.run(
            ["sqlite3", "-cmd", ".timeout 5000", str(self.database), query],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


class Worker:
    def __init__(
        self,
        simulator: Simulator | str,
        *flags: str,
        state: State | None = None,
        environment: dict[str, str] | None = None,
        wrapper: list[str] | None = None,
    ):
        self.own_state = None if state else State()
        self.state: State = state or self.own_state  # type: ignore[assignment]
        self.context: zmq.Context[Any] = zmq.Context()
        url = simulator if isinstance(simulator, str) else simulator.url
        self.program = Program(
            [
                # A program that becomes the worker.
                *(wrapper or []),
                *(str(binaries() / "trade-executor"), "run", "--broker-url", url),
                *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
                *("--state-dir", str(self.state.path)),
                *flags,
            ],
            self.state.log,
            {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET, **(environment or {})},
        )
        self.intake = self.program.ready["intake"]
        self.outcomes = self.program.ready["outcomes"]
        self.partition = self.program.ready["partition"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self.own_state:
            self.own_state.__exit__()

    def kill(self) -> None:
        self.program.kill()
        self.context.destroy(linger=0)

    def terminate(self) -> int:
        """Stops it as an operator does; returns its exit code."""
        self.program.process.send_signal(signal.SIGTERM)
        return self.program.wait()

    def condition(self) -> str:
        """What there is to say about a worker that does not do what it should."""
        code = self.program.process.poll()
        log = self.state.log.read_text()[-2000:]
        if code is not None:
            return f"the worker has ended with {code}\n{log}"
        threads = [
            f"{(task / 'comm').read_text().strip()} {(task / 'wchan').read_text()}"
            for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        ]
        return f"the worker runs, waiting in {threads}\n{log}"

    @property
    def pid(self) -> int:
        return self.program.process.pid

    def memory_kib(self, what: str = "VmRSS") -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {what}")

    def halt_file(self, scope: str) -> pathlib.Path:
        return self.state.path / "halt" / scope

    def status(self) -> Json:
        with Publisher(self) as publisher:
            return publisher.ask({"v": 1, "type": "status"})

    def outcomes_of(self, strategy: str, decision_id: str | None = None) -> list[Json]:
        """All outcomes so far, by replay."""
        outcomes: list[Json] = []
        with Publisher(self) as publisher:
            while True:
                after = outcomes[-1]["strategy_seq"] if outcomes else 0
                page = publisher.ask(
                    {"v": 1, "type": "replay", "strategy_name": strategy, "after": after}
                )
                # A worker whose database is locked says so, and tells again once it is not.
                if page.get("code") == "storage_failed":
                    time.sleep(0.05)
                    continue
                outcomes += page["outcomes"]
                if not page["more"]:
                    break
        return [one for one in outcomes if decision_id in (None, one["decision_id"])]

    def final_outcome(self, strategy: str, decision_id: str, patience: float = PATIENCE) -> Json:
        def final() -> Json | None:
            outcomes = self.outcomes_of(strategy, decision_id)
            return outcomes[-1] if outcomes and outcomes[-1]["final"] else None

        outcome: Json = eventually(f"the end of {strategy}:{decision_id}", final, patience)
        return outcome


def run_and_fail(*flags: str, code: int = 1, environment: dict[str, str] | None = None) -> str:
    """What a worker that cannot start says about it, in its last line."""
    done = subprocess.run(
        [str(binaries() / "trade-executor"), "run", *flags],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET, **(environment or {})},
    )
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "ready" not in done.stdout
    return done.stderr.strip().splitlines()[-1]


def death_points() -> list[str]:
    """Where a worker can be told to die, in its own words: so none that is new is forgotten."""
    with State() as state:
        line = run_and_fail(
            *("--state-dir", str(state.path)),
            *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
            environment={KILL_AT: "nowhere"},
        )
    points = line.rsplit("is one of ", 1)[-1].split(", ")
    assert len(points) > 1, line
    return points


# --- Sockets


def free_endpoints(count: int) -> list[str]:
    """Fixed endpoints, so that clients find the next worker.

    Below the ports that the system gives to outgoing connections: a client that tries again and again to connect to
    such a port is one day given this very port for its own end, and the worker cannot bind it.
    """
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    endpoints: list[str] = []
    while len(endpoints) < count:
        port = random.SystemRandom().randrange(min(20_000, first_given - 1000), first_given)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if f"tcp://127.0.0.1:{port}" not in endpoints:
            endpoints.append(f"tcp://127.0.0.1:{port}")
    return endpoints


class ClientKeys:
    """A client's own key pair, from its file, and the worker's public key."""

    def __init__(self, own: pathlib.Path, server: pathlib.Path):
        self.public, secret = zmq.auth.load_certificate(own)
        assert secret
        self.secret = secret
        self.server = zmq.auth.load_certificate(server)[0]

    def apply(self, socket: zmq.Socket[Any]) -> None:
        socket.curve_publickey = self.public
        socket.curve_secretkey = self.secret
        socket.curve_serverkey = self.server


class Publisher:
    """A strategy's side of the intake.

    `kind` is `DEALER`, `REQ`, or `delimited`: a DEALER that sends an empty frame first, as REQ
    does by itself.
    """

    def __init__(self, worker: Worker, kind: str = "DEALER", keys: ClientKeys | None = None):
        self.worker = worker
        self.envelope = [b""] if kind == "delimited" else []
        self.socket = worker.context.socket(zmq.REQ if kind == "REQ" else zmq.DEALER)
        self.socket.linger = 0
        if keys:
            keys.apply(self.socket)
        self.socket.connect(worker.intake)

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close(0)

    def send_bytes(self, body: bytes) -> None:
        self.socket.send_multipart([*self.envelope, body])

    def receive(self, patience: float = PATIENCE) -> Json:
        assert self.socket.poll(int(patience * 1000)), f"no answer: {self.worker.condition()}"
        *envelope, body = self.socket.recv_multipart()
        assert envelope == self.envelope, f"the envelope came back as {envelope}"
        return read_answer(body)

    def ask_bytes(self, body: bytes) -> Json:
        self.send_bytes(body)
        return self.receive()

    def ask(self, message: Json) -> Json:
        """Sends what follows its schema, and gives the worker's answer to it."""
        name = message.get("type")
        schema = {None: "decision", "ping": "ping"}.get(name, f"{name}-request")
        check(schema, message)
        answer = self.ask_bytes(json.dumps(message).encode())
        if name is None:
            assert answer["type"] == "ack", answer
            names = (answer["decision_id"], answer["strategy_name"])
            assert names == (message["decision_id"], message["strategy_name"]), answer
        return answer

    def decide(self, decision_id: str, strategy: str = "s", **more: Any) -> Json:
        return self.ask(decision(decision_id, strategy, **more))

    def accepted(self, decision_id: str, strategy: str = "s", **more: Any) -> Json:
        ack = self.decide(decision_id, strategy, **more)
        assert ack["status"] == "accepted" and not ack["duplicate"], ack
        return ack


ABSENT = object()


def without_absent(message: Json) -> Json:
    return {key: value for key, value in message.items() if value is not ABSENT}


def decision(decision_id: str, strategy: str = "s", **more: Any) -> Json:
    message = {
        "v": 1,
        "decision_id": decision_id,
        "strategy_name": strategy,
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "1",
        **more,
    }
    return without_absent(message)


class Subscriber:
    """A reader of the outcome topic that has seen a heartbeat, so its subscription is in force."""

    def __init__(self, worker: Worker, *topics: str, keys: ClientKeys | None = None):
        self.socket = worker.context.socket(zmq.SUB)
        self.socket.linger = 0
        self.socket.rcvhwm = 0
        if keys:
            keys.apply(self.socket)
        for topic in (*topics, "heartbeat|") if topics else ("",):
            self.socket.subscribe(topic)
        self.socket.connect(worker.outcomes)
        self.next("heartbeat")

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close(0)

    def messages(self, patience: float = PATIENCE) -> Iterator[tuple[str, Json]]:
        """Everything that comes, until nothing has come for so long."""
        while self.socket.poll(int(patience * 1000)):
            frames = self.socket.recv_multipart()
            assert len(frames) == 2, f"an outcome message has two frames, not {len(frames)}"
            topic, message = frames[0].decode(), read_answer(frames[1])
            if message["type"] == "outcome":
                assert topic == topic_of(message), (topic, message)
            else:
                assert topic == f"heartbeat|{message['partition']}", topic
            yield topic, message

    def next(self, kind: str = "outcome") -> Json:
        for _, message in self.messages():
            if message["type"] == kind:
                return message
        raise AssertionError(f"no {kind} came")

    def until_final(self, *decision_ids: str) -> list[Json]:
        """The outcomes up to the last final one of these decisions."""
        outcomes: list[Json] = []
        missing = set(decision_ids)
        end = time.monotonic() + PATIENCE
        while missing:
            assert time.monotonic() < end, f"no final outcome of {missing}"
            outcome = self.next()
            outcomes.append(outcome)
            if outcome["final"]:
                missing.discard(outcome["decision_id"])
        return outcomes


def topic_of(outcome: Json) -> str:
    status = outcome["execution"]["status"] if outcome["execution"] else "refused"
    return f"outcome|{outcome['strategy_name']}|{outcome['symbol'] or 'mleg'}|{status}"


# --- Runner


def main(script: dict[str, Any]) -> None:
    """Runs the script's tests one after the other, and ends the process."""
    # So that whatever is under way is ended in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    passed = skipped = failed = 0
    for name, test in list(script.items()):
        if not name.startswith("test_") or not callable(test):
            continue
        began = time.monotonic()
        try:
            note = test()
            passed += 1
            word = "ok    "
        except NotPossible as why:
            skipped += 1
            note, word = f"not possible here: {why}", "skip  "
        except Exception:
            traceback.print_exc()
            failed += 1
            note, word = None, "FAILED"
        text = name.removeprefix("test_").replace("_", " ")
        print(f"{word} {text} ({time.monotonic() - began:.1f} s){f': {note}' if note else ''}")
        sys.stdout.flush()
    if seen:
        print(
            "held against their schemas:",
            ", ".join(f"{n} {kind}" for kind, n in sorted(seen.items())),
        )
    print(f"{passed} passed, {f'{skipped} skipped, ' if skipped else ''}{failed} failed")
    sys.exit(1 if failed or not passed else 0)
