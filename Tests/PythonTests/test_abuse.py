"""A worker under attack: its memory stays bounded, and honest publishers are served.

`--measure` prints what each attack costs an honest publisher, undisturbed and disturbed in turn, for `--seconds=60` of
attack each and less than half of that without; `--only=NAME` does so for one. Figures want a release build and a quiet
machine.
"""

from __future__ import annotations

import fcntl
import json
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable

import attackers
import zmq
from harness import (
    COIN,
    PATIENCE,
    Json,
    Publisher,
    Simulator,
    Worker,
    binaries,
    decision,
    eventually,
    main,
    read_answer,
)

MEMORY_MAX_KIB = 200 * 1000 * 1000 // 1024


def option(name: str, default: float) -> float:
    for argument in sys.argv[1:]:
        if argument.startswith(f"--{name}="):
            return float(argument.split("=", 1)[1])
    return default


class HonestPublisher:
    """Publishes one decision after the other as the interface says: no answer in 2 s, the same bytes again."""

    def __init__(self, worker: Worker, per_second: float = 100):
        self.worker = worker
        self.pause = 1 / per_second
        self.sent = self.resent = 0
        self._connect()

    def _connect(self) -> None:
        self.socket = self.worker.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(self.worker.intake)

    def publish(self) -> float:
        """Milliseconds until a decision was acknowledged."""
        self.sent += 1
        body = json.dumps(decision(f"h-{self.sent}", "honest", **COIN)).encode()
        began = time.perf_counter()
        for attempt in range(10):
            self.socket.send(body)
            if self.socket.poll(2000):
                milliseconds = (time.perf_counter() - began) * 1000
                answer = read_answer(self.socket.recv())
                assert answer["status"] == "accepted", answer
                assert answer["decision_id"] == f"h-{self.sent}", answer
                return milliseconds
            self.resent += 1
            self.socket.close(0)
            self._connect()
        raise AssertionError(f"no answer in {attempt + 1} attempts: {self.worker.condition()}")

    def publish_for(self, seconds: float) -> list[float]:
        end = time.monotonic() + seconds
        times = []
        while time.monotonic() < end:
            times.append(self.publish())
            time.sleep(max(0, self.pause - times[-1] / 1000))
        return times


