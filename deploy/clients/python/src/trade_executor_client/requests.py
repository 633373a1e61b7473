"""What can be sent to the intake, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .answers import Ack, Health, Json, Page, Pong, Reconciliation, answer_of
from .decision import Decision

DEFAULT_INTAKE = "tcp://127.0.0.1:5555"
DEFAULT_OUTCOMES = "tcp://127.0.0.1:5556"

# Seconds to wait for an answer before the same bytes are sent again.
ACK_WAIT = 2.0
# Seconds without a message, of which a heartbeat comes every second, after which we are cut off.
SILENCE = 5.0

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Request(Generic[_Answer]):
    body: bytes
    read: Callable[[bytes], _Answer]


def decide(decision: Decision) -> Request[Ack]:
    return Request(decision.to_bytes(), lambda body: Ack.of(answer_of(body, "ack")))


def replay(strategy: str | None, after: int, limit: int = 500) -> Request[Page]:
    body = _question("replay", after=after, limit=limit, strategy_name=strategy)
    return Request(body, lambda answer: Page.of(answer_of(answer, "replay")))


def status() -> Request[Health]:
    return Request(_question("status"), lambda body: Health.of(answer_of(body, "status")))


def ping() -> Request[Pong]:
    def read(body: bytes) -> Pong:
        message = answer_of(body, "pong")
        return Pong(message["stream"], message["partition"])

    return Request(_question("ping"), read)


def reconcile(strategy: str | None, decision_id: str | None) -> Request[Reconciliation]:
    def read(body: bytes) -> Reconciliation:
        message = answer_of(body, "reconcile")
        return Reconciliation(message["unknown"], tuple(message["client_order_ids"]))

    body = _question("reconcile", strategy_name=strategy, decision_id=decision_id)
    return Request(body, read)


def _question(kind: str, **members: object) -> bytes:
    given = {name: value for name, value in members.items() if value is not None}
    message: Json = {"v": 1, "type": kind, **given}
    return json.dumps(message).encode()
