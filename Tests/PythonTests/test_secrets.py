"""The account's credentials: where they may come from, whom they go to, and that they stand nowhere afterwards."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import pathlib
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import warnings
from collections.abc import Iterator

import zmq
from harness import (
    PATIENCE,
    ClientKeys,
    NotPossible,
    Publisher,
    State,
    Worker,
    binaries,
    decision,
    eventually,
    main,
    run_and_fail,
)

KEY_ID = "PKCANARY00D1STINCT1V"
SECRET = "Canary/S3cret+OfTheTests/NeverToBeSeen00"

# Whatever must stand nowhere. Secrets that are made at run time are added when they are.
CANARIES = {"key id": KEY_ID, "secret key": SECRET}

# The old versions of TLS are used to see them refused.
warnings.filterwarnings("ignore", "ssl.TLSVersion", DeprecationWarning)

ACCOUNT = {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET}


# --- Finding canaries


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may be written."""
    plain = secret.encode()
    return {
        "plain": plain,
        "JSON": secret.replace("/", "\\/").encode(),
        "JSON by numbers": "".join(f"\\u{ord(letter):04x}" for letter in secret).encode(),
        "URL": urllib.parse.quote(secret, safe="").encode(),
        "UTF-16": secret.encode("utf-16-le"),
        "hexadecimal": plain.hex().encode(),
        "base64": base64.b64encode(plain).rstrip(b"="),
        "backwards": plain[::-1],
        # What a cut in the middle leaves.
        "its first half": plain[: len(plain) // 2],
        "its second half": plain[len(plain) // 2 :],
    }


def occurrences(haystacks: dict[str, bytes]) -> list[str]:
    """Where canaries stand."""
    return [
        f"{canary} ({form}) in {name}"
        for name, content in haystacks.items()
        for canary, secret in CANARIES.items()
        for form, needle in forms(secret).items()
        if needle in content
    ]


def files(directory: pathlib.Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


# --- A broker that gives away what it is told


class EchoingBroker(http.server.ThreadingHTTPServer):
    """Answers as the order's client order id says, mostly by quoting the request's headers."""

    daemon_threads = True

    def __init__(self, redirect_to: str = "", address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), EchoingHandler)
        self.redirect_to = redirect_to
        self.received: list[str] = []
        self.sent: list[bytes] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def __enter__(self) -> EchoingBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        pass


class EchoingHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EchoingBroker

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.received.append(f"GET {self.path}")
        if self.path.startswith("/v2/orders"):
            body = {"code": 40410000, "message": f"order not found for {self.echo()}"}
            return self.answer(404, json.dumps(body).encode())
        self.answer(
            401, json.dumps({"message": f"request is not authorized: {self.echo()}"}).encode()
        )

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append(f"POST {request.get('client_order_id')}")
        kind = request.get("client_order_id", "").split(":")[-1]
        error = json.dumps({"code": 40010001, "message": self.echo()}).encode()
        by_numbers = "".join(f"\\u{ord(letter):04X}" for letter in self.echo())
        order = {
            "id": "6b1b1b1b-0000-4000-8000-000000000000",
            "client_order_id": request.get("client_order_id"),
            "symbol": request.get("symbol"),
            "status": "rejected",
            "side": "buy",
            "qty": "1",
            "filled_qty": "0",
            "note": self.echo(),
        }
        match kind:
            case "echo-200":
                self.answer(200, json.dumps({**order, "status": SECRET}).encode())
            case "echo-slashes":
                self.answer(422, error.replace(b"/", b"\\/"))
            case "echo-numbers":
                self.answer(422, f'{{"code":1,"message":"{by_numbers}"}}'.encode())
            case "echo-url":
                self.answer(422, urllib.parse.quote(self.echo(), safe="").encode())
            case "echo-html":
                self.answer(403, f"<html><pre>{self.echo()}</pre>{KEY_ID}{SECRET}".encode())
            case "echo-bytes":
                self.answer(403, b"\x00\xff" + SECRET.encode() + b"\xfe" + KEY_ID.encode())
            case "echo-cut":
                self.answer(403, b'{"message":"' + SECRET[:30].encode(), more=1000)
                self.close_connection = True
            case "echo-504":
                self.answer(504, error)
            case "request-id":
                self.answer(403, b"{}", request_id=SECRET)
            case "redirect":
                self.answer(307, b"", location=self.server.redirect_to)
            case "lost":
                self.close_connection = True
            case "slow":
                time.sleep(60)
            case _:
                status = int(kind.removeprefix("echo-"))
                self.answer(status, error)

    def echo(self) -> str:
        return " ".join(f"{name}: {value}" for name, value in self.headers.items())

    def answer(
        self, status: int, body: bytes, request_id: str = "", location: str = "", more: int = 0
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + more))
        if request_id:
            self.send_header("X-Request-ID", request_id)
            self.server.sent.append(request_id.encode())
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)
        self.server.sent.append(body)


