"""A trade worker as one would write it in Python today: pyzmq, alpaca-py, sqlite3. A yardstick.

It makes the same steps as trade-executor with the same durability: the decision is stored, then
acknowledged; the request and the execution are stored before anything is sent; one POST; answer,
execution, order and outcome are stored together; the outcome is published. WAL with
synchronous=FULL, so each of the three commits is on the disk.

What it lacks: strict checks of what comes in, duplicates and conflicts of ids, sequences,
deadlines, halts, replay, heartbeats, following orders that are not filled at once, and everything
about lost answers and restarts. And it keeps the answer as alpaca-py has read it, without the
fields that alpaca-py does not know, not byte for byte.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import uuid
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import zmq
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.models import Order
from alpaca.trading.requests import MarketOrderRequest

SCHEMA = """
CREATE TABLE IF NOT EXISTS trade_decisions (
    id INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL, strategy_name TEXT NOT NULL, symbol TEXT NOT NULL,
    side TEXT NOT NULL, quantity TEXT NOT NULL, order_type TEXT NOT NULL,
    time_in_force TEXT NOT NULL, rationale TEXT, status TEXT NOT NULL DEFAULT 'pending',
    executed_at TEXT, failed_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (strategy_name, decision_id));
CREATE INDEX IF NOT EXISTS decisions_pending ON trade_decisions (id) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS decisions_symbol ON trade_decisions (symbol, id);
CREATE TABLE IF NOT EXISTS api_payloads (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'alpaca', method TEXT NOT NULL,
    endpoint TEXT NOT NULL, status_code INTEGER, body TEXT NOT NULL, captured_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trade_executions (
    id INTEGER PRIMARY KEY,
    trade_decision_id INTEGER NOT NULL UNIQUE REFERENCES trade_decisions (id),
    execution_id TEXT NOT NULL UNIQUE, client_order_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    api_request_payload_id INTEGER NOT NULL REFERENCES api_payloads (id),
    api_response_payload_id INTEGER REFERENCES api_payloads (id),
    alpaca_order_id TEXT, http_status_code INTEGER, error_message TEXT, filled_quantity TEXT,
    filled_avg_price TEXT, submitted_at TEXT NOT NULL, filled_at TEXT, rejected_at TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS executions_status ON trade_executions (status, created_at);
CREATE TABLE IF NOT EXISTS alpaca_orders (
    id INTEGER PRIMARY KEY,
    trade_decision_id INTEGER NOT NULL REFERENCES trade_decisions (id),
    alpaca_order_id TEXT NOT NULL UNIQUE, client_order_id TEXT, symbol TEXT, side TEXT,
    quantity TEXT, status TEXT NOT NULL, filled_quantity TEXT, filled_avg_price TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
    seq INTEGER PRIMARY KEY,
    strategy_name TEXT NOT NULL,
    trade_decision_id INTEGER NOT NULL REFERENCES trade_decisions (id),
    topic TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outcomes_strategy ON outcomes (strategy_name, seq);
"""

# What of a decision is stored in columns of its own, and what an outcome repeats of it.
DECISION_COLUMNS = "decision_id strategy_name symbol side quantity order_type time_in_force".split()
OUTCOME_MEMBERS = "decision_id strategy_name symbol side quantity".split()


Json = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def encoded(message: Json) -> bytes:
    return json.dumps(message).encode()


class Journal:
    """The database; each method is one durable transaction."""

    def __init__(self, path: str):
        self.database = sqlite3.connect(path)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("PRAGMA foreign_keys = ON")
        self.database.executescript(SCHEMA)

    def _insert(self, table: str, values: Json) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        row = self.database.execute(sql, list(values.values())).lastrowid
        assert row is not None
        return row

    def _update(self, table: str, row: int, values: Json) -> None:
        assignments = ", ".join(f"{name} = ?" for name in values)
        sql = f"UPDATE {table} SET {assignments} WHERE id = ?"
        self.database.execute(sql, [*values.values(), row])

    def accept(self, decision: Json) -> int:
        time = now()
        values = {name: decision[name] for name in DECISION_COLUMNS}
        values |= {"rationale": json.dumps(decision.get("rationale"))}
        with self.database:
            return self._insert(
                "trade_decisions", values | {"created_at": time, "updated_at": time}
            )

    def begin(self, decision_row: int, names: Json, request: str) -> int:
        """The request and the execution; `names` are the execution's ids."""
        time = now()
        with self.database:
            payload = self._keep("ApiRequest", None, request, time)
            executing = {"status": "executing", "updated_at": time}
            self._update("trade_decisions", decision_row, executing)
            execution = names | {
                "trade_decision_id": decision_row,
                "status": "submitted",
                "api_request_payload_id": payload,
                "submitted_at": time,
                "created_at": time,
                "updated_at": time,
            }
            return self._insert("trade_executions", execution)

    def end(
        self,
        rows: tuple[int, int],
        decision: Json,
        execution: Json,
        order: Order | None,
        response: str,
    ) -> tuple[str, bytes]:
        """Stores what came of it, and returns the outcome's topic and body."""
        decision_row, execution_row = rows
        time = now()
        succeeded = execution["status"] == "filled"
        status, moment = ("executed", "executed_at") if succeeded else ("failed", "failed_at")
        topic = f"outcome|{decision['strategy_name']}|{decision['symbol']}|{execution['status']}"
        outcome = {"v": 1, "type": "outcome"} | {name: decision[name] for name in OUTCOME_MEMBERS}
        outcome |= {
            "result": "success" if succeeded else "failed",
            "final": True,
            "decision_status": status,
            "execution": execution,
            "at": time,
        }
        body = encoded(outcome)
        with self.database:
            payload = self._keep("ApiResponse", execution["http_status_code"], response, time)
            columns = execution | {"api_response_payload_id": payload, "updated_at": time}
            self._update("trade_executions", execution_row, columns)
            if order is not None:
                self._keep_order(order, decision_row, time)
            ended = {"status": status, moment: time, "updated_at": time}
            self._update("trade_decisions", decision_row, ended)
            stored = {
                "strategy_name": decision["strategy_name"],
                "trade_decision_id": decision_row,
                "topic": topic,
                "body": body.decode(),
                "created_at": time,
            }
            self._insert("outcomes", stored)
        return topic, body

    def _keep(self, kind: str, status_code: int | None, body: str, time: str) -> int:
        payload = {
            "type": kind,
            "method": "POST",
            "endpoint": "/v2/orders",
            "status_code": status_code,
            "body": body,
            "captured_at": time,
        }
        return self._insert("api_payloads", payload)

    def _keep_order(self, order: Order, decision_row: int, time: str) -> None:
        columns = {
            "trade_decision_id": decision_row,
            "alpaca_order_id": str(order.id),
            "client_order_id": order.client_order_id,
            "symbol": order.symbol,
            "side": order.side.value if order.side else None,
            "quantity": order.qty,
            "status": order.status.value,
            "filled_quantity": order.filled_qty,
            "filled_avg_price": order.filled_avg_price,
            "created_at": time,
            "updated_at": time,
        }
        self._insert("alpaca_orders", columns)


class Worker:
    def __init__(self, arguments: argparse.Namespace):
        os.makedirs(arguments.state_dir, exist_ok=True)
        self.journal = Journal(os.path.join(arguments.state_dir, "trades.db"))
        self.client = TradingClient(
            os.environ["APCA_API_KEY_ID"],
            os.environ["APCA_API_SECRET_KEY"],
            url_override=arguments.broker_url,
        )
        self.client._retry = 0  # an order is never sent twice
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self.intake, self.outcomes = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
        self.intake.bind(arguments.intake)
        self.outcomes.bind(arguments.outcomes)
        endpoints = [s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (self.intake, self.outcomes)]
        print(f"ready intake={endpoints[0]} outcomes={endpoints[1]}", flush=True)

    def run(self) -> None:
        while True:
            *envelope, message = self.intake.recv_multipart()
            try:
                decision = json.loads(message)
                row = self.journal.accept(decision)
            except (ValueError, KeyError, sqlite3.IntegrityError) as error:
                refusal = {"status": "refused", "message": str(error)}
                self.intake.send_multipart([*envelope, encoded(refusal)])
                continue
            names = {name: decision[name] for name in ["decision_id", "strategy_name"]}
            ack = {"v": 1, "type": "ack", **names, "status": "accepted", "decision_seq": row}
            self.intake.send_multipart([*envelope, encoded(ack)])
            self.execute(row, decision)

    def execute(self, decision_row: int, decision: Json) -> None:
        client_order_id = f"{decision['strategy_name']}:{decision['decision_id']}"
        request = MarketOrderRequest(
            symbol=decision["symbol"],
            qty=float(decision["quantity"]),
            side=OrderSide(decision["side"]),
            time_in_force=TimeInForce(decision["time_in_force"]),
            client_order_id=client_order_id,
        )
        names = {"execution_id": str(uuid.uuid4()), "client_order_id": client_order_id}
        fields = json.dumps(request.to_request_fields())
        execution_row = self.journal.begin(decision_row, names, fields)
        order: Order | None = None
        execution: Json = dict(names)
        try:
            answer = self.client.submit_order(request)
            assert isinstance(answer, Order)
            order = answer
            response = order.model_dump_json()
            execution |= {
                "status": order.status.value,
                "alpaca_order_id": str(order.id),
                "http_status_code": 200,
                "filled_quantity": order.filled_qty,
                "filled_avg_price": order.filled_avg_price,
                "filled_at": order.filled_at.isoformat() if order.filled_at else None,
            }
        except APIError as error:
            response = str(error)
            execution |= {
                "status": "rejected",
                "http_status_code": error.status_code,
                "error_message": response,
            }
        rows = decision_row, execution_row
        topic, body = self.journal.end(rows, decision, execution, order, response)
        self.outcomes.send_multipart([topic.encode(), body])


def stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for flag in ["--intake", "--outcomes", "--broker-url", "--state-dir"]:
        parser.add_argument(flag, required=True)
    signal.signal(signal.SIGTERM, stop)
    Worker(parser.parse_args()).run()


if __name__ == "__main__":
    main()
