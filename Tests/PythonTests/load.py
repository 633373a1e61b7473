"""Who uses the worker while it dies again and again: strategies, a follower, a capricious broker."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
import urllib.error
from collections import Counter, deque
from typing import NamedTuple

import zmq

from harness import COIN, Json, Simulator, Worker, decision

# Orders at the broker that rest until it does something about them.
RESTING = "MSFT"

# How orders of a symbol live at the broker, where not by themselves.
SCRIPTS: list[Json] = [
    {"symbol": "KO", "steps": [{"after_ms": 2000, "status": "rejected"}]},
    {
        "symbol": "PEP",
        "steps": [
            {"after_ms": 50, "status": "partially_filled", "filled_qty": "40", "price": "142"},
            {"after_ms": 900, "status": "partially_filled", "filled_qty": "60", "price": "143"},
            {"after_ms": 1500, "status": "canceled"},
        ],
    },
    {
        "symbol": "XOM",
        "steps": [
            {"after_ms": 200, "status": "brand_new_word"},
            {"after_ms": 600, "status": "filled"},
        ],
    },
    {"symbol": "PFE", "initial_status": "canceled", "steps": []},
    {"symbol": "BAC", "initial_status": "expired", "steps": []},
    {"symbol": "F", "steps": [{"after_ms": 0, "status": "filled"}]},
]

# Delays by a word in the client order id. The last is longer than the worker waits.
BROKER_TIMEOUT_MS = 2000
DELAYS: list[Json] = [
    {"contains": "slow-to-place", "fault": "delay_before_recording", "milliseconds": 300},
    {"contains": "slow-to-answer", "fault": "delay_after_recording", "milliseconds": 300},
    {"contains": "overdue", "fault": "delay_after_recording", "milliseconds": 2500},
]

# How often, a word for the decision's id, and what is different from one share of AAPL.
ORDERS: list[tuple[float, str, Json]] = [
    (40, "coin", COIN),
    (20, "shares", {"quantity": "10"}),
    (5, "money", {**COIN, "quantity": None, "notional": "25.50"}),
    (5, "rests", {"symbol": RESTING, "order_type": "limit", "limit_price": "1"}),
    (4, "rejected-later", {"symbol": "KO"}),
    (4, "cut-short", {"symbol": "PEP", "quantity": "100"}),
    (2, "new-word", {"symbol": "XOM"}),
    (2, "cancelled-at-once", {"symbol": "PFE"}),
    (1, "expired-at-once", {"symbol": "BAC"}),
    (2, "filled-at-once", {"symbol": "F"}),
    (2, "unheard-of", {"symbol": "NOSUCH"}),
    (1, "too-dear", {"symbol": "BRK.A", "quantity": "900000"}),
    (4, "stale", COIN),
    (0.3, "slow-to-place", COIN),
    (0.3, "slow-to-answer", COIN),
    (0.05, "overdue", COIN),
]

# Of a hundred messages: the rest are new decisions.
REPEATS, CONFLICTS, BAD_FIELDS, LEAPS = 5, 1, 2, 1

BAD_FIELDS_OF: list[Json] = [
    {"quantity": 0.5},
    {"limitprice": "1"},
    {"symbol": "A B"},
    {"side": "hold"},
    {"order_type": "limit"},
    {"valid_for_ms": 0},
]


# Refusals that pass: the same is sent again. An operator's halt is not for the worker to end, but for the test.
NOT_NOW = ["draining", "storage_failed", "queue_full", "halted"]


class Acknowledgement(NamedTuple):
    """What a strategy was told about a decision: its place, and the newest outcome for a repeat."""

    strategy: str
    decision_id: str
    decision_seq: int
    outcome: Json | None


class Strategy(threading.Thread):
    """A publisher that keeps the rule: one decision in flight; no answer within 2 s, the same again."""

    def __init__(
        self,
        name: str,
        intake: str,
        seed: object,
        per_second: float,
        *,
        orders: list[tuple[float, str, Json]] = ORDERS,
        patience_ms: int = 2000,
    ):
        super().__init__(name=name, daemon=True)
        self.intake = intake
        self.random = random.Random(f"{seed} {name}")
        self.pause = 1 / per_second
        self.orders, self.patience_ms = orders, patience_ms
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.ends = threading.Event()
        # To be read by others, each element once.
        self.acknowledged: queue.SimpleQueue[Acknowledgement] = queue.SimpleQueue()
        self.counts: Counter[str] = Counter()
        self.error: BaseException | None = None
        self.number = 0
        self.sequence = 0
        # The last ones accepted, for repeats.
        self.earlier: deque[tuple[Json, int]] = deque(maxlen=500)

    def run(self) -> None:
        try:
            self._connect()
            while not self.ends.is_set():
                began = time.monotonic()
                self._act()
                # Evenly on the whole, but never in step with anything.
                pause = self.pause * self.random.uniform(0, 2) - (time.monotonic() - began)
                time.sleep(max(0, pause))
        except BaseException as error:
            self.error = error

    def _connect(self) -> None:
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(self.intake)

    def _ask(self, message: Json) -> tuple[Json, bool]:
        """The worker's answer, and whether the message was sent more than once for it."""
        body = json.dumps(message).encode()
        again = False
        while True:
            self.socket.send(body)
            if self.socket.poll(self.patience_ms):
                answer: Json = json.loads(self.socket.recv())
                if answer.get("code") not in NOT_NOW:
                    self.counts["sent"] += 1
                    return answer, again
                self.counts[answer["code"]] += 1
                time.sleep(0.05)
            else:
                # A late answer to this one must not be taken for the next one's.
                self.socket.close()
                self._connect()
            again = True
            self.counts["sent again"] += 1

    # --- What it sends

    def _act(self) -> None:
        chance = self.random.uniform(0, 100)
        if chance < REPEATS and self.earlier:
            self._repeat()
        elif chance < REPEATS + CONFLICTS and self.earlier:
            message, _ = self.random.choice(self.earlier)
            other = {**message, "rationale": {"other": self.random.random()}}
            self._is_refused(other, "id_conflict")
        elif chance < REPEATS + CONFLICTS + BAD_FIELDS:
            changes = self.random.choice(BAD_FIELDS_OF)
            self._is_refused(decision(f"bad-{self.number}", self.name, **changes), "bad_field")
        elif chance < REPEATS + CONFLICTS + BAD_FIELDS + LEAPS:
            leap = decision(f"leap-{self.number}", self.name, sequence=self.sequence + 2)
            self._is_refused(leap, "out_of_order")
        else:
            self._decide()

    def _decide(self) -> None:
        weights = [weight for weight, _, _ in self.orders]
        _, word, changes = self.random.choices(self.orders, weights)[0]
        self.number += 1
        message = decision(f"{word}-{self.number}", self.name, **changes)
        if word == "stale":
            message["valid_for_ms"] = self.random.choice([1, 5, 20, 100])
        numbered = self.random.random() < 0.5
        if numbered:
            message["sequence"] = self.sequence + 1
        ack, again = self._ask(message)
        assert ack["status"] == "accepted", f"{message} was answered {ack}"
        assert again or not ack["duplicate"], f"{message} was sent once and answered {ack}"
        self.sequence += numbered
        self.counts["accepted"] += 1
        self.earlier.append((message, ack["decision_seq"]))
        self._note(ack)

    def _repeat(self) -> None:
        message, decision_seq = self.random.choice(self.earlier)
        ack, _ = self._ask(message)
        answer = (ack["status"], ack.get("duplicate"), ack.get("decision_seq"))
        assert answer == ("accepted", True, decision_seq), f"{message}, repeated: {ack}"
        self.counts["duplicates"] += 1
        self._note(ack)

    def _is_refused(self, message: Json, code: str) -> None:
        ack, _ = self._ask(message)
        answer = (ack["status"], ack.get("code"))
        assert answer == ("refused", code), f"{message} was answered {ack}"
        self.counts["refused"] += 1

    def _note(self, ack: Json) -> None:
        names = (ack["strategy_name"], ack["decision_id"])
        self.acknowledged.put(Acknowledgement(*names, ack["decision_seq"], ack.get("outcome")))