# What the broker refuses, and what gets lost on the way.
REFUSED = [
    *("echo-400", "echo-401", "echo-403", "echo-422", "echo-429", "echo-slashes", "echo-numbers"),
    *("echo-html", "echo-bytes", "request-id"),
]
LOST = ["echo-url", "echo-cut", "echo-500", "echo-503", "echo-504", "redirect", "lost"]


# --- A whole run with failures


class Listener:
    """Keeps every frame of an outcome topic as it comes."""

    def __init__(self, endpoint: str, frames: list[bytes], keys: ClientKeys | None):
        self.is_over = threading.Event()
        self.thread = threading.Thread(
            target=self._listen, args=(endpoint, frames, keys), daemon=True
        )
        self.thread.start()

    def _listen(self, endpoint: str, frames: list[bytes], keys: ClientKeys | None) -> None:
        with zmq.Context() as own, own.socket(zmq.SUB) as topic:
            topic.linger = 0
            if keys:
                keys.apply(topic)
            topic.subscribe("")
            topic.connect(endpoint)
            while not self.is_over.is_set():
                if topic.poll(50):
                    frames.extend(topic.recv_multipart())

    def close(self) -> None:
        self.is_over.set()
        self.thread.join()


class Run:
    """A directory in which everything is that a run leaves behind."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.state = State(directory / "state")
        self.state.path.mkdir()
        self.said: dict[str, bytes] = {}
        self.frames: list[bytes] = []
        self.listeners: dict[int, Listener] = {}
        self.flags = ["--log-level", "trace", "--settle-time-s", "1", "--broker-timeout-ms", "2000"]
        self.environment = {
            **ACCOUNT,
            # Where libcurl would write the keys of its connections.
            "SSLKEYLOGFILE": str(directory / "tls-keys"),
        }

    def worker(self, broker: EchoingBroker, *flags: str, keys: ClientKeys | None = None) -> Worker:
        # One after the other, so that the whole is logged in both formats.
        log_format = ["--log-format", ["json", "text"][len(self.listeners) % 2]]
        worker = Worker(
            broker.url,
            *(*self.flags, *log_format, *flags),
            state=self.state,
            environment=self.environment,
        )
        self.listeners[worker.pid] = Listener(worker.outcomes, self.frames, keys)
        return worker

    def keep_proc(self, worker: Worker) -> None:
        """What others on the machine can see of the process while it runs."""
        for name in ["cmdline", "environ", "status", "maps", "limits"]:
            with contextlib.suppress(PermissionError):
                content = pathlib.Path(f"/proc/{worker.pid}/{name}").read_bytes()
                self.said[f"/proc/{name} of {worker.pid}"] = content

    def end(self, worker: Worker, by: signal.Signals) -> bool:
        """Ends it by a signal. Says whether a core was dumped."""
        os.kill(worker.pid, by)
        how = os.WEXITED | os.WNOWAIT | os.WNOHANG
        end = eventually(f"death by {by.name}", lambda: os.waitid(os.P_PID, worker.pid, how), 20)
        output = worker.program.process.stdout
        assert output and end
        self.said[f"standard output of {worker.pid}"] = output.read()
        self.listeners[worker.pid].close()
        worker.kill()
        return end.si_code == os.CLD_DUMPED

    def command(self, *arguments: str, stop_after: float = PATIENCE) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.environment}
        process = subprocess.Popen(
            [str(binaries() / "trade-executor"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(stop_after)
        process.terminate()
        output = process.communicate(timeout=PATIENCE)[0]
        self.said[f"trade-executor {' '.join(arguments)}"] = output
        return output.decode()

    def haystacks(self) -> dict[str, bytes]:
        topic = {"the outcome topic": b"\n".join(self.frames)}
        return {**files(self.directory), **self.said, **topic}


def run_with_keys(run: Run, broker: EchoingBroker, ring: pathlib.Path) -> None:
    """A worker that takes keys only, spoken to with and without one, and killed."""

    def keys(*arguments: str) -> None:
        done = subprocess.run(
            [str(binaries() / "trade-executor"), "keys", *arguments],
            cwd=ring,
            capture_output=True,
            timeout=PATIENCE,
        )
        run.said[f"keys {' '.join(arguments)}"] = done.stdout + done.stderr
        assert done.returncode == 0, done

    for name in ["server", "desk", "stranger"]:
        keys("generate", name)
    keys("allow", "desk", "--strategy", "*")
    keys("list")
    own = {
        name: ClientKeys(ring / f"{name}.key_secret", ring / "server.key")
        for name in ["desk", "stranger", "server"]
    }
    for name, pair in own.items():
        CANARIES[f"CURVE secret key of {name}"] = pair.secret.decode()
    flags = ["--server-key", str(ring / "server.key_secret")]
    flags += ["--allowed-keys", str(ring / "allowed-keys.json")]
    worker = run.worker(broker, *flags, keys=own["desk"])
    run.keep_proc(worker)
    with Publisher(worker, keys=own["desk"]) as publisher:
        publisher.accepted("echo-403", "guarded")
        execution = (
            "SELECT e.http_status_code FROM trade_executions e"
            " JOIN trade_decisions d ON d.id = e.trade_decision_id WHERE d.strategy_name = 'guarded'"
        )
        eventually("its answer", lambda: run.state.rows(execution) == [(403,)])
    for intruder in [None, own["stranger"]]:
        with Publisher(worker, keys=intruder) as publisher:
            publisher.send_bytes(json.dumps(decision("never", "guarded")).encode())
            assert not publisher.socket.poll(500)
    endpoints = ["--intake", worker.intake, "--server-public-key", str(ring / "server.key")]
    for name in ["desk", "stranger"]:
        key = ["--client-key", str(ring / f"{name}.key_secret")]
        order = ["--symbol", "AAPL", "--side", "buy", "--quantity", "1"]
        run.command("submit", *order, "--timeout", "1", *endpoints, *key)
        run.command("status", "--state-dir", str(run.state.path), *endpoints, *key)
    # With a key file that is broken, or that others can read.
    (ring / "server.key_secret").chmod(0o644)
    run.command("run", "--broker-url", broker.url, *flags)
    assert "guarded:echo-403" in run.command(
        "show", "guarded:echo-403", "--state-dir", str(run.state.path)
    )
    assert not run.end(worker, signal.SIGSEGV)


@contextlib.contextmanager
def cores_wanted(directory: pathlib.Path) -> Iterator[None]:
    """Whatever is started here may dump its core, and does so in this directory."""
    before, here = resource.getrlimit(resource.RLIMIT_CORE), pathlib.Path.cwd()
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(here)
        resource.setrlimit(resource.RLIMIT_CORE, before)


def dumps_core() -> bool:
    """Whether a program that does not care dumps its core here: or the absence of one proves nothing."""
    process = subprocess.Popen(["sleep", "60"])
    process.send_signal(signal.SIGSEGV)
    end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    process.wait()
    return end is not None and end.si_code == os.CLD_DUMPED


def bad_messages() -> list[bytes]:
    """Messages with secrets in all the places that answers and records quote."""
    named = json.dumps(decision("d-1", "s"))
    return [
        json.dumps(decision("in-rationale", rationale={"key": KEY_ID, "secret": SECRET})).encode(),
        json.dumps(decision(SECRET)).encode(),
        json.dumps(decision("strategy", KEY_ID)).encode(),
        json.dumps(decision("symbol", symbol=KEY_ID)).encode(),
        json.dumps(decision("field", **{SECRET: 1})).encode(),
        json.dumps(decision("value", side=SECRET)).encode(),
        json.dumps({"v": 1, "type": SECRET}).encode(),
        json.dumps({"v": SECRET}).encode(),
        named.replace('"d-1"', f'"{KEY_ID}').encode(),
        named.replace("AAPL", forms(SECRET)["JSON by numbers"].decode()).encode(),
        b"\xff\x00" + SECRET.encode(),
        SECRET.encode() * 3000,
        json.dumps({"v": 1, "type": "replay", "strategy_name": KEY_ID, "after": 0}).encode(),
    ]


def test_a_run_with_failures_leaves_no_secret_anywhere() -> str:
    with (
        tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name,
        EchoingBroker() as elsewhere,
        EchoingBroker(redirect_to=elsewhere.url + "/v2/orders") as broker,
        cores_wanted(pathlib.Path(name)),
    ):
        run = Run(pathlib.Path(name))
        can_dump = dumps_core()
        for core in run.directory.glob("core*"):
            core.unlink()

        worker = run.worker(broker)
        run.keep_proc(worker)
        with Publisher(worker) as publisher:
            for kind in REFUSED:
                publisher.accepted(kind)
                end = worker.final_outcome("s", kind)
                assert end["execution"]["certainty"] == "answered", end
            for kind in LOST:
                publisher.accepted(kind)
                eventually(kind, lambda: worker.outcomes_of("s", kind))
                assert worker.outcomes_of("s", kind)[0]["result"] == "unknown", kind
            # An order that it has taken, with a status that nobody knows.
            publisher.accepted("echo-200")
            eventually("it is taken", lambda: worker.outcomes_of("s", "echo-200"))
            assert worker.outcomes_of("s", "echo-200")[0]["result"] == "pending"
            for message in bad_messages():
                ack = publisher.ask_bytes(message)
                assert (ack["status"], ack["code"]) == ("refused", "bad_field"), ack
                assert "key or secret" in ack["message"], ack
            for kind in LOST:
                worker.final_outcome("s", kind)
        assert elsewhere.received == [], "a redirect was followed"
        posts = [line for line in broker.received if line.startswith("POST")]
        assert posts == [f"POST s:{kind}" for kind in [*REFUSED, *LOST, "echo-200"]], posts

        place = ["--state-dir", str(run.state.path)]
        seen = ["status", "--check", "--json", "--intake", worker.intake, *place]
        run.command(*seen)
        run.command("status", "--intake", worker.intake, *place)
        endpoints = ["--intake", worker.intake, "--outcomes", worker.outcomes]
        run.command("outcomes", "--from", "0", *endpoints, stop_after=1)
        run.command("outcomes", "--from", "0", "--json", *endpoints, stop_after=1)
        run.command(
            "submit",
            "--id",
            "echo-403",
            "--symbol",
            "AAPL",
            "--side",
            "buy",
            "--quantity",
            "1",
            *endpoints[:2],
        )
        run.end(worker, signal.SIGKILL)
        for command in ["executions", "failures", "halt --list"]:
            run.command(*command.split(), *place)
            run.command(*command.split(), "--json", *place)
        run.command("executions", "--payloads", "--json", *place)
        for kind in [*REFUSED, *LOST, "echo-200"]:
            assert f"s:{kind}" in run.command("show", kind, *place)
        run.command("show", "echo-403", "--json", *place)
        said = run.command("check", "--broker-url", broker.url, *place)
        assert "ok    credentials     from the environment" in said, said
        run.command("reconcile", "--broker-url", broker.url, *place, stop_after=3)
        for command in ["run", "check", "submit", "halt", "demo"]:
            run.command(command, "--help")
        run.command("--help")
        run.command("run", "--broker-url", f"https://{KEY_ID}:{SECRET}@127.0.0.1", *place)

        # Death in the middle of a request, by every signal that dumps a core.
        dumped = []
        for number, by in enumerate([signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS]):
            worker = run.worker(broker)
            with Publisher(worker) as publisher:
                publisher.accepted("slow", f"s-{number}")
                eventually("a POST", lambda: f"POST s-{number}:slow" in broker.received)
            dumped.append(run.end(worker, by))
        assert not any(dumped), dumped
        worker = run.worker(broker)
        run.keep_proc(worker)
        run.end(worker, signal.SIGTERM)

        with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as ring:
            run_with_keys(run, broker, pathlib.Path(ring))
        assert any(b"guarded" in frame for frame in run.frames)

        # The broker has told them, they were recognised, and the rest of its answers is kept.
        assert sum(body.count(SECRET.encode()) for body in broker.sent) > 10
        stars = "*" * len(SECRET)
        payloads = run.state.rows(
            "SELECT count(*) FROM api_payloads WHERE body LIKE ?", f"%{stars}%"
        )
        assert payloads[0][0] > 10, payloads
        count = "SELECT count(*) FROM refused_messages WHERE CAST(body AS TEXT) LIKE ?"
        assert run.state.rows(count, f"%{stars}%")[0][0] > 5

        haystacks = run.haystacks()
        size = sum(map(len, haystacks.values()))
        assert (
            any("trades.db" in place for place in haystacks)
            and b"outcome|s|" in haystacks["the outcome topic"]
        )
        log = haystacks["state/worker.log"]
        for line in [b'"client_order_id":"s:echo-403"', b" client_order_id=guarded:echo-403"]:
            assert line in log, log[-2000:]
        found = occurrences(haystacks)
        assert not found, found
        assert not (run.directory / "tls-keys").exists()

        # What finds nothing must be able to find.
        for canary, secret in CANARIES.items():
            for form, needle in forms(secret).items():
                planted = run.directory / "state" / "planted"
                planted.write_bytes(b"x" * 100 + needle + b"x" * 100)
                assert f"{canary} ({form}) in state/planted" in occurrences(run.haystacks())
        dumps = "cores would have been dumped" if can_dump else "this machine dumps no cores anyway"
        return (
            f"{size / 1e6:.1f} MB in {len(haystacks)} places, {len(broker.sent)} answers; {dumps}"
        )


# --- Whom they go to


class TLSBroker:
    """Answers every order with 403, over TLS as its context says. Counts what it is asked."""

    def __init__(self, context: ssl.SSLContext):
        self.requests = 0
        self.connections = 0
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def __enter__(self) -> TLSBroker:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            self.context.wrap_socket(connection, server_side=True) as tls,
        ):
            while (data := tls.recv(65536)) != b"":
                self.requests += data.count(b"HTTP/1.1\r\n")
                if b"POST" in data:
                    time.sleep(0.1)
                body = b'{"code":40310000,"message":"no"}'
                head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\n\r\n"
                tls.sendall(head.encode() + body)


class Authority:
    """Certificates for brokers on this machine, and a worker that trusts their issuer."""

    CONFIGURATION = """
        [ca]
        default_ca = own
        [own]
        database = index
        serial = serial
        new_certs_dir = .
        default_md = sha256
        policy = any
        copy_extensions = copy
        [any]
        commonName = supplied
        """

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        (directory / "ca.conf").write_text(self.CONFIGURATION)
        (directory / "index").write_text("")
        (directory / "serial").write_text("01")
        self.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=tests -days 30"
        )
        system = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        self.bundle = directory / "bundle.pem"
        self.bundle.write_bytes((directory / "ca.pem").read_bytes())
        mount = f'mount --bind "$0" {system} && exec "$@"'
        self.wrapper = ["unshare", "--mount", "sh", "-c", mount, str(self.bundle)]
        done = subprocess.run([*self.wrapper, "true"], capture_output=True, text=True)
        if done.returncode != 0 or not system.exists():
            raise NotPossible(
                f"the system's certificates cannot be replaced: {done.stderr.strip()}"
            )

    def openssl(self, arguments: str) -> None:
        done = subprocess.run(
            ["openssl", *arguments.split()], cwd=self.directory, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def issue(self, name: str, address: str, until: str = "20991231235959Z") -> pathlib.Path:
        self.openssl(
            f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            f" -addext subjectAltName=IP:{address}"
        )
        self.openssl(
            f"ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in {name}.csr -out {name}.pem"
            f" -startdate 20200101000000Z -enddate {until} -notext"
        )
        return self.directory / f"{name}.pem"

    def self_signed(self, name: str) -> pathlib.Path:
        self.openssl(
            f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -subj /CN={name}"
            " -addext subjectAltName=IP:127.0.0.1 -days 30"
        )
        return self.directory / f"{name}.pem"


def context(certificate: pathlib.Path, most: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, certificate.with_suffix(".key"))
    if most:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = most
    return made


def can_be_spoken_to(broker: TLSBroker) -> bool:
    """Whether somebody who takes anything gets an answer: it is not for other reasons that the worker gets none."""
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    careless.minimum_version = ssl.TLSVersion.TLSv1
    careless.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE) as plain:
        with careless.wrap_socket(plain) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\n\r\n")
            answered = tls.recv(100).startswith(b"HTTP/1.1 403")
    asked = broker.requests
    broker.requests = 0
    return answered and asked == 1


def test_credentials_go_to_nobody_who_cannot_prove_to_be_the_broker() -> str:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name:
        authority = Authority(pathlib.Path(name))
        good = authority.issue("good", "127.0.0.1")
        cases = {
            "a good certificate": (context(good), None),
            "TLS 1.2": (context(good, ssl.TLSVersion.TLSv1_2), None),
            "TLS 1.1": (context(good, ssl.TLSVersion.TLSv1_1), "SSL connect error"),
            "a certificate that it has signed itself": (
                context(authority.self_signed("own")),
                "SSL peer certificate or SSH remote key was not OK",
            ),
            "a certificate that has expired": (
                context(authority.issue("old", "127.0.0.1", until="20210101000000Z")),
                "SSL peer certificate or SSH remote key was not OK",
            ),
            "a certificate of another host": (
                context(authority.issue("other", "127.0.0.2")),
                "SSL peer certificate or SSH remote key was not OK",
            ),
        }
        for case, (tls, refusal) in cases.items():
            with TLSBroker(tls) as broker:
                assert can_be_spoken_to(broker), case
                url = f"https://127.0.0.1:{broker.port}"
                with Worker(url, environment=ACCOUNT, wrapper=authority.wrapper) as worker:
                    with Publisher(worker) as publisher:
                        publisher.accepted("d-1")
                        end = worker.final_outcome("s", "d-1")
                execution = end["execution"]
                if refusal is None:
                    assert execution["http_status_code"] == 403 and broker.requests > 0, (case, end)
                else:
                    assert (end["reason"], execution["certainty"]) == (refusal, "not_sent"), (
                        case,
                        end,
                    )
                    assert broker.connections > 1 and broker.requests == 0, (case, broker.requests)
        return f"{len(cases)} brokers"


def test_a_proxy_is_told_no_credentials_and_none_is_between_on_this_machine() -> None:
    # An address of this machine that programs seldom except from proxying.
    with (
        EchoingBroker(address="127.0.0.2") as broker,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        asked: list[bytes] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as connection:
                        asked.append(connection.recv(65536))
                        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {**ACCOUNT, "http_proxy": proxy, "https_proxy": proxy, "ALL_PROXY": proxy}
        with Worker("https://broker.invalid", environment=environment) as worker:
            with Publisher(worker) as publisher:
                publisher.accepted("d-1")
                eventually("an outcome", lambda: worker.outcomes_of("s", "d-1"))
                outcome = worker.outcomes_of("s", "d-1")[0]
                assert outcome["execution"]["http_status_code"] != 200, outcome
        assert asked and all(request.startswith(b"CONNECT broker.invalid:443") for request in asked)
        assert not occurrences({"what the proxy was told": b"".join(asked)})
        count = len(asked)
        with Worker(broker.url, environment=environment) as worker, Publisher(worker) as publisher:
            publisher.accepted("echo-403")
            assert worker.final_outcome("s", "echo-403")["execution"]["http_status_code"] == 403
        assert len(asked) == count


def test_what_was_accepted_before_it_held_the_credentials_is_answered_as_then() -> None:
    """The account's keys may change to what stands in a message that was accepted."""
    with EchoingBroker() as broker, State() as state:
        sent = decision("echo-403", rationale={"key": KEY_ID})
        with Worker(broker.url, state=state) as worker, Publisher(worker) as publisher:
            first = publisher.ask_bytes(json.dumps(sent).encode())
            assert first["status"] == "accepted", first
            worker.final_outcome("s", "echo-403")
        asked = len(broker.received)
        with Worker(broker.url, state=state, environment=ACCOUNT) as worker:
            with Publisher(worker) as publisher:
                for body in [json.dumps(sent), json.dumps(dict(reversed(sent.items())))]:
                    again = publisher.ask_bytes(body.encode())
                    assert again["status"] == "accepted" and again["duplicate"], again
                    assert again["decision_seq"] == first["decision_seq"], again
                    assert again["outcome"]["decision_id"] == "echo-403", again
                other = {**sent, "rationale": {"key": KEY_ID, "more": 1}}
                conflict = publisher.ask_bytes(json.dumps(other).encode())
                assert conflict["code"] == "id_conflict", conflict
                new = {**sent, "decision_id": "new"}
                refused = publisher.ask_bytes(json.dumps(new).encode())
                assert (refused["code"], refused["field"]) == ("bad_field", "message"), refused
                assert refused["decision_id"] == "new", refused
            kept = state.rows("SELECT body FROM refused_messages")
            assert len(kept) == 2 and not occurrences({"refused": repr(kept).encode()}), kept
        assert [one for one in broker.received[asked:] if one.startswith("POST")] == []


