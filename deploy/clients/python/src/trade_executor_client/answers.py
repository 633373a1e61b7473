"""What the worker says. Members that are not listed here stand in `json`, as they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Json = Mapping[str, Any]

Result = Literal["pending", "success", "partial", "failed", "unknown"]
ExecutionStatus = Literal[
    "submitted", "accepted", "filled", "rejected", "cancelled", "partial_fill"
]
Certainty = Literal["answered", "not_sent", "unknown"]


@dataclass(frozen=True)
class Ack:
    """The decision is on disk at the worker, and will not be lost."""

    decision_id: str
    strategy_name: str
    # The place in the order of acceptance.
    decision_seq: int
    # Whether it had been accepted before; then nothing new was begun.
    duplicate: bool
    stream: str
    # Of a duplicate: its newest outcome, where there is one.
    outcome: Outcome | None
    json: Json = field(repr=False)

    @staticmethod
    def of(message: Json) -> Ack:
        outcome = message.get("outcome")
        return Ack(
            decision_id=message["decision_id"],
            strategy_name=message["strategy_name"],
            decision_seq=message["decision_seq"],
            duplicate=message["duplicate"],
            stream=message["stream"],
            outcome=None if outcome is None else Outcome.of(outcome),
            json=message,
        )


@dataclass(frozen=True)
class Execution:
    """The one attempt at the broker."""

    execution_id: str
    client_order_id: str
    status: ExecutionStatus
    certainty: Certainty
    # The broker's own word for the order's state.
    order_status: str | None
    alpaca_order_id: str | None
    http_status_code: int | None
    error_message: str | None
    filled_quantity: Decimal | None
    filled_avg_price: Decimal | None
    commission: Decimal | None
    json: Json = field(repr=False)

    @staticmethod
    def of(message: Json) -> Execution:
        return Execution(
            execution_id=message["execution_id"],
            client_order_id=message["client_order_id"],
            status=message["status"],
            certainty=message["certainty"],
            order_status=message.get("order_status"),
            alpaca_order_id=message["alpaca_order_id"],
            http_status_code=message["http_status_code"],
            error_message=message["error_message"],
            filled_quantity=_decimal(message["filled_quantity"]),
            filled_avg_price=_decimal(message["filled_avg_price"]),
            commission=_decimal(message["commission"]),
            json=message,
        )


@dataclass(frozen=True)
class Outcome:
    """What came of a decision, at one moment."""

    stream: str
    # Counts the outcomes of the whole database, without gaps.
    seq: int
    # Counts the outcomes of this strategy, without gaps.
    strategy_seq: int
    decision_id: str
    strategy_name: str
    # None for a multi-leg order.
    symbol: str | None
    side: Literal["buy", "sell"] | None
    quantity: Decimal | None
    notional: Decimal | None
    result: Result
    # Whether nothing more will come of this decision.
    final: bool
    # Why it failed.
    reason: str | None
    # None for a decision that was refused before it was sent.
    execution: Execution | None
    # UTC, `2026-11-22T14:30:01.123456Z`.
    at: str
    json: Json = field(repr=False)

    @staticmethod
    def of(message: Json) -> Outcome:
        execution = message["execution"]
        return Outcome(
            stream=message["stream"],
            seq=message["seq"],
            strategy_seq=message["strategy_seq"],
            decision_id=message["decision_id"],
            strategy_name=message["strategy_name"],
            symbol=message["symbol"],
            side=message["side"],
            quantity=_decimal(message["quantity"]),
            notional=_decimal(message["notional"]),
            result=message["result"],
            final=message["final"],
            reason=message["reason"],
            execution=None if execution is None else Execution.of(execution),
            at=message["at"],
            json=message,
        )


@dataclass(frozen=True)
class Health:
    """How the worker is: a heartbeat, or the answer to `status`."""

    stream: str
    partition: str
    # The newest outcome's `seq`; 0 while there is none.
    seq: int
    # The newest `strategy_seq` of each strategy that has one.
    strategies: Mapping[str, int]
    # Accepted decisions that wait.
    pending: int
    oldest_pending_ms: int
    # Attempts whose result is not known; the worker looks them up.
    unknown: int
    # Messages refused since the worker's start.
    refused: int
    # `all`, and names of strategies.
    halted: tuple[str, ...]
    json: Json = field(repr=False)

    @staticmethod
    def of(message: Json) -> Health:
        return Health(
            stream=message["stream"],
            partition=message["partition"],
            seq=message["seq"],
            strategies=message["strategies"],
            pending=message["pending"],
            oldest_pending_ms=message["oldest_pending_ms"],
            unknown=message["unknown"],
            refused=message["refused"],
            halted=tuple(message["halted"]),
            json=message,
        )


@dataclass(frozen=True)
class Page:
    """Stored outcomes, in the order of their counters."""

    outcomes: tuple[Outcome, ...]
    # Whether there are more: ask again, after the last of these.
    more: bool
    stream: str

    @staticmethod
    def of(message: Json) -> Page:
        outcomes = tuple(Outcome.of(outcome) for outcome in message["outcomes"])
        return Page(outcomes, message["more"], message["stream"])


@dataclass(frozen=True)
class Reconciliation:
    """Which unknown attempts are looked up next."""

    unknown: int
    client_order_ids: tuple[str, ...]


@dataclass(frozen=True)
class Pong:
    stream: str
    partition: str


class Refused(Exception):
    """The worker does not take a message. Nothing of a refused decision reaches the broker.

    One exception: with `storage_failed` it is not known whether the decision was taken; the same
    decision, published again, gives the answer.
    """

    def __init__(self, message: Json):
        super().__init__(f"{message['code']}: {message['message']}")
        self.code: str = message["code"]
        # The member to blame.
        self.field: str | None = message["field"]
        self.message: str = message["message"]
        # Whether the same may be taken later.
        self.retry: bool = message["retry"]
        # With `out_of_order`: the sequence that would be taken.
        self.expected: int | None = message.get("expected")
        # With `wrong_partition`: the intake of the worker that serves the strategy, where known.
        self.endpoint: str | None = message.get("endpoint")
        self.json = message


class NoAnswer(Exception):
    """The time is over, and the worker has not answered.

    Whether it has the decision is not known: publish the same decision again, never another one in
    its place.
    """


class UnreadableAnswer(Exception):
    """What answers is no worker, or speaks another version than this package."""


def answer_of(body: bytes, kind: str) -> Json:
    """The answer of this kind in a frame; raises Refused, or UnreadableAnswer."""
    message = read(body)
    if message.get("type") == "ack" and message.get("status") == "refused":
        raise Refused(message)
    if message.get("type") != kind:
        raise UnreadableAnswer(f"asked for {kind}, got {body[:200]!r}")
    return message


def read(body: bytes) -> Json:
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict) or message.get("v") != 1:
        raise UnreadableAnswer(f"not a message of version 1: {body[:200]!r}")
    return message


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
