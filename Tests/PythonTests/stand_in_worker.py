"""Something that speaks to a monitor as a worker does, and says whatever a test wants it to say."""

from __future__ import annotations

import datetime
import json
import threading
import time
from typing import Any

import zmq
from harness import Json


def moment(seconds: float | None = None) -> str:
    at = datetime.datetime.fromtimestamp(
        time.time() if seconds is None else seconds, datetime.timezone.utc
    )
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class StandInWorker:
    """Outcomes by the contract, from memory: live, in heartbeats' numbers, and by replay.

    `loses`: of the live outcomes every so-manieth is not published. `answers`, `beating`: whether its
    intake answers, and whether it sends heartbeats.
    """

    def __init__(self, partition: str, *, loses: int = 0):
        self.partition = partition
        self.loses = loses
        self.stream = f"stream-of-{partition}"
        self.bodies: list[bytes] = []
        self.strategies: dict[str, int] = {}
        self.last: dict[tuple[str, str], Json] = {}
        self.beats: Json = {}
        self.lost = self.replays = 0
        self.answers = self.beating = True
        self.context: zmq.Context[Any] = zmq.Context()
        self.router = self.context.socket(zmq.ROUTER)
        self.topic = self.context.socket(zmq.PUB)
        self.topic.sndhwm = 2000
        self.intake = self._bind(self.router)
        self.outcomes = self._bind(self.topic)
        # Sockets are for one thread each; this one publishes, and the other answers.
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [
            threading.Thread(target=work, daemon=True) for work in (self._answer, self._beat)
        ]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _bind(socket: zmq.Socket[Any]) -> str:
        socket.linger = 0
        socket.bind("tcp://127.0.0.1:*")
        return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))

    def __enter__(self) -> StandInWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.context.destroy(linger=0)

    @property
    def flag(self) -> list[str]:
        return ["--worker", f"{self.partition}={self.outcomes},{self.intake}"]

    def say(
        self,
        strategy: str,
        decision_id: str,
        result: str,
        status: str | None = "filled",
        *,
        began: float | None = None,
        at: float | None = None,
        message: str | None = None,
        **more: Any,
    ) -> None:
        """Stores an outcome and publishes it."""
        now = time.time() if at is None else at
        execution = status and {
            "execution_id": "6f1a",
            "client_order_id": f"{strategy}:{decision_id}",
            "attempt_number": 1,
            "status": status,
            "certainty": "unknown" if result == "unknown" else "answered",
            "alpaca_order_id": "b0b6dd9d",
            "http_status_code": 403 if message else 200,
            "error_message": message,
            "filled_quantity": "10" if result == "success" else "0",
            "filled_avg_price": "230.5" if result == "success" else None,
            "submitted_at": moment(now - 0.02 if began is None else began),
        }
        with self.lock:
            seq = len(self.bodies) + 1
            self.strategies[strategy] = self.strategies.get(strategy, 0) + 1
            outcome = {
                "v": 1,
                "type": "outcome",
                "stream": self.stream,
                "seq": seq,
                "strategy_seq": self.strategies[strategy],
                "partition": self.partition,
                "decision_id": decision_id,
                "strategy_name": strategy,
                "symbol": "AAPL",
                "side": "buy",
                "quantity": "10",
                "result": result,
                "final": result in ("success", "partial", "failed"),
                "decision_status": {"success": "executed", "failed": "failed"}.get(
                    result, "executing"
                ),
                "reason": message,
                "execution": execution,
                "at": moment(now),
                **more,
            }
            body = json.dumps(outcome, separators=(",", ":")).encode()
            self.bodies.append(body)
            self.last[strategy, decision_id] = outcome
            if self.loses and seq % self.loses == 0:
                self.lost += 1
                return
            topic = f"outcome|{strategy}|AAPL|{status or 'refused'}"
            self.topic.send_multipart([topic.encode(), body])

    def totals(self) -> dict[str, Json]:
        """As the monitor shows them."""
        totals: dict[str, Json] = {}
        for strategy, count in self.strategies.items():
            last = [one for (name, _), one in self.last.items() if name == strategy]
            totals[strategy] = {
                "outcomes": count,
                **{
                    result: sum(one["result"] == result for one in last)
                    for result in ("pending", "unknown", "success", "partial", "failed")
                },
                "refused": sum(one["execution"] is None for one in last),
            }
        return totals

    def _state(self, kind: str) -> bytes:
        state = {
            "v": 1,
            "type": kind,
            "stream": self.stream,
            "partition": self.partition,
            "seq": len(self.bodies),
            "strategies": self.strategies,
            "pending": 0,
            "oldest_pending_ms": 0,
            "unknown": 0,
            "refused": 0,
            "halted": [],
            "open_orders": 0,
            "sending": False,
            "draining": False,
            "storage_fault": None,
            "look_ups": 0,
            "uptime_s": 5,
            "at": moment(),
            **self.beats,
        }
        if kind == "status":
            state.setdefault("halts", [])
        return json.dumps(state).encode()

    def _beat(self) -> None:
        while not self.ending.wait(1):
            if not self.beating:
                continue
            with self.lock:
                beat = [f"heartbeat|{self.partition}".encode(), self._state("heartbeat")]
                self.topic.send_multipart(beat)

    def _answer(self) -> None:
        while not self.ending.is_set():
            if not self.router.poll(50):
                continue
            *envelope, body = self.router.recv_multipart()
            request = json.loads(body)
            # A monitor asks for nothing else.
            assert request["type"] in ("replay", "status"), request
            self.replays += request["type"] == "replay"
            if not self.answers:
                continue
            if request["type"] == "status":
                self.router.send_multipart([*envelope, self._state("status")])
                continue
            after, limit = request["after"], request["limit"]
            with self.lock:
                page, more = self.bodies[after : after + limit], len(self.bodies) > after + limit
            head = {
                "v": 1,
                "type": "replay",
                "stream": self.stream,
                "after": after,
                "more": more,
                "outcomes": [],
            }
            text = json.dumps(head).removesuffix("[]}").encode() + b"[" + b",".join(page) + b"]}"
            self.router.send_multipart([*envelope, text])
