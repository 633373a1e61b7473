"""Who may connect, and for what: keys, users of this machine, and addresses."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import zmq
import zmq.auth
from harness import (
    PATIENCE,
    ClientKeys,
    Json,
    NotPossible,
    Publisher,
    Simulator,
    State,
    Subscriber,
    Worker,
    binaries,
    decision,
    eventually,
    main,
    run_and_fail,
)
from zmq.utils.monitor import recv_monitor_message

# How long a client that must not get an answer is listened to.
SILENCE = 1.5


class KeyRing:
    """A directory of key files and a list, made by the commands that operators use."""

    def __init__(self, directory: str):
        self.directory = pathlib.Path(directory)
        self.list = self.directory / "allowed-keys.json"
        self.generate("server")

    def command(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [str(binaries() / "trade-executor"), "keys", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.directory,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def generate(self, name: str) -> ClientKeys:
        self.command("generate", name)
        return self.keys(name)

    def keys(self, name: str) -> ClientKeys:
        return ClientKeys(self.directory / f"{name}.key_secret", self.directory / "server.key")

    def allow(self, name: str, *rights: str) -> ClientKeys:
        if not (self.directory / f"{name}.key").exists():
            self.generate(name)
        self.command("allow", name, *rights)
        return self.keys(name)

    def replace(self, text: str) -> None:
        """As editors do: there is no moment with half a file."""
        new = self.list.with_suffix(".new")
        new.write_text(text)
        new.rename(self.list)

    def flags(self) -> list[str]:
        if not self.list.exists():
            self.list.write_text('{"v": 1, "keys": []}')
        return [
            *("--server-key", str(self.directory / "server.key_secret")),
            *("--allowed-keys", str(self.list)),
        ]


@contextlib.contextmanager
def key_ring() -> Iterator[KeyRing]:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        yield KeyRing(directory)


def accepted_count(worker: Worker) -> int:
    if not worker.state.database.exists():
        return 0
    return int(worker.state.rows("SELECT count(*) FROM trade_decisions")[0][0])


def handshake_failure(
    worker: Worker, endpoint: str, keys: ClientKeys | None, kind: int = zmq.DEALER
) -> str:
    """Connects, sends a decision if it can, and returns how the handshake failed."""
    dealer = worker.context.socket(kind)
    monitor = dealer.get_monitor_socket()
    try:
        dealer.linger = 0
        if keys:
            keys.apply(dealer)
        dealer.connect(endpoint)
        if kind == zmq.DEALER:
            dealer.send(json.dumps(decision("never")).encode())
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not monitor.poll(100):
                continue
            event = recv_monitor_message(monitor)
            assert event["event"] != zmq.EVENT_HANDSHAKE_SUCCEEDED, "the handshake succeeded"
            if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                return f"status {event['value']}"
            if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                return "protocol"
            if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return "no detail"
            if event["event"] == zmq.EVENT_DISCONNECTED:
                return "cut off"
        raise AssertionError("nothing was heard of the handshake")
    finally:
        dealer.disable_monitor()
        monitor.close(0)
        dealer.close(0)


def test_only_keys_of_the_list_get_in() -> str:
    with key_ring() as ring, Simulator() as simulator:
        alice = ring.allow("alice", "--strategy", "mean-rev", "--strategy", "breakout")
        stranger = ring.generate("stranger")
        with Worker(simulator, *ring.flags()) as worker:
            made_up = handshake_failure(worker, worker.intake, stranger)
            assert made_up == "status 400", made_up
            log = worker.state.log.read_text()
            assert f"keys allow NAME --public-key='{stranger.public.decode()}'" in log, log
            no_key = handshake_failure(worker, worker.intake, None)
            wrong_server = ring.keys("alice")
            wrong_server.server = stranger.public
            for_another = handshake_failure(worker, worker.intake, wrong_server)
            with socket.create_connection(("127.0.0.1", int(worker.intake.split(":")[-1]))) as raw:
                # A ZMTP 1.0 peer has no handshake at all.
                raw.sendall(b"\x01\x00" + bytes([3, 0]) + b"{}")
                raw.settimeout(SILENCE)
                with contextlib.suppress(TimeoutError):
                    raw.recv(1024)
            assert accepted_count(worker) == 0
            with Publisher(worker, keys=alice) as publisher:
                publisher.accepted("d-1", "mean-rev")
                publisher.accepted("d-1", "breakout")
            [(sender,)] = worker.state.rows(
                "SELECT sender FROM trade_decisions WHERE strategy_name = 'mean-rev'"
            )
            assert sender == f"alice@127.0.0.1 key {alice.public.decode()}", sender
    return f"made-up key: {made_up}; no key: {no_key}; another server's key: {for_another}"


def refused(publisher: Publisher, message: Json) -> str:
    ack = publisher.ask(message) if "symbol" in message else None
    if ack is None:
        publisher.send_bytes(json.dumps(message).encode())
        ack = publisher.receive()
    assert (ack["type"], ack["status"], ack["code"], ack["retry"]) == (
        "ack",
        "refused",
        "not_authorised",
        False,
    ), ack
    return str(ack["message"])


def test_a_key_trades_only_for_its_strategies_and_a_monitor_for_none() -> None:
    with key_ring() as ring, Simulator() as simulator:
        trader = ring.allow("trader", "--strategy", "mine", "--role", "trade")
        monitor = ring.allow("monitor", "--role", "read")
        desk = ring.allow("desk", "--strategy", "*")
        with Worker(simulator, *ring.flags()) as worker:
            with Publisher(worker, keys=trader) as publisher:
                message = refused(publisher, decision("d-1", "other"))
                assert message == "the key trader may not trade for other, only for: mine", message
                publisher.accepted("d-1", "mine")
                assert publisher.ask({"v": 1, "type": "ping"})["type"] == "pong"
                own = {"v": 1, "type": "replay", "strategy_name": "mine", "after": 0}
                assert publisher.ask(own)["type"] == "replay"
                refused(publisher, {**own, "strategy_name": "other"})
                refused(publisher, {"v": 1, "type": "replay", "after": 0})
                refused(publisher, {"v": 1, "type": "status"})
                refused(publisher, {"v": 1, "type": "reconcile"})
            with Publisher(worker, keys=monitor) as publisher:
                assert "its role is read" in refused(publisher, decision("d-2", "mine"))
                refused(publisher, {"v": 1, "type": "reconcile"})
                assert publisher.ask({"v": 1, "type": "status"})["type"] == "status"
                assert publisher.ask({"v": 1, "type": "replay", "after": 0})["type"] == "replay"
            with Subscriber(worker, "outcome|", keys=monitor) as topic:
                with Publisher(worker, keys=desk) as publisher:
                    publisher.accepted("d-3", "any")
                    assert publisher.ask({"v": 1, "type": "reconcile"})["type"] == "reconcile"
                topic.until_final("d-3")
            assert handshake_failure(worker, worker.outcomes, trader, zmq.SUB) == "status 400"
            assert accepted_count(worker) == 2
            codes = worker.state.rows("SELECT DISTINCT code, sender FROM refused_messages")
            assert {code for code, _ in codes} == {"not_authorised"}, codes
            assert {sender.split("@")[0] for _, sender in codes} == {"trader", "monitor"}, codes


def test_a_revoked_key_is_refused_at_once_on_its_open_connection() -> None:
    with key_ring() as ring, Simulator() as simulator:
        alice = ring.allow("alice", "--strategy", "mean-rev")
        bob = ring.allow("bob", "--role", "read")
        with Worker(simulator, *ring.flags()) as worker:
            with (
                Publisher(worker, keys=alice) as publisher,
                Subscriber(worker, keys=alice) as revoked,
                Subscriber(worker, keys=bob) as allowed,
            ):
                publisher.accepted("d-1", "mean-rev")
                ring.command("revoke", "alice")
                message = refused(publisher, decision("d-2", "mean-rev"))
                assert "no longer" in message, message
                # Also what was accepted before is not told any more.
                refused(publisher, decision("d-1", "mean-rev"))
                refused(publisher, {"v": 1, "type": "ping"})
                # The one subscriber comes back by itself, the other does not.
                allowed.next("heartbeat")
                for _ in revoked.messages(patience=0.5):
                    pass
                allowed.next("heartbeat")
                assert not revoked.socket.poll(int(SILENCE * 1000)), "a revoked key reads on"
                # A name that passes to another key does not pass to those that had it.
                ring.generate("successor")
                ring.command(
                    *("allow", "alice", "--public-key", "successor.key", "--strategy", "mean-rev")
                )
                refused(publisher, decision("d-3", "mean-rev"))
                with Publisher(worker, keys=ring.keys("successor")) as successor:
                    successor.accepted("d-4", "mean-rev")
            assert accepted_count(worker) == 2


def test_rights_change_without_a_restart_and_a_broken_list_changes_nothing() -> None:
    with key_ring() as ring, Simulator() as simulator:
        alice = ring.allow("alice", "--strategy", "one")
        with Worker(simulator, *ring.flags()) as worker:
            with Publisher(worker, keys=alice) as publisher:
                refused(publisher, decision("d-1", "two"))
                ring.allow("alice", "--strategy", "two")
                publisher.accepted("d-2", "two")
                refused(publisher, decision("d-3", "one"))
                good = ring.list.read_text()
                for number, broken in enumerate(
                    [
                        "",
                        good[:-3],
                        good.replace('"roles"', '"rolls"'),
                        good.replace('"two"', '"*","two"'),
                        good.replace('"read"', '"admin"'),
                    ]
                ):
                    ring.replace(broken)
                    publisher.accepted(f"d-4-{number}", "two")
                    refused(publisher, decision("d-5", "one"))
                log = worker.state.log.read_text()
                assert log.count("the key list stays as it was") == 5, log
                ring.replace(good)
                ring.list.chmod(0o666)
                publisher.accepted("d-6", "two")
                log = worker.state.log.read_text()
                assert log.count("can be written by others; chmod go-w") == 1, log
                ring.list.unlink()
                publisher.accepted("d-7", "two")
                log = worker.state.log.read_text()
                assert log.count("the key list stays as it was") == 7, log


def test_a_list_behind_a_link_stays_behind_it() -> None:
    with key_ring() as ring:
        ring.allow("alice", "--strategy", "s")
        target = ring.directory / "elsewhere.json"
        ring.list.rename(target)
        ring.list.symlink_to(target)
        ring.command("revoke", "alice")
        assert ring.list.is_symlink() and json.loads(target.read_text())["keys"] == []


def test_any_key_can_be_given_as_text() -> None:
    with key_ring() as ring:
        for first in ["/", "-", "#"]:
            key = first + ring.keys("server").public.decode()[1:]
            assert key in ring.command("allow", "x", f"--public-key={key}", "--role", "read")


def test_the_commands_speak_to_a_guarded_worker() -> None:
    with key_ring() as ring, Simulator() as simulator:
        ring.allow("desk", "--strategy", "*")
        configuration = ring.directory / "client.conf"
        with Worker(simulator, *ring.flags()) as worker:
            configuration.write_text(
                f"intake = {worker.intake}\noutcomes = {worker.outcomes}\n"
                f"client_key = {ring.directory}/desk.key_secret\n"
                f"server_public_key = {ring.directory}/server.key\n"
            )

            def run(*arguments: str, code: int = 0) -> str:
                done = subprocess.run(
                    [str(binaries() / "trade-executor"), *arguments],
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    env={"TRADE_EXECUTOR_CONFIG": str(configuration), "HOME": str(ring.directory)},
                )
                assert done.returncode == code, (arguments, done.stdout, done.stderr)
                return done.stdout + done.stderr

            run("submit", "--symbol", "AAPL", "--side", "buy", "--quantity", "1", "--wait")
            state = ["--state-dir", str(worker.state.path)]
            assert json.loads(run("status", "--json", *state))["answering"] is True
            assert "nothing is unknown" in run("reconcile", *state)
            follower = subprocess.Popen(
                [str(binaries() / "trade-executor"), "outcomes", "--from", "1", "--json"],
                stdout=subprocess.PIPE,
                env={"TRADE_EXECUTOR_CONFIG": str(configuration)},
            )
            assert follower.stdout
            assert json.loads(follower.stdout.readline())["seq"] == 1
            follower.kill()
            follower.wait()
            follower.stdout.close()
            configuration.write_text(f"intake = {worker.intake}\n")
            words = run(
                *("submit", "--symbol", "AAPL", "--side", "buy", "--quantity", "1"),
                *("--timeout", "1"),
                code=1,
            )
            assert "takes keys only" in words or "take keys only" in words, words


def test_other_machines_are_let_in_only_with_keys() -> None:
    with key_ring() as ring, Simulator() as simulator, State() as state:
        place = ["--broker-url", simulator.url, "--state-dir", str(state.path)]
        for endpoint in [
            "tcp://*:*",
            "tcp://0.0.0.0:*",
            "tcp://[::]:5555",
            "tcp://127.0.0.1.example:1",
        ]:
            line = run_and_fail(*place, "--intake", endpoint)
            assert "--server-key and --allowed-keys" in line, line
            line = run_and_fail(*place, "--intake", "tcp://127.0.0.1:*", "--outcomes", endpoint)
            assert "--server-key and --allowed-keys" in line, line
        flags = ring.flags()
        assert "needs allowed_keys too" in run_and_fail(*place, *flags[:2])
        assert "needs server_key too" in run_and_fail(*place, *flags[2:])
        alice = ring.allow("alice", "--strategy", "s")
        worker = Worker(
            simulator, *flags, "--intake", "tcp://*:*", "--outcomes", "tcp://*:*", state=state
        )
        with worker:
            worker.intake = worker.intake.replace("0.0.0.0", "127.0.0.1")
            worker.outcomes = worker.outcomes.replace("0.0.0.0", "127.0.0.1")
            with Publisher(worker, keys=alice) as publisher:
                publisher.accepted("d-1")


def test_key_files_are_those_of_czmq_and_pyzmq() -> None:
    with key_ring() as ring, Simulator() as simulator:
        secret = ring.directory / "server.key_secret"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        public, _ = zmq.auth.load_certificate(ring.directory / "server.key")
        assert zmq.auth.load_certificate(secret)[0] == public
        assert "is there already" in ring.command("generate", "server", code=1)

        # pyzmq leaves the secret readable by everybody.
        _, written = zmq.auth.create_certificates(ring.directory, "theirs")
        os.chmod(written, 0o644)
        ring.command("allow", "theirs", "--strategy", "s")
        theirs = ClientKeys(pathlib.Path(written), ring.directory / "server.key")
        place = ["--broker-url", simulator.url, "--state-dir", str(ring.directory / "state")]
        line = run_and_fail(
            *(*place, "--server-key", written, "--allowed-keys", str(ring.list)),
        )
        assert f"{written} holds a secret and others can read it; chmod 600" in line, line
        line = run_and_fail(
            *(*place, "--server-key", str(ring.directory / "server.key")),
            *("--allowed-keys", str(ring.list)),
        )
        assert "holds no secret-key" in line, line
        with Worker(simulator, *ring.flags()) as worker:
            with Publisher(worker, keys=theirs) as publisher:
                publisher.accepted("d-1")

            checked = subprocess.run(
                [str(binaries() / "trade-executor"), "check", *place, *ring.flags()],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            server = zmq.auth.load_certificate(secret)[0].decode()
            assert f"for 1 keys; the worker's public key is {server}" in checked.stdout, checked
        listed = ring.command("list")
        assert theirs.public.decode() in listed and "strategies: s" in listed, listed
        assert "no key is called nobody" in ring.command("revoke", "nobody", code=1)
        assert "say what it may do" in ring.command("allow", "theirs", code=64)
        ring.command("allow", "../up", "--strategy", "s", code=64)


def test_an_ipc_endpoint_is_for_its_user_unless_others_are_named() -> None:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        with Simulator() as simulator:
            private = pathlib.Path(directory) / "made" / "here"
            ends = [
                "--intake",
                f"ipc://{private}/intake",
                "--outcomes",
                f"ipc://{private}/outcomes",
            ]
            with Worker(simulator, *ends) as worker, Publisher(worker) as publisher:
                publisher.accepted("d-1")
                assert stat.S_IMODE(private.stat().st_mode) == 0o700
                assert stat.S_IMODE((private / "intake").stat().st_mode) == 0o600
            place = ["--broker-url", simulator.url, "--state-dir", directory + "/state"]
            line = run_and_fail(*place, "--intake", "tcp://127.0.0.1:*", "--ipc-users", "1000")
            assert "needs ipc:// endpoints" in line, line
            private.parent.chmod(0o777)
            line = run_and_fail(*place, *ends)
            assert f"can write in {private.parent}" in line, line
            private.parent.chmod(0o700)
            private.chmod(0o777)
            line = run_and_fail(
                *(*ends, "--broker-url", simulator.url, "--state-dir", directory + "/state")
            )
            assert "others could put a socket of their own at" in line, line


def as_user(user: int, endpoint: str, milliseconds: int) -> str:
    """Sends a decision as another user of this machine; returns the answer, empty for none."""
    code = f"""
