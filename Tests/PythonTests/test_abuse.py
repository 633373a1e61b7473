"""A worker under attack: its memory stays bounded, and honest publishers are served.

`--measure` prints what each attack costs an honest publisher, undisturbed and disturbed in turn, for `--seconds=60` of
attack each; `--only=NAME` does so for one. Figures want a release build and a quiet machine.
"""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import zmq

import attackers
from harness import COIN, Json, PATIENCE, Simulator, Worker, binaries, decision, main, read_answer

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
            if "--log" in sys.argv:
                print("sent again after", self.sent, self.worker.state.log.read_text()[-600:])
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


def prepare(worker: Worker, honest: HonestPublisher) -> None:
    """Some outcomes to ask for."""
    for _ in range(600):
        honest.publish()


def withstand(name: str, *flags: str, seconds: float = 2.5) -> tuple[Counter[str], Json, str]:
    """Attacks for so long; gives what the attacker did, the worker's status after it, and a line of figures."""
    with Simulator() as simulator, Worker(simulator, *flags) as worker:
        honest = HonestPublisher(worker)
        prepare(worker, honest)
        attack = Attack(name, worker, seconds)
        times = honest.publish_for(seconds + 0.5)
        done = attack.done()
        status = worker.status()
        peak = worker.memory_kib("VmHWM")
        assert worker.program.process.poll() is None, worker.condition()
        assert peak < MEMORY_MAX_KIB, f"{peak} KiB of memory after {dict(done)}"
        assert len(times) > 20, f"only {len(times)} honest decisions were taken in {seconds} s"
        log = worker.state.log.read_text()
        assert len(log) < 20_000, f"a log of {len(log)} bytes"
        figures = (
            f"honest ack p50 {statistics.median(times):.2f} ms, p99 {percentile(times, 0.99):.2f} ms, "
            f"{honest.resent} resent; at most {peak / 1024:.0f} MiB; {dict(done)}"
        )
        return done, status, figures


# --- Measuring


def measure(name: str, seconds: float, stretch: float) -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        honest = HonestPublisher(worker)
        prepare(worker, honest)
        quiet: list[float] = []
        disturbed: list[float] = []
        done: Counter[str] = Counter()
        cpu: Counter[str] = Counter()
        attacked = 0.0
        while attacked < seconds:
            quiet += honest.publish_for(stretch)
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
        if "--log" in sys.argv:
            print(worker.state.log.read_text())
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
    measure_all() if "--measure" in sys.argv else main(globals())
