"""What must hold of worker, broker, publishers and subscribers, whatever happens to the worker."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from harness import Json, Publisher, Simulator, State, Worker, topic_of
from load import Acknowledgement, Follower, Strategy, outcomes_of

# What `--plant` can do to the evidence, to prove that it is looked at.
BUGS = ["lost-decision", "second-post", "strange-body", "dropped-outcome", "flipped-result"]


class Violation(Exception):
    """Something is not as it must be. What follows is not looked at any more."""


def must(condition: Any, what: str) -> None:
    if not condition:
        raise Violation(what)


class Progress(NamedTuple):
    """How far the outcomes of one decision have come."""

    result: str
    certainty: str | None
    filled: Decimal


class End(NamedTuple):
    """The final outcome of one decision, as far as the broker can confirm it."""

    result: str
    reason: str | None
    certainty: str | None
    http_status: int | None
    quantity: str | None
    filled: Decimal


class Checks:
    """Reads only what is new each time, so that a long run costs no more than a short one."""

    def __init__(
        self,
        state: State,
        simulator: Simulator,
        strategies: list[Strategy],
        follower: Follower,
        plant: str | None,
        *,
        are_halted: bool = False,
    ):
        self.state, self.simulator = state, simulator
        self.strategies, self.follower = strategies, follower
        self.plant = plant
        # Strategies that are halted now and then fall behind the others, and keep only their own order.
        self.are_halted = are_halted
        # Decisions by the name of their order: `<strategy_name>:<decision_id>`.
        self.acknowledged: dict[str, int] = {}
        self.posted: dict[str, int] = {}
        # The last one sent, of each strategy or of all.
        self.last_posted: dict[str, int] = {}
        self.posts_read = 0
        self.seq = 0
        self.strategy_seq: Counter[str] = Counter()
        self.stored: deque[bytes] = deque()
        self.open: dict[str, Progress] = {}
        self.ends: dict[str, End] = {}
        self.unknown = 0
        self.resolved: Counter[str] = Counter()

    def _is_planted(self, bug: str) -> bool:
        """Whether this bug is to be planted here and now; each is planted once."""
        if self.plant != bug:
            return False
        self.plant = None
        return True

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # Read only: whoever may write would tidy up after a killed worker when it closes.
        path = f"file:{self.state.database}?mode=ro"
        connection = sqlite3.connect(path, uri=True, timeout=10)
        try:
            yield connection
        finally:
            connection.close()

    # --- While it runs

    def look(self) -> list[Json]:
        """All that can be said at any moment. Returns the POSTs that are new."""
        told = [ack for strategy in self.strategies for ack in self._acknowledged_by(strategy)]
        posts = self._new_posts()
        # Looked at last: what was told or sent before must be in it.
        with self._database() as database:
            for ack in told:
                self._is_stored(database, ack)
            for post in posts:
                self._was_intended(database, post)
            self._read_outcomes(database)
        self._compare_with_follower()
        return posts

    def _acknowledged_by(self, strategy: Strategy) -> Iterator[Acknowledgement]:
        while not strategy.acknowledged.empty():
            yield strategy.acknowledged.get()
        if strategy.error:
            raise Violation(f"{strategy.name}: {strategy.error!r}")

    def _is_stored(self, database: sqlite3.Connection, ack: Acknowledgement) -> None:
        name = f"{ack.strategy}:{ack.decision_id}"
        if self._is_planted("lost-decision"):
            ack = ack._replace(decision_id="never-stored")
        row = database.execute(
            "SELECT id FROM trade_decisions WHERE strategy_name = ? AND decision_id = ?",
            (ack.strategy, ack.decision_id),
        ).fetchone()
        must(row, f"{name} was acknowledged and is not in the database")
        must(row == (ack.decision_seq,), f"{name} has row {row}, acknowledged {ack.decision_seq}")
        known = self.acknowledged.setdefault(name, ack.decision_seq)
        must(known == ack.decision_seq, f"{name} was {known} before, now {ack.decision_seq}")
        if ack.outcome:
            (body,) = database.execute(
                "SELECT body FROM outcomes WHERE seq = ?", (ack.outcome["seq"],)
            ).fetchone() or ("null",)
            must(json.loads(body) == ack.outcome, f"{name}: told {ack.outcome}, stored {body}")

    def _new_posts(self) -> list[Json]:
        path = f"/_simulator/orders?after={self.posts_read}"
        posts: list[Json] = self.simulator.request("GET", path)
        self.posts_read += len(posts)
        if posts and self._is_planted("second-post"):
            posts.append(posts[-1])
        if posts and self._is_planted("strange-body"):
            posts[-1]["body"] += " "
        return posts

    def _was_intended(self, database: sqlite3.Connection, post: Json) -> None:
        name = post["client_order_id"]
        must(name not in self.posted, f"{name} was sent twice: {post}")
        row = database.execute(
            "SELECT trade_decision_id, type, method, endpoint, body FROM trade_executions"
            " JOIN api_payloads USING (trade_decision_id)"
            " WHERE client_order_id = ? AND api_payloads.id = api_request_payload_id",
            (name,),
        ).fetchone()
        must(row, f"{name} was sent and has no durable intent: {post}")
        decision_seq, *request, body = row
        must(request == ["ApiRequest", "POST", "/v2/orders"], f"{name}: its request is {request}")
        must(body == post["body"], f"{name}: sent {post['body']}, stored {body}")
        line = name.split(":")[0] if self.are_halted else "all"
        last = self.last_posted.get(line, 0)
        must(decision_seq > last, f"{name} ({decision_seq}) was sent after {last} of {line}")
        self.posted[name] = self.last_posted[line] = decision_seq

    def _read_outcomes(self, database: sqlite3.Connection) -> None:
        rows = database.execute(
            "SELECT seq, strategy_seq, strategy_name, topic, body FROM outcomes"
            " WHERE seq > ? ORDER BY seq",
            (self.seq,),
        )
        for seq, strategy_seq, strategy, topic, body in rows:
            outcome = json.loads(body)
            if outcome["result"] == "success" and self._is_planted("flipped-result"):
                outcome["result"] = "failed"
            must(seq == self.seq + 1, f"seq {seq} follows {self.seq}")
            must(
                strategy_seq == self.strategy_seq[strategy] + 1,
                f"strategy_seq {strategy_seq} of {strategy} follows {self.strategy_seq[strategy]}",
            )
            self.seq, self.strategy_seq[strategy] = seq, strategy_seq
            counters = (outcome["seq"], outcome["strategy_seq"], outcome["strategy_name"])
            must(counters == (seq, strategy_seq, strategy), f"outcome {seq} says {counters}")
            must(topic == topic_of(outcome), f"outcome {seq} went out under {topic}")
            self.stored.append(body.encode())
            self._take(outcome)

    def _take(self, outcome: Json) -> None:
        name = f"{outcome['strategy_name']}:{outcome['decision_id']}"
        must(name not in self.ends, f"{name} had ended as {self.ends.get(name)}, then {outcome}")
        execution = outcome["execution"] or {}
        certainty = execution.get("certainty")
        filled = Decimal(execution.get("filled_quantity") or 0)
        before = self.open.pop(name, None)
        if before:
            must(filled >= before.filled, f"{name} had filled {before.filled}, then {outcome}")
            backwards = before.certainty == "answered" and certainty != "answered"
            must(not backwards, f"{name} was answered, then {outcome}")
            if before.result == "unknown" and outcome["result"] != "unknown":
                self.resolved["absent" if outcome["reason"] == "absent" else "found"] += 1
        if outcome["result"] == "unknown" and not (before and before.result == "unknown"):
            self.unknown += 1
        if outcome["final"]:
            http_status = execution.get("http_status_code")
            self.ends[name] = End(
                *(outcome["result"], outcome["reason"], certainty, http_status),
                *(outcome["quantity"], filled),
            )
        else:
            self.open[name] = Progress(outcome["result"], certainty, filled)

    def _compare_with_follower(self) -> None:
        if self.follower.error:
            raise Violation(f"the follower: {self.follower.error!r}")
        collected = self.follower.collected
        if len(collected) > 1 and self._is_planted("dropped-outcome"):
            collected.popleft()
        while collected and self.stored:
            got, stored = collected.popleft(), self.stored.popleft()
            must(got == stored, f"the follower got {got!r} where {stored!r} is stored")

    # --- When everything has come to rest

    def at_rest(self, worker: Worker) -> None:
        """What can be said when all publishers have ended and the broker has nothing open."""
        must(not self.open, f"no end was told of {self.open}")
        must(self.follower.last == self.seq, f"the follower has {self.follower.last} of {self.seq}")
        must(self.posts_read == len(self.posted), "POSTs are missing")
        summary = self.simulator.request("GET", "/_simulator/orders?summary=true")
        must(summary["duplicates"] == 0, f"some were sent twice: {summary}")
        self._broker_agrees()
        with self._database() as database:
            decided = dict(
                database.execute(
                    "SELECT strategy_name || ':' || decision_id, id FROM trade_decisions"
                )
            )
            must(decided == self.acknowledged, differing("decisions", decided, self.acknowledged))
            must(decided.keys() == self.ends.keys(), differing("ends", decided, self.ends))
            results = dict(
                database.execute(
                    "SELECT strategy_name || ':' || decision_id,"
                    " CASE status WHEN 'failed' THEN 'failed' WHEN 'executed' THEN"
                    "   CASE (SELECT status FROM trade_executions WHERE trade_decision_id = d.id)"
                    "   WHEN 'filled' THEN 'success' ELSE 'partial' END END"
                    " FROM trade_decisions d"
                )
            )
            told = {name: end.result for name, end in self.ends.items()}
            must(results == told, differing("results", results, told))
            # One clock tells the deadline and another the times, hence the tolerance.
            untimely = database.execute(
                "SELECT strategy_name, decision_id, expires_at, submitted_at, failure_reason"
                " FROM trade_decisions d LEFT JOIN trade_executions e ON trade_decision_id = d.id"
                " WHERE certainty <> 'not_sent'"
                "  AND (julianday(submitted_at) - julianday(expires_at)) * 86400 > 0.05"
                " OR failure_reason = 'expired'"
                "  AND (julianday(expires_at) - julianday(failed_at)) * 86400 > 0.05"
            ).fetchall()
            must(not untimely, f"sent after their deadline, or given up before it: {untimely[:5]}")
            self._replay_tells_the_same(database, worker)
            sound = database.execute("PRAGMA integrity_check").fetchall()
            must(sound == [("ok",)], f"integrity_check: {sound}")
            dangling = database.execute("PRAGMA foreign_key_check").fetchall()
            must(dangling == [], f"foreign_key_check: {dangling}")

    def _replay_tells_the_same(self, database: sqlite3.Connection, worker: Worker) -> None:
        after, more = 0, True
        rows = database.execute("SELECT body FROM outcomes ORDER BY seq")
        with Publisher(worker) as publisher:
            while more:
                publisher.send_bytes(
                    json.dumps({"v": 1, "type": "replay", "after": after}).encode()
                )
                page = publisher.socket.recv()
                more = json.loads(page)["more"]
                outcomes = outcomes_of(page)
                stored = [body.encode() for (body,) in rows.fetchmany(len(outcomes))]
                must(outcomes == stored, f"the replay after {after} differs from the database")
                after += len(outcomes)
        must(after == self.seq, f"the replay ended at {after} of {self.seq}")

    def _orders(self) -> Iterator[Json]:
        path = "/v2/orders?status=all&direction=asc&limit=500"
        last = ""
        while page := self.simulator.request("GET", path + last):
            yield from page
            last = f"&after_order_id={page[-1]['id']}"

    def _broker_agrees(self) -> None:
        orders = {order["id"]: order for order in self._orders()}
        successors = {order["replaced_by"] for order in orders.values()}
        chains: dict[str, list[Json]] = {}
        for order in orders.values():
            if order["id"] in successors:
                continue
            chain = [order]
            while chain[-1]["replaced_by"]:
                chain.append(orders[chain[-1]["replaced_by"]])
            chains[order["client_order_id"]] = chain
        for name in chains:
            must(name in self.posted, f"the broker has an order {name} that was never sent")
        for name, end in self.ends.items():
            self._broker_agrees_on(name, end, chains.get(name, []))

    def _broker_agrees_on(self, name: str, end: End, chain: list[Json]) -> None:
        filled = sum((Decimal(order["filled_qty"]) for order in chain), Decimal(0))
        status = chain[-1]["status"] if chain else None
        at_broker = f"{end}, at the broker {status} with {filled} filled"
        if end.certainty in [None, "not_sent"]:
            must(name not in self.posted, f"{name} was sent: {end}")
        if end.result == "failed":
            ended = status in [None, "canceled", "expired", "rejected"]
            must(ended and filled == 0, f"{name}: {at_broker}")
            # Where an attempt has left no order, the broker said so: at once, or when it was asked.
            was_refused = end.reason != "absent" and 400 <= (end.http_status or 0) < 500
            if end.certainty == "answered":
                must((not chain) == (was_refused or end.reason == "absent"), f"{name}: {at_broker}")
        else:
            ends = ["filled"] if end.result == "success" else ["canceled", "expired", "rejected"]
            must(status in ends and filled == end.filled > 0, f"{name}: {at_broker}")
            if end.result == "success" and end.quantity:
                must(filled == Decimal(end.quantity), f"{name}: {at_broker}")


def differing(what: str, left: dict[str, Any], right: dict[str, Any]) -> str:
    names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
    some = {name: (left.get(name), right.get(name)) for name in sorted(names)[:5]}
    return f"{len(names)} {what} differ: {some}"