class Follower(threading.Thread):
    """Follows all outcomes by `seq`, byte for byte, with a replay for every gap."""

    def __init__(self, outcomes: str, intake: str):
        super().__init__(name="follower", daemon=True)
        self.endpoints = (outcomes, intake)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.ends = threading.Event()
        # To be taken by others, in order.
        self.collected: deque[bytes] = deque()
        self.last = 0
        self.replays = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with self.context.socket(zmq.SUB) as live:
                live.linger = 0
                live.subscribe("outcome|")
                live.subscribe("heartbeat|")
                live.connect(self.endpoints[0])
                while not self.ends.is_set():
                    if live.poll(200):
                        self._take(live.recv_multipart()[1])
        except BaseException as error:
            self.error = error

    def _take(self, body: bytes) -> None:
        message = json.loads(body)
        newest = message["seq"]
        while newest > self.last:
            in_turn = message["type"] == "outcome" and newest == self.last + 1
            news = [body] if in_turn else self._replay()
            if not news:
                return  # no answer: the next heartbeat will say again what is missing
            self.collected.extend(news)
            self.last += len(news)

    def _replay(self) -> list[bytes]:
        self.replays += 1
        with self.context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(self.endpoints[1])
            socket.send_json({"v": 1, "type": "replay", "after": self.last})
            return outcomes_of(socket.recv()) if socket.poll(2000) else []


