"""Kills and restarts the worker for as long as asked, while strategies publish and the broker fails.

python soak.py BINARIES [SECONDS] [--seed=N] [--kill-every=S] [--per-second=N] [--per-mille=N]

What must hold is in checks.py; who uses the worker meanwhile is in load.py. Exits with 1, and keeps the
directory, when anything does not hold.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter

from harness import (
    KILL_AT,
    Json,
    Simulator,
    State,
    Worker,
    death_points,
    die_with_parent,
    eventually,
    free_endpoints,
)
from checks import BUGS, Checks, Violation, must
from client_checks import Follower as ExampleClient
from load import BROKER_TIMEOUT_MS, Broker, Follower, Strategy, is_at_rest
from test_python_client import PYTHON

STRATEGIES = 4


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kill-every", type=float, default=5, metavar="S")
    parser.add_argument("--per-second", type=float, default=100, metavar="N")
    parser.add_argument("--per-mille", type=int, default=30, metavar="N")
    parser.add_argument("--plant", choices=BUGS, help="spoils the evidence: the run must fail")
    return parser.parse_args()


class Lives:
    """The worker and its lives, one after the other."""

    def __init__(self, simulator: Simulator, state: State, chance: random.Random, every: float):
        self.simulator, self.state, self.random, self.every = simulator, state, chance, every
        self.intake, self.outcomes = free_endpoints(2)
        self.points = death_points()
        self.deaths: Counter[str] = Counter()
        self.slowest_start = 0.0
        # The most memory that each life had, in KiB, and what was measured first and last.
        self.memory: list[int] = []
        self.first_memory = self.last_memory = 0
        self.may_die_by_itself = False
        self.begin()

    def begin(self, at_a_point: bool = False) -> None:
        environment = {}
        if at_a_point:
            # Soon more often than late.
            passes = int(500 ** self.random.random())
            environment[KILL_AT] = f"{self.random.choice(self.points)}:{passes}"
        self.may_die_by_itself = at_a_point
        self.memory.append(0)
        self.worker = Worker(
            self.simulator,
            *("--intake", self.intake, "--outcomes", self.outcomes, "--settle-time-s", "3"),
            *("--broker-timeout-ms", str(BROKER_TIMEOUT_MS), "--max-age-s", "86400"),
            state=self.state,
            environment=environment,
        )
        self.slowest_start = max(self.slowest_start, self.worker.program.seconds_to_ready)
        self.ends_at = time.monotonic() + self.every * self.random.uniform(0.2, 1.8)

    def turn(self) -> None:
        """Ends this life when its time has come, and begins the next."""
        if self.worker.program.process.poll() is not None:
            must(self.may_die_by_itself, self.worker.condition())
            self._ended("died at a point of its turn")
        elif time.monotonic() < self.ends_at:
            return
        elif self.random.random() < 0.15:
            self._stop_for_a_second()
            return
        elif self.random.random() < 0.15:
            code = self.worker.terminate()
            must(code == 0 or self.may_die_by_itself, f"SIGTERM ended the worker with {code}")
            self._ended("stopped with SIGTERM")
        else:
            self._ended("killed")
        self._begin_again()

    def _ended(self, how: str) -> None:
        self.worker.kill()
        self.deaths[how] += 1

    def _begin_again(self) -> None:
        while self.random.random() < 0.2:
            self._kill_at_its_start()
        if self.random.random() < 0.4:
            try:
                self.begin(at_a_point=True)
                return
            except AssertionError:
                # It came to its point before it was ready. Whether it can start at all is seen below.
                self.deaths["died at a point before it was ready"] += 1
        try:
            self.begin()
        except AssertionError as error:
            raise Violation(f"the worker does not start: {error}") from error

    def _kill_at_its_start(self) -> None:
        program = self.worker.program
        with program.log.open("ab") as log:
            process = subprocess.Popen(
                program.arguments,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=program.environment,
                preexec_fn=die_with_parent,
            )
        time.sleep(self.random.uniform(0, 0.2))
        process.kill()
        process.wait()
        self.deaths["killed at its start"] += 1

    def _stop_for_a_second(self) -> None:
        process = self.worker.program.process
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        self.deaths["frozen for a second"] += 1
        self.ends_at = time.monotonic() + self.every * self.random.uniform(0.2, 1.8)

    def measure(self) -> None:
        try:
            self.last_memory = self.worker.memory_kib()
        except (AssertionError, OSError):
            return  # dead, or dying
        self.first_memory = self.first_memory or self.last_memory
        self.memory[-1] = max(self.memory[-1], self.last_memory)

    def check_memory(self) -> None:
        """The later lives need no more than the earlier ones."""
        measured = [most for most in self.memory if most]
        third = len(measured) // 3
        if third:
            early, late = max(measured[:third]), max(measured[-third:])
            allowed = early * 1.3 + 8 * 1024
            must(
                late <= allowed, f"memory grew: {early} KiB in early lives, {late} KiB in late ones"
            )


class Soak:
    def __init__(self, chosen: argparse.Namespace, directory: pathlib.Path, simulator: Simulator):
        self.chosen, self.directory, self.simulator = chosen, directory, simulator
        seed = chosen.seed
        self.state = State(directory / "state")
        self.broker = Broker(simulator, seed, chosen.per_mille)
        self.random = random.Random(f"{seed} kills")
        self.lives = Lives(simulator, self.state, self.random, chosen.kill_every)
        endpoints = (self.lives.outcomes, self.lives.intake)
        self.strategies = [
            Strategy(f"strategy-{number}", endpoints[1], seed, chosen.per_second / STRATEGIES)
            for number in range(1, STRATEGIES + 1)
        ]
        self.follower = Follower(*endpoints)
        # The example client, which is frozen for seconds now and then.
        self.frozen = ExampleClient(PYTHON, self.strategies[0].name, *endpoints)
        self.checks = Checks(self.state, simulator, self.strategies, self.follower, chosen.plant)
        self.began = time.monotonic()

    def run(self) -> None:
        """The whole of it. Raises at the first thing that does not hold."""
        for thread in [*self.strategies, self.follower]:
            thread.start()
        end = self.began + self.chosen.seconds
        freezes = threading.Event()
        freezer = threading.Thread(target=self._freeze_now_and_then, args=[freezes], daemon=True)
        freezer.start()
        next_look = next_measure = self.began
        next_line = self.began + 10
        while (now := time.monotonic()) < end:
            self.lives.turn()
            self.broker.turn()
            if now >= next_measure:
                self.lives.measure()
                next_measure = now + 1
            if now >= next_look:
                self.broker.sees(self.checks.look())
                next_look = now + 1
            if now >= next_line:
                self.tell_progress()
                next_line += 10
            time.sleep(0.01)
        freezes.set()
        freezer.join()
        self._come_to_rest()

    def _freeze_now_and_then(self, ends: threading.Event) -> None:
        chance = random.Random(f"{self.chosen.seed} freezes")
        while not ends.wait(chance.uniform(1, 5)):
            self.frozen.process.send_signal(signal.SIGSTOP)
            ends.wait(chance.uniform(2, 8))
            self.frozen.process.send_signal(signal.SIGCONT)

    def _come_to_rest(self) -> None:
        print("no more kills, faults and decisions; waiting until everything has ended", flush=True)
        if self.lives.may_die_by_itself:
            self.lives.worker.kill()
            self.lives.begin()
        self.broker.calm_down()
        for strategy in self.strategies:
            strategy.ends.set()
        for strategy in self.strategies:
            strategy.join(timeout=30)
            must(not strategy.is_alive(), f"{strategy.name} waits for an answer in vain")
        worker = self.lives.worker

        def is_over() -> bool:
            self.broker.cancel_all()
            self.lives.measure()
            return is_at_rest(worker)

        try:
            eventually("the end of all orders", is_over, patience=90)
            self.checks.look()
            eventually("the follower", lambda: self.follower.last >= self.checks.seq)
            self.checks.look()
            self.frozen.gets_all(worker)
        except AssertionError as error:
            raise Violation(f"{error}\n{worker.status()}") from error
        self.checks.at_rest(worker)
        self.lives.check_memory()
        code = worker.terminate()
        must(code == 0, f"SIGTERM ended the worker with {code}")

    def close(self) -> None:
        self.frozen.__exit__()
        for strategy in self.strategies:
            strategy.ends.set()
        self.follower.ends.set()
        self.lives.worker.kill()

    # --- Telling

    def _counts(self) -> Counter[str]:
        return sum((strategy.counts for strategy in self.strategies), Counter[str]())

    def tell_progress(self) -> None:
        print(
            f"{time.monotonic() - self.began:5.0f} s: {self.lives.deaths.total()} kills and stops,"
            f" {self._counts()['accepted']} decisions, {self.checks.posts_read} POSTs,"
            f" {self.checks.seq} outcomes, {len(self.checks.open)} open,"
            f" {self.checks.unknown} were unknown, {self.lives.last_memory / 1024:.0f} MiB",
            flush=True,
        )

    def figures(self) -> list[tuple[str, object]]:
        counts, checks, lives = self._counts(), self.checks, self.lives
        ends = Counter(end.result for end in checks.ends.values())
        reasons = Counter(end.reason for end in checks.ends.values() if end.reason)
        faults = self._faults()
        memory = [lives.first_memory, lives.last_memory, max(lives.memory)]
        return [
            ("seconds", f"{time.monotonic() - self.began:.0f}"),
            ("kills and stops", f"{lives.deaths.total()} ({listed(lives.deaths)})"),
            (
                "starts",
                f"{len(lives.memory)}, ready after {lives.slowest_start * 1000:.0f} ms at worst",
            ),
            ("messages", listed(counts)),
            ("POSTs", checks.posts_read),
            ("outcomes", f"{checks.seq}; the follower asked for {self.follower.replays} replays"),
            ("results", listed(ends)),
            ("failures", listed(reasons)),
            ("unknown for a time", f"{checks.unknown} ({listed(checks.resolved)})"),
            ("faults", f"{faults.total()} ({listed(faults)})"),
            ("acceptance to end", self._slowest_end()),
            (
                "memory",
                "first {:.1f}, last {:.1f}, most {:.1f} MiB".format(*(k / 1024 for k in memory)),
            ),
        ]

    def _faults(self) -> Counter[str]:
        with (self.directory / "simulator.log").open() as log:
            found = (re.search(r"^(GET|POST) .*\((\w+)\)$", line) for line in log)
            return Counter(f"{match[1]} {match[2]}" for match in found if match)

    def _slowest_end(self) -> str:
        [(name, seconds)] = self.state.rows(
            "SELECT strategy_name || ':' || decision_id,"
            " max(julianday(coalesce(executed_at, failed_at)) - julianday(received_at)) * 86400"
            " FROM trade_decisions"
        )
        return f"{seconds or 0:.1f} s at most ({name})"

    def keep_evidence(self) -> None:
        """What the directory does not hold anyway."""
        posts: list[Json] = self.simulator.posts()
        (self.directory / "posts.json").write_text(json.dumps(posts, indent=1))
        acknowledged = json.dumps(self.checks.acknowledged, indent=1)
        (self.directory / "acknowledged.json").write_text(acknowledged)


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


def main() -> int:
    chosen = options()
    # So that whatever is under way is ended in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="trade-executor-soak-"))
    (directory / "state").mkdir()
    print(f"{chosen.seconds:.0f} s with seed {chosen.seed}, in {directory}", flush=True)
    flags = ["--cash", "90000000000", "--partial-fills", "--log", "--seed", str(chosen.seed)]
    violation = None
    interrupted = False
    with Simulator(*flags, log=directory / "simulator.log") as simulator:
        soak = Soak(chosen, directory, simulator)
        try:
            soak.run()
        except Violation as error:
            violation = str(error)
        except KeyboardInterrupt:
            interrupted = True
        except Exception:
            violation = traceback.format_exc()
        finally:
            soak.close()
        print()
        for name, value in soak.figures():
            print(f"{name:<20} {value}")
        if violation:
            soak.keep_evidence()
    if violation:
        print(
            f"\nVIOLATION with seed {chosen.seed}: {violation}\neverything is kept in {directory}"
        )
        return 1
    shutil.rmtree(directory)
    print("\ninterrupted: the end was not looked at" if interrupted else "\neverything held")
    return 130 if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
