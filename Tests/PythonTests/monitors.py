"""The monitor as a program, and what is asked of it."""

from __future__ import annotations

import http.client
import json
import pathlib
import signal
import tempfile
from typing import Any
from urllib.parse import urlencode

from harness import PATIENCE, Json, Program, State, Worker, binaries, eventually


class Monitor:
    """A `trade-monitor`, with a store that outlives it where `store` is given."""

    def __init__(
        self, *flags: str, store: pathlib.Path | None = None, wrapper: list[str] | None = None
    ):
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        path = pathlib.Path(self.directory.name)
        self.log = path / "monitor.log"
        self.store = store or path / "monitor.db"
        self.program = Program(
            [
                # A program that becomes the monitor.
                *(wrapper or []),
                *(str(binaries() / "trade-monitor"), "--listen", "127.0.0.1:0"),
                *("--store", str(self.store)),
                *flags,
            ],
            self.log,
            {},
        )
        self.url = self.program.ready["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()
        self.directory.cleanup()

    def terminate(self) -> int:
        self.program.process.send_signal(signal.SIGTERM)
        return self.program.wait()

    def memory_kib(self, what: str = "VmRSS") -> int:
        status = pathlib.Path(f"/proc/{self.program.process.pid}/status").read_text()
        return next(
            int(line.split()[1]) for line in status.splitlines() if line.startswith(what + ":")
        )

    def ask(
        self, path: str, method: str = "GET", host: str | None = None, **query: Any
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            target = f"{path}?{urlencode(query)}" if query else path
            connection.putrequest(method, target, skip_host=True)
            if host != "":
                connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def api(self, name: str, **query: Any) -> Json:
        status, _, body = self.ask(f"/api/{name}", **query)
        assert status == 200, (status, body)
        answer: Json = json.loads(body)
        return answer

    def partition(self, name: str) -> Json:
        return next(one for one in self.api("state")["partitions"] if one["partition"] == name)

    def health(self) -> tuple[int, Json]:
        status, _, body = self.ask("/healthz")
        return status, json.loads(body)

    def metrics(self) -> dict[str, float]:
        """By name with labels, as they stand in the text."""
        status, headers, body = self.ask("/metrics")
        assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
        return {
            name: float(value)
            for name, value in (
                line.rsplit(" ", 1)
                for line in body.decode().splitlines()
                if not line.startswith("#")
            )
        }

    def wait_for_seq(self, partition: str, seq: int, patience: float = PATIENCE) -> Json:
        def reached() -> Json | None:
            one = self.partition(partition)
            return one if one["seq"] >= seq and one["missing"] == 0 else None

        one: Json = eventually(f"outcome {seq} of {partition} at the monitor", reached, patience)
        return one


def watching(*workers: Worker) -> list[str]:
    """The flags by which these workers are watched."""
    return [
        flag
        for worker in workers
        for flag in ("--worker", f"{worker.partition}={worker.outcomes},{worker.intake}")
    ]


def totals_of(state: State) -> dict[str, Json]:
    """What has come of each strategy's decisions, by the worker's own database."""
    totals: dict[str, Json] = {}
    for strategy, count in state.rows(
        "SELECT strategy_name, count(*) FROM outcomes GROUP BY strategy_name"
    ):
        totals[strategy] = {"outcomes": count}
        last: dict[str, Json] = {}
        for body in state.stored_outcomes(strategy):
            outcome = json.loads(body)
            last[outcome["decision_id"]] = outcome
        for result in ["pending", "unknown", "success", "partial", "failed"]:
            totals[strategy][result] = sum(one["result"] == result for one in last.values())
        totals[strategy]["refused"] = sum(one["execution"] is None for one in last.values())
    return totals


def totals_shown(monitor: Monitor, partition: str) -> dict[str, Json]:
    names = ["outcomes", "pending", "unknown", "success", "partial", "failed", "refused"]
    return {
        row["strategy_name"]: {name: row[name] for name in names}
        for row in monitor.api("state")["strategies"]
        if row["partition"] == partition
    }