import os, zmq
os.setgid({user}); os.setuid({user})
socket = zmq.Context().socket(zmq.DEALER)
socket.linger = 0
socket.connect({endpoint!r})
socket.send({json.dumps(decision(f"of-{user}")).encode()!r})
print(socket.recv().decode() if socket.poll({milliseconds}) else "")
"""

    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout.strip()


def test_the_kernel_says_which_user_is_at_an_ipc_endpoint() -> None:
    if os.geteuid() != 0:
        raise NotPossible("only root can be several users")
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        os.chmod(directory, 0o755)
        ends = ["--intake", f"ipc://{directory}/i", "--outcomes", f"ipc://{directory}/o"]
        with Simulator() as simulator:
            with Worker(simulator, *ends, "--ipc-users", "60001,60002") as worker:
                answer: Any = as_user(60001, worker.intake, int(PATIENCE * 1000))
                assert json.loads(answer)["status"] == "accepted", answer
                assert as_user(60003, worker.intake, int(SILENCE * 1000)) == ""
                with Publisher(worker) as publisher:
                    publisher.accepted("by-its-own-user")
                eventually("the log", lambda: "turned away" in worker.state.log.read_text())
                senders = worker.state.rows("SELECT sender FROM trade_decisions ORDER BY id")
                assert senders[0][0].startswith("localhost:60001:"), senders
                assert accepted_count(worker) == 2


if __name__ == "__main__":
    main(globals())