def outcomes_of(replay: bytes) -> list[bytes]:
    """The very bytes of the outcomes in a replay."""
    text = replay.decode()
    assert json.loads(text)["type"] == "replay", text
    position = text.index('"outcomes":[') + len('"outcomes":[')
    outcomes = []
    while text[position] != "]":
        position += text[position] == ","
        _, end = json.JSONDecoder().raw_decode(text, position)
        outcomes.append(text[position:end].encode())
        position = end
    return outcomes


class Broker:
    """What the broker does by itself: it cancels and replaces orders, hides new ones, and hangs up."""

    def __init__(self, simulator: Simulator, seed: int, per_mille: int):
        self.simulator = simulator
        self.random = random.Random(f"{seed} broker")
        self.resting: dict[str, float] = {}
        self.next_caprice = time.monotonic() + 2
        for script in SCRIPTS:
            simulator.request("POST", "/_simulator/scripts", script)
        for delay in DELAYS:
            simulator.request("POST", "/_simulator/faults", {**delay, "times": None})
        if per_mille:
            # Short ones: the worker sends one request at a time, and waits for each.
            simulator.request(
                "POST",
                "/_simulator/faults/random",
                {
                    **{"seed": seed, "per_mille": per_mille, "milliseconds": 1},
                    "methods": ["POST", "GET"],
                },
            )

    def sees(self, posts: list[Json]) -> None:
        """Remembers new orders that rest, to deal with them in a while."""
        for post in posts:
            if post["symbol"] == RESTING and post["order_id"]:
                self.resting[post["order_id"]] = time.monotonic() + self.random.uniform(0.2, 4)

    def turn(self) -> None:
        now = time.monotonic()
        for order_id in [order_id for order_id, due in self.resting.items() if due <= now]:
            method, body = self.random.choice([("DELETE", None), ("PATCH", {"limit_price": "600"})])
            del self.resting[order_id]
            try:
                self.simulator.request(method, f"/v2/orders/{order_id}", body)
            except urllib.error.HTTPError:
                pass  # not ready for it yet
        if now >= self.next_caprice:
            self.next_caprice = now + self.random.uniform(1, 5)
            hidden = self.random.choice([0, 0, 100, 500])
            self.simulator.request("POST", "/_simulator/visibility", {"hidden_for_ms": hidden})
            if self.random.random() < 0.5:
                self.simulator.request("DELETE", "/_simulator/connections")
            if self.random.random() < 0.1:
                self.cancel_all()

    def calm_down(self) -> None:
        """From now on it works as it should, and nothing rests."""
        self.simulator.request("DELETE", "/_simulator/faults")
        self.simulator.request("POST", "/_simulator/visibility", {"hidden_for_ms": 0})

    def cancel_all(self) -> None:
        self.simulator.request("DELETE", "/v2/orders")


def is_at_rest(worker: Worker) -> bool:
    status = worker.status()
    return not any(status[name] for name in ["pending", "open_orders", "unknown", "sending"])