def test_a_full_disk_makes_no_answer_quote_the_credentials() -> None:
    with EchoingBroker() as broker, State() as state:
        with Worker(broker.url, state=state, environment=ACCOUNT) as worker:
            with Publisher(worker) as publisher:
                limits = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
                answer = publisher.ask_bytes(json.dumps(decision(f"d-{KEY_ID}")).encode())
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, limits)
                assert answer["code"] == "storage_failed", answer
                assert answer["strategy_name"] == "s", answer
                assert not occurrences({"the answer": json.dumps(answer).encode()}), answer


# --- Where they come from


def source(*flags: str, **environment: str) -> str:
    """Where `check` says that the credentials are from, or what is wrong."""
    with State() as state:
        done = subprocess.run(
            [
                *(
                    str(binaries() / "trade-executor"),
                    "check",
                    "--broker-url",
                    "http://127.0.0.1:1",
                ),
                *("--state-dir", str(state.path), *flags),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={"PATH": os.environ["PATH"], **environment},
        )
    assert not occurrences({"what check says": (done.stdout + done.stderr).encode()})
    for line in done.stdout.splitlines():
        if line.startswith(("ok    credentials", "WRONG configuration")):
            return line.split(maxsplit=2)[2]
    raise AssertionError(done)


def test_credentials_come_from_the_environment_systemd_or_a_file_in_this_order() -> None:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name:
        directory = pathlib.Path(name)
        own = directory / "credentials"
        own.write_text(f"# ours\napi_key_id = {KEY_ID}\napi_secret_key = {SECRET}\n")
        own.chmod(0o600)
        configuration = directory / "configuration"
        configuration.write_text(own.read_text() + f"credentials = {own}\n")
        configuration.chmod(0o600)
        systemd = directory / "systemd"
        systemd.mkdir()
        for file, secret in [("api_key_id", KEY_ID), ("api_secret_key", SECRET)]:
            (systemd / file).write_text(secret + "\n")
            # As systemd's access control list for a service's user shows.
            (systemd / file).chmod(0o440)
        service = {"CREDENTIALS_DIRECTORY": str(systemd)}
        flags = ["--credentials", str(own)]
        assert source(*flags, **service, **ACCOUNT) == "from the environment"
        assert source(*flags, **service) == f"from {systemd}"
        assert source(*flags) == f"from {own}"
        assert source(TRADE_EXECUTOR_CREDENTIALS=str(own)) == f"from {own}"
        assert source("--config", str(configuration)) == f"from {own}"
        configuration.write_text(own.read_text())
        assert source("--config", str(configuration)) == f"from {configuration}"
        assert source() == "from nowhere: a simulator needs none"
        # Half of it here and half of it there may be of two accounts.
        half = source(*flags, APCA_API_KEY_ID=KEY_ID)
        assert "the environment holds half" in half and "APCA_API_SECRET_KEY" in half, half
        (systemd / "api_secret_key").unlink()
        half = source(*flags, **service)
        assert f"{systemd} holds half" in half and "api_secret_key" in half, half


def test_a_file_of_credentials_that_others_can_read_or_change_is_refused() -> None:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name:
        own = pathlib.Path(name) / "credentials"
        flags = ["--credentials", str(own)]
        assert "No such file" in source(*flags)
        own.write_text(f"api_key_id = {KEY_ID}\napi_secret_key = {SECRET}\n")
        for mode in [0o644, 0o640, 0o620, 0o604, 0o602]:
            own.chmod(mode)
            assert "chmod 600" in source(*flags), oct(mode)
        for mode in [0o600, 0o400]:
            own.chmod(mode)
            assert source(*flags) == f"from {own}"
        for text in [
            f"{SECRET} = {KEY_ID}",
            f"{KEY_ID}\n{SECRET}",
            f"api_key_id: {KEY_ID}",
            f"api_key_id = {KEY_ID}\napi_key_id = {SECRET}",
            f"api_key_id = {KEY_ID}",
            f"api_key_id = {KEY_ID} {SECRET}\napi_secret_key = {SECRET}",
            f"partition = {SECRET}",
            SECRET * 200,
        ]:
            own.chmod(0o600)
            own.write_text(text)
            # `source` has looked whether it is quoted.
            assert not source(*flags).startswith("from"), text
        if os.geteuid() == 0:
            own.write_text(f"api_key_id = {KEY_ID}\napi_secret_key = {SECRET}\n")
            os.chown(own, 12345, 12345)
            assert "belongs to another user" in source(*flags)


def test_no_error_quotes_what_may_be_a_secret() -> None:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name:
        configuration = pathlib.Path(name) / "configuration"
        lines = {}
        for text in [
            f"{SECRET} = 1",
            f"api_secret_key: {SECRET} = 1",
            f"broker_url = https://a:{SECRET}@b",
        ]:
            configuration.write_text(text)
            configuration.chmod(0o600)
            lines[text] = run_and_fail("--config", str(configuration)).encode()
        urls = {"APCA_API_BASE_URL": f"https://{KEY_ID}:{SECRET}@api.alpaca.markets"}
        lines["base URL"] = run_and_fail(environment=urls).encode()
        assert not occurrences(lines), lines


if __name__ == "__main__":
    main(globals())