class Attack:
    """One attack under way, in a process of its own."""

    def __init__(self, name: str, worker: Worker, seconds: float):
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(pathlib.Path(attackers.__file__)), name),
                *(worker.intake, worker.outcomes, str(seconds)),
            ],
            stdout=subprocess.PIPE,
        )

    def done(self) -> Counter[str]:
        output, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, "the attacker has failed"
        return Counter(json.loads(output))


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def thread_seconds(worker: Worker) -> dict[str, float]:
    """Processor time of the worker's threads."""
    times: Counter[str] = Counter()
    for task in pathlib.Path(f"/proc/{worker.pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        times[(task / "comm").read_text().strip()] += (int(fields[11]) + int(fields[12])) / 100
    return dict(times)


def unsent_bytes(peer: socket.socket) -> int:
    """What the other side's kernel has not taken yet."""
    return struct.unpack("i", fcntl.ioctl(peer, termios.TIOCOUTQ, bytes(4)))[0]


def prepare(worker: Worker) -> None:
    """Some outcomes to ask for."""
    with Publisher(worker) as publisher:
        for number in range(300):
            publisher.send_bytes(json.dumps(decision(f"d-{number}", **COIN)).encode())
        for _ in range(300):
            assert publisher.receive()["status"] == "accepted"
    worker.final_outcome("s", "d-299")


def withstand(name: str, *flags: str, seconds: float = 2.5) -> tuple[Counter[str], Json, str]:
    """Attacks for so long; gives what the attacker did, the worker's status after it, and a line of figures."""
    with Simulator() as simulator, Worker(simulator, *flags) as worker:
        honest = HonestPublisher(worker)
        prepare(worker)
        attack = Attack(name, worker, seconds)
        times = honest.publish_for(seconds + 0.5)
        done = attack.done()
        status = worker.status()
        peak = worker.memory_kib("VmHWM")
        assert worker.program.process.poll() is None, worker.condition()
        assert peak < MEMORY_MAX_KIB, f"{peak} KiB of memory after {dict(done)}"
        assert len(times) > 5, f"only {len(times)} honest decisions were taken in {seconds} s"
        log = worker.state.log.read_text()
        assert len(log) < 20_000, f"a log of {len(log)} bytes"
        figures = (
            f"honest ack p50 {statistics.median(times):.2f} ms, p99 {percentile(times, 0.99):.2f} ms, "
            f"{honest.resent} resent; at most {peak / 1024:.0f} MiB; {dict(done)}"
        )
        return done, status, figures


def make_tests() -> None:
    """A test for each attack: what must hold for all of them, and what the attacker got to do."""

    def test_of(attack: str) -> Callable[[], str]:
        def test() -> str:
            done, _, figures = withstand(attack)
            assert done, "the attacker did nothing"
            return figures

        return test

    for attack in attackers.ATTACKS:
        globals()[f"test_{attack.__name__}_harms_nobody"] = test_of(attack.__name__)


def test_connections_that_say_nothing_keep_nobody_out() -> str:
    """Neither who was there before them and is silent, nor who connects anew for each decision."""
    seconds = 5.0
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as idle:
        idle.accepted("before", "idle", **COIN)
        monitor = idle.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        attack = Attack("connections_that_say_nothing", worker, seconds)
        end = time.monotonic() + seconds
        honest = HonestPublisher(worker)
        times = []
        while time.monotonic() < end:
            times.append(honest.publish())
            honest.socket.close(0)
            honest._connect()
            time.sleep(0.05)
        done = attack.done()
        assert done["connections"] > 600, done
        assert not monitor.poll(0), "who was there has lost its connection"
        idle.accepted("after", "idle", **COIN)
        assert len(times) > 20, f"only {len(times)} decisions were taken in {seconds} s"
        assert worker.program.process.poll() is None, worker.condition()
        return (
            f"{len(times)} decisions, p50 {statistics.median(times):.1f} ms, "
            f"p99 {percentile(times, 0.99):.1f} ms, {honest.resent} resent; {dict(done)}"
        )


def test_of_a_flood_only_so_many_refused_messages_are_kept() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        count = 3000
        for _ in range(count):
            publisher.send_bytes(b"{}")
        for _ in range(count):
            assert publisher.receive()["status"] == "refused"
        kept = worker.state.rows("SELECT count(*) FROM refused_messages")[0][0]
        assert worker.status()["refused"] == count
        # A thousand, and one more for each 0.6 s that this took.
        assert 1000 <= kept < 1000 + 100 * PATIENCE / 60, kept
        eventually("a line about it", lambda: "not kept" in worker.state.log.read_text())
        publisher.accepted("d")
    return f"{kept} of {count}"


def test_who_is_gone_is_not_answered_any_more() -> str:
    """Thousands of requests may wait of a connection that is gone, and its answers are in memory until they are through."""
    with Simulator() as simulator, Worker(simulator) as worker:
        prepare(worker)
        count = 60_000
        peer = attackers.shake_hands(worker.intake)
        before = sum(thread_seconds(worker).values())
        peer.sendall(attackers.frame(b'{"v":1,"type":"replay","after":0,"limit":300}') * count)
        eventually("all sent", lambda: not unsent_bytes(peer))
        peer.close()

        def is_at_rest() -> bool:
            begin = sum(thread_seconds(worker).values())
            time.sleep(0.5)
            return sum(thread_seconds(worker).values()) - begin < 0.1

        eventually("the worker at rest", is_at_rest)
        spent = sum(thread_seconds(worker).values()) - before
        # An answer each, built for debugging, would take fifteen.
        assert spent < 5, f"{spent:.1f} s for {count} requests of nobody"
        return f"{spent:.1f} s for {count} requests"


def test_an_envelope_that_is_too_long_is_not_echoed() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.socket.send_multipart([b"x" * 4097, b'{"v":1,"type":"ping"}'])
        answer = publisher.receive()
        assert answer["code"] == "too_large" and "4096" in answer["message"], answer
        publisher.envelope = [b"x" * 2000, b"y" * 2096]
        publisher.send_bytes(b'{"v":1,"type":"ping"}')
        assert publisher.receive()["type"] == "pong"


def test_text_of_strangers_is_shown_and_not_obeyed() -> None:
    """In a name, a rationale, a refused body, a halt's reason and a halt file's name."""
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u2066\x7f\r\n';DROP TABLE outcomes;--"
    names = [evil, "a|b", "heartbeat|p0", "../../x", "a" * 49, "", "\u0430bc", "%s%n"]
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        for field in ["strategy_name", "decision_id", "symbol"]:
            for name in names:
                if field == "decision_id" and len(name) == 49:
                    continue
                if field == "symbol" and len(name) in (0, 7):
                    continue
                message = {**decision("d"), field: name}
                answer = publisher.ask_bytes(json.dumps(message).encode())
                assert answer["status"] == "refused" and answer["field"] == field, (message, answer)
        publisher.accepted("with-rationale", rationale={evil: evil})
        publisher.send_bytes(evil.encode())
        assert publisher.receive()["code"] == "bad_json"
        worker.final_outcome("s", "with-rationale")
        (worker.state.path / "halt" / "strategy-\x1b[31m").write_text(evil)
        worker.halt_file("strategy-t").write_text(
            json.dumps({"scope": "t", "hold": False, "reason": evil, "by": evil})
        )
        where = ["--state-dir", str(worker.state.path)]
        for command in [
            ["executions", *where, "--payloads"],
            ["failures", *where],
            ["show", "s:with-rationale", *where],
            ["status", *where, "--intake", worker.intake],
        ]:
            for json_too in [[], ["--json"]]:
                ended = subprocess.run(
                    [str(binaries() / "trade-executor"), *command, *json_too],
                    capture_output=True,
                    timeout=PATIENCE,
                    env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
                )
                assert ended.returncode == 0, (command, ended)
                for output in [ended.stdout, ended.stderr]:
                    obeyed = sorted(
                        {c for c in output.decode() if must_be_shown(c, bool(json_too))}
                    )
                    assert not obeyed, (command, obeyed, output)
        assert "outcomes" in [
            row[0] for row in worker.state.rows("SELECT name FROM sqlite_schema WHERE type='table'")
        ]


def must_be_shown(character: str, is_json: bool) -> bool:
    """Whether a terminal would obey it. JSON may hold direction marks: it is read by programs."""
    if character == "\n":
        return False
    if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
        return not is_json or ord(character) < 0x20
    return not is_json and (
        0x202A <= ord(character) <= 0x202E or 0x2066 <= ord(character) <= 0x2069
    )


# --- Measuring


def measure(name: str, seconds: float, stretch: float) -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        honest = HonestPublisher(worker)
        prepare(worker)
        quiet: list[float] = []
        disturbed: list[float] = []
        done: Counter[str] = Counter()
        cpu: Counter[str] = Counter()
        attacked = 0.0
        while attacked < seconds:
            quiet += honest.publish_for(stretch * 0.4)
            before = thread_seconds(worker)
            attack = Attack(name, worker, stretch + 0.3)
            # Until its interpreter has started.
            time.sleep(0.3)
            disturbed += honest.publish_for(stretch)
            done += attack.done()
            cpu.update({k: v - before.get(k, 0) for k, v in thread_seconds(worker).items()})
            attacked += stretch
            time.sleep(0.5)
        peak = worker.memory_kib("VmHWM") / 1024
        now = worker.memory_kib() / 1024
        assert worker.program.process.poll() is None, worker.condition()
        p99, quiet99 = percentile(disturbed, 0.99), percentile(quiet, 0.99)
        share = {k: round(v / attacked, 2) for k, v in cpu.items() if v / attacked >= 0.005}
        print(
            f"{name:34} quiet p50 {statistics.median(quiet):6.2f} p99 {quiet99:6.2f}  "
            f"attacked p50 {statistics.median(disturbed):6.2f} p99 {p99:6.2f} ({p99 / quiet99:4.1f}x)  "
            f"n {len(disturbed)} resent {honest.resent}  MiB peak {peak:4.0f} after {now:4.0f}  "
            f"attacker {done['cpu_ms'] / 1000 / attacked:.2f} core, worker {share}  {dict(done)}",
            flush=True,
        )


def measure_all() -> None:
    seconds = option("seconds", 60)
    only = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--only=")]
    for attack in attackers.ATTACKS:
        if not only or attack.__name__ in only:
            try:
                measure(attack.__name__, seconds, min(seconds, 10))
            except AssertionError as problem:
                print(f"{attack.__name__}: FAILED {problem}", flush=True)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        measure_all()
    else:
        make_tests()
        main(globals())
