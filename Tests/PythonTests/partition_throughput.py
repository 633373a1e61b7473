"""How many more trades several partitions make against a broker that takes its time.

python partition_throughput.py [BINARIES] [--partitions=1,2,8] [--decisions=300] [--broker-ms=20]

Release binaries, on a machine that does nothing else; with TMPDIR=/dev/shm, without the disk that
all share. Every worker has a backlog of --decisions; counted is while all have work. Ends with 1
where two partitions make less than 1.9 times the trades of one, or eight less than 7 times.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime
from typing import Any

from harness import COIN, Publisher, Simulator, Worker, decision, eventually, read_answer
from partitioned import Partitions

# What several partitions must make, as a multiple of one.
BARS = {2: 1.9, 8: 7.0}


def option(name: str, default: str) -> str:
    values = [one.split("=", 1)[1] for one in sys.argv[1:] if one.startswith(f"--{name}=")]
    return values[-1] if values else default


def publish(worker: Worker, strategy: str, count: int) -> None:
    """A backlog, sent ahead in order."""
    with Publisher(worker) as publisher:
        for number in range(1, count + 1):
            message: dict[str, Any] = decision(f"d-{number}", strategy, sequence=number, **COIN)
            publisher.send_bytes(json.dumps(message).encode())
        for _ in range(count):
            ack = read_answer(publisher.socket.recv())
            assert ack["status"] == "accepted", ack


def rate(count: int, decisions: int, broker_ms: int) -> float:
    """Trades a second of so many partitions, while all of them have work."""
    with Simulator() as simulator, Partitions(simulator, count) as partitions:
        simulator.fault("delay_after_recording", milliseconds=broker_ms, times=None)
        partitions.flags = ("--max-age-s", "3600")
        partitions.write(1, {f"s{number}": f"p{number}" for number in range(count)})
        workers = partitions.start_all()
        publishers = [
            threading.Thread(target=publish, args=(worker, f"s{number}", decisions))
            for number, worker in enumerate(workers)
        ]
        for publisher in publishers:
            publisher.start()
        for publisher in publishers:
            publisher.join()
        for worker in workers:
            eventually("all to be sent", lambda: worker.status()["pending"] == 0, 600)
        sent = [
            [
                begun
                for (begun,) in state.rows("SELECT submitted_at FROM trade_executions ORDER BY 1")
            ]
            for state in partitions.states.values()
        ]
        assert all(len(times) == decisions for times in sent), "some were not sent"
        begin, end = max(times[0] for times in sent), min(times[-1] for times in sent)
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
        return sum(begin < time <= end for times in sent for time in times) / seconds


def main() -> int:
    counts = [int(one) for one in option("partitions", "1,2,8").split(",")]
    decisions, broker_ms = int(option("decisions", "300")), int(option("broker-ms", "20"))
    rates: dict[int, float] = {}
    failed = False
    for count in counts:
        rates[count] = rate(count, decisions, broker_ms)
        times = rates[count] / rates[1] if 1 in rates else float("nan")
        bar = BARS.get(count) if 1 in rates else None
        verdict = (
            "" if bar is None else f", at least {bar}: " + ("ok" if times >= bar else "MISSED")
        )
        failed = failed or bar is not None and times < bar
        print(
            f"{count} partitions: {rates[count]:.1f} trades/s, {times:.2f} times{verdict}",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
