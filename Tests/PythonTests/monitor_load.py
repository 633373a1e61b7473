"""How much a monitor bears: outcomes from many partitions at once, a browser that looks on, a kill in between.

`python monitor_load.py [DIRECTORY_OF_BINARIES] [--seconds=60] [--per-second=1000] [--partitions=8] [--browser]`

Of what is published live one in fifty is lost on the way, so that there are gaps to ask for. Checked at the end: no
outcome is missing, the totals are those of what was published, also after a kill -9 and a restart; and what was
measured: memory, the time from publication to the monitor's answer, how long its answers take, and how the page in
Chromium does.
"""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

from chromium import Chromium
from harness import Json, eventually
from monitors import Monitor, totals_shown
from stand_in_worker import StandInWorker

OPTIONS = dict(one[2:].partition("=")[::2] for one in sys.argv[1:] if one.startswith("--"))
SECONDS = float(OPTIONS.get("seconds", "60"))
PER_SECOND = int(OPTIONS.get("per-second", "1000"))
PARTITIONS = int(OPTIONS.get("partitions", "8"))
MEMORY_MAX_MIB = 150


class Traffic:
    """Outcomes at an even pace, in stories of three: pending, pending, and an end."""

    def __init__(self, workers: list[StandInWorker]):
        self.workers = workers
        self.said = 0

    def run(self, seconds: float) -> None:
        began = time.monotonic()
        at_first = self.said
        while (passed := time.monotonic() - began) < seconds:
            while self.said - at_first < passed * PER_SECOND:
                self._one(self.said)
                self.said += 1
            time.sleep(0.002)

    def _one(self, number: int) -> None:
        worker = self.workers[number % len(self.workers)]
        turn = number // len(self.workers)
        story, step = divmod(turn, 3)
        strategy, name = f"s-{story % 3}", f"d-{story}"
        if step < 2:
            worker.say(strategy, name, "pending", "submitted")
        elif story % 9 == 0:
            worker.say(strategy, name, "failed", "rejected", message="insufficient buying power")
        else:
            worker.say(strategy, name, "success")


def check_totals(monitor: Monitor, workers: list[StandInWorker]) -> None:
    for worker in workers:
        monitor.wait_for_seq(worker.partition, len(worker.bodies))
        shown, said = totals_shown(monitor, worker.partition), worker.totals()
        assert shown == said, (worker.partition, shown, said)


def run() -> None:
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        store = pathlib.Path(directory) / "monitor.db"
        workers = [
            stack.enter_context(StandInWorker(f"p{number}", loses=50))
            for number in range(PARTITIONS)
        ]
        flags = [flag for worker in workers for flag in worker.flag]
        monitor = stack.enter_context(Monitor(*flags, store=store))
        browser = stack.enter_context(Chromium()) if "browser" in OPTIONS else None
        eventually("all are heard", lambda: monitor.health()[0] == 200)
        if browser:
            browser.screen(1280, 900)
            browser.open(monitor.url + "/")
            eventually("the page", lambda: "well" in browser.text("#verdict"))

        traffic = Traffic(workers)
        thread = threading.Thread(target=traffic.run, args=(SECONDS,))
        thread.start()
        answers: list[float] = []
        lags: list[int] = []
        frames: list[float] = []
        while thread.is_alive():
            before = time.monotonic()
            state: Json = monitor.api("state")
            answers.append((time.monotonic() - before) * 1000)
            seen = sum(one["seq"] for one in state["partitions"])
            lags.append(traffic.said - seen)
            if browser:
                # From asking for a turn of the page's own loop to getting it.
                frames.append(
                    browser.evaluate(
                        "new Promise(done => { const began = performance.now();"
                        " setTimeout(() => requestAnimationFrame(() =>"
                        " done(performance.now() - began)), 0) })"
                    )
                )
            time.sleep(0.5)
        thread.join()
        check_totals(monitor, workers)
        peak = monitor.memory_kib("VmHWM") / 1024
        gaps = sum(monitor.partition(worker.partition)["gaps"] for worker in workers)
        lost = sum(worker.lost for worker in workers)
        print(
            f"{traffic.said} outcomes from {PARTITIONS} partitions in {SECONDS:.0f} s: none missed"
        )
        print(f"  {lost} lost on the way, {gaps} gaps, all asked for again")
        print(
            f"  behind by {statistics.median(lags):.0f} outcomes (median), {max(lags)} at most;"
            f" /api/state in {statistics.median(answers):.0f} ms (median), {max(answers):.0f} worst"
        )
        print(f"  memory {peak:.0f} MiB at most")
        if browser:
            print(
                f"  the page's loop: {statistics.median(frames):.0f} ms (median),"
                f" {max(frames):.0f} worst; {browser.count('#feed tbody tr')} rows"
            )
            assert statistics.median(frames) < 100 and max(frames) < 2000, frames
            assert not browser.complaints, browser.complaints
        assert peak < MEMORY_MAX_MIB, f"{peak:.0f} MiB"

        # In the midst of traffic, and again.
        thread = threading.Thread(target=traffic.run, args=(6,))
        thread.start()
        time.sleep(2)
        monitor.program.kill()
        time.sleep(1)
        again = stack.enter_context(Monitor(*flags, store=store))
        thread.join()
        check_totals(again, workers)
        assert again.terminate() == 0
        with sqlite3.connect(store) as database:
            kept = database.execute(
                "SELECT partition, count(*), max(seq) FROM outcomes GROUP BY partition"
            ).fetchall()
        assert kept == [(w.partition, len(w.bodies), len(w.bodies)) for w in workers], kept
        print(f"killed and started again: the same totals, {traffic.said} outcomes in the store")


if __name__ == "__main__":
    run()
