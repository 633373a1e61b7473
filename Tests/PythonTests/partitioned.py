"""Several workers on one simulator, and the partition map that they share."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any

from harness import (
    PATIENCE,
    Json,
    Simulator,
    State,
    Worker,
    binaries,
    check,
    eventually,
    free_endpoints,
)


class Partitions:
    """Workers p0, p1, … with fixed endpoints, and their map; none of them runs at first."""

    def __init__(self, simulator: Simulator | str, count: int = 2, *flags: str) -> None:
        self.simulator = simulator
        self.flags = flags
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.path = pathlib.Path(self.directory.name) / "partition-map.json"
        self.names = [f"p{number}" for number in range(count)]
        endpoints = free_endpoints(2 * count)
        self.places: Json = {
            name: {"intake": endpoints.pop(), "outcomes": endpoints.pop()} for name in self.names
        }
        self.states: dict[str, State] = {}
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Partitions:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.kill()
        for state in self.states.values():
            state.__exit__()
        self.directory.cleanup()

    def map(self, epoch: int, strategies: Json, **more: Any) -> Json:
        return {
            "v": 1,
            "epoch": epoch,
            "partitions": self.places,
            "strategies": strategies,
            **more,
        }

    def write(self, epoch: int, strategies: Json, **more: Any) -> None:
        """Another edition of the map, whole or not at all."""
        content = self.map(epoch, strategies, **more)
        check("partition-map", content)
        self.write_text(json.dumps(content))

    def write_text(self, text: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.chmod(new, 0o600)
        new.rename(self.path)

    def start(self, name: str, **more: Any) -> Worker:
        state = self.states.setdefault(name, State())
        place = self.places[name]
        self.workers[name] = Worker(
            self.simulator,
            *("--partition", name, "--partition-map", str(self.path)),
            *("--intake", place["intake"], "--outcomes", place["outcomes"]),
            *self.flags,
            state=state,
            **more,
        )
        return self.workers[name]

    def start_all(self) -> list[Worker]:
        return [self.start(name) for name in self.names]

    def stop(self, name: str) -> None:
        worker = self.workers.pop(name)
        assert worker.terminate() == 0
        worker.kill()

    def wait_for_map(self, name: str, epoch: int, problem: str | None = None) -> None:
        """Until a worker has this map in force, and this to say about the file."""

        def told() -> bool:
            told = self.workers[name].status()["partition_map"]
            said = told.get("problem")
            is_meant = said is None if problem is None else problem in (said or "")
            return told["epoch"] == epoch and is_meant

        eventually(f"{name} to have the map of epoch {epoch}, problem {problem}", told)


def run(*arguments: str, body: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(binaries() / "trade-executor"), *arguments],
        capture_output=True,
        text=True,
        input=body,
        stdin=None if body is not None else subprocess.DEVNULL,
        timeout=PATIENCE,
    )
