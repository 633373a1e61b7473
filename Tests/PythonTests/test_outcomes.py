"""What comes of decisions: every kind of outcome, on the topic, by replay and in the database."""

from __future__ import annotations

import datetime
import json
import uuid

from harness import (
    COIN,
    ABSENT,
    Json,
    Publisher,
    Simulator,
    State,
    Subscriber,
    Worker,
    eventually,
    main,
    strict_json,
)

LIMIT: Json = {"order_type": "limit", "limit_price": "1", "symbol": "KO"}


def steps(outcomes: list[Json]) -> list[tuple[str, str, str | None]]:
    return [
        (o["result"], o["execution"]["status"], o["execution"]["order_status"]) for o in outcomes
    ]


def test_an_order_that_fills() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        with Subscriber(worker, "outcome|s|") as topic:
            publisher.accepted("d-1", quantity="100")
            outcomes = topic.until_final("d-1")
            assert [o["strategy_seq"] for o in outcomes] == list(range(1, len(outcomes) + 1))
            first, last = outcomes[0], outcomes[-1]
            assert (first["result"], first["decision_status"]) == ("pending", "executing"), first
            execution = last["execution"]
            assert (last["result"], last["decision_status"]) == ("success", "executed"), last
            assert execution["status"] == execution["order_status"] == "filled", last
            assert (execution["filled_quantity"], execution["certainty"]) == ("100", "answered")
            assert (execution["commission"], execution["http_status_code"]) == ("0", 200), last
            assert uuid.UUID(execution["execution_id"]) and execution["filled_at"], last
            order = simulator.request("GET", f"/v2/orders/{execution['alpaca_order_id']}")
            assert order["client_order_id"] == execution["client_order_id"] == "s:d-1"
            assert order["filled_avg_price"] == execution["filled_avg_price"]


def test_an_order_that_ends_with_a_part_filled() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.script(
            "KO",
            {"after_ms": 50, "status": "partially_filled", "filled_qty": "40", "price": "60.1"},
            {"after_ms": 700, "status": "canceled", "filled_qty": "40", "price": "60.1"},
        )
        publisher.accepted("d-1", symbol="KO", quantity="100")
        last = worker.final_outcome("s", "d-1")
        kinds = steps(worker.outcomes_of("s", "d-1"))
        assert kinds == [
            ("pending", "submitted", "new"),
            ("pending", "partial_fill", "partially_filled"),
            ("partial", "cancelled", "canceled"),
        ], kinds
        assert (last["decision_status"], last["execution"]["filled_quantity"]) == ("executed", "40")


def test_an_order_that_is_cancelled_or_expires_or_is_rejected() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1", **LIMIT)
        order_id = eventually("the order", lambda: worker.outcomes_of("s", "d-1"))[0]["execution"][
            "alpaca_order_id"
        ]
        simulator.request("DELETE", f"/v2/orders/{order_id}")
        last = worker.final_outcome("s", "d-1")
        assert (last["result"], last["execution"]["status"]) == ("failed", "cancelled"), last
        assert (last["decision_status"], last["reason"]) == ("failed", "order canceled"), last
        for word, status in [("expired", "cancelled"), ("rejected", "rejected")]:
            simulator.request("DELETE", "/_simulator/scripts")
            simulator.script("PEP", {"after_ms": 50, "status": word})
            publisher.accepted(word, symbol="PEP")
            last = worker.final_outcome("s", word)
            assert (last["result"], last["execution"]["status"]) == ("failed", status), last
            assert last["reason"] == f"order {word}", last


def test_a_word_that_nobody_knows_is_an_outcome_too() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.script(
            "KO",
            {"after_ms": 300, "status": "brand_new_word"},
            {"after_ms": 700, "status": "filled", "filled_qty": "1", "price": "60.1"},
        )
        publisher.accepted("d-1", symbol="KO")
        worker.final_outcome("s", "d-1")
        assert steps(worker.outcomes_of("s", "d-1")) == [
            ("pending", "submitted", "new"),
            ("pending", "submitted", "brand_new_word"),
            ("success", "filled", "filled"),
        ]


def test_an_order_that_is_replaced_is_followed_to_the_new_one() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1", quantity="10", **LIMIT)
        first = eventually("the order", lambda: worker.outcomes_of("s", "d-1"))[0]
        order_id = first["execution"]["alpaca_order_id"]
        path = f"/v2/orders/{order_id}"
        eventually("its routing", lambda: simulator.request("GET", path)["status"] == "new")
        new = simulator.request("PATCH", path, {"limit_price": "70"})
        last = worker.final_outcome("s", "d-1")
        execution = last["execution"]
        assert (last["result"], execution["filled_quantity"]) == ("success", "10"), last
        assert execution["alpaca_order_id"] == order_id, last
        assert execution["followed_order_id"] == new["id"] != order_id, last


def test_what_the_broker_refuses_fails_and_the_next_goes_on() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("text_429", client_order_id="s:limited")
        for name, changes, http_status in [
            ("poor", {"symbol": "BRK.A", "quantity": "900000"}, 403),
            ("unheard-of", {"symbol": "NOSUCH"}, 422),
            ("limited", {}, 429),
        ]:
            publisher.accepted(name, **changes)
            last = worker.final_outcome("s", name)
            execution = last["execution"]
            assert (last["result"], execution["status"]) == ("failed", "rejected"), last
            assert execution["certainty"] == "answered" and execution["rejected_at"], last
            assert execution["http_status_code"] == http_status, last
            assert execution["error_message"] == last["reason"], last
            assert len(simulator.posts(f"s:{name}")) == 1
        publisher.accepted("fine")
        assert worker.final_outcome("s", "fine")["result"] == "success"


def test_a_broker_that_cannot_be_reached() -> None:
    with Simulator() as gone:
        url = gone.url
    with Worker(url) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1")
        last = worker.final_outcome("s", "d-1")
        execution = last["execution"]
        assert (last["result"], execution["status"]) == ("failed", "rejected"), last
        assert (execution["certainty"], execution["http_status_code"]) == ("not_sent", 500), last
        assert last["reason"] == execution["error_message"], last
        [(body, synthetic)] = worker.state.rows(
            "SELECT body, synthetic FROM api_payloads WHERE type = 'ApiResponse'"
        )
        answer = json.loads(body)
        assert synthetic == 1 and (answer["status"], answer["http_status"]) == ("error", 500), body


def test_lost_answers_are_unknown_and_then_resolved_by_looking() -> str:
    recorded = [
        *("close_after_recording", "reset_mid_body", "truncated_json", "empty_200", "html_200"),
        *("html_504", "json_500_after_recording", "close_reused_connection_after_recording"),
    ]
    unrecorded = [
        *("close_before_recording", "html_502", "html_504_unrecorded", "json_500_unrecorded"),
        "close_reused_connection",
    ]
    with Simulator() as simulator, Worker(simulator, "--settle-time-s", "2") as worker:
        with Publisher(worker) as publisher:
            publisher.accepted("warm-up")
            worker.final_outcome("s", "warm-up")
            for fault in recorded + unrecorded:
                simulator.fault(fault, client_order_id=f"s:{fault}")
                # Before each, one that is answered, so that there is a connection to be used again.
                publisher.accepted(f"before-{fault}")
                publisher.accepted(fault)
            for fault in recorded + unrecorded:
                last = worker.final_outcome("s", fault)
                first = worker.outcomes_of("s", fault)[0]
                assert first["result"] == "unknown" and not first["final"], first
                assert first["execution"]["certainty"] == "unknown", first
                assert first["execution"]["status"] == "submitted", first
                assert len(simulator.posts(f"s:{fault}")) == 1
                assert last["execution"]["certainty"] == "answered", last
                if fault in recorded:
                    assert last["result"] == "success", last
                else:
                    assert (last["result"], last["reason"]) == ("failed", "absent"), last
            assert worker.status()["unknown"] == 0
    return f"{len(recorded)} faults after recording, {len(unrecorded)} before"


def test_an_id_that_the_broker_knows_already() -> None:
    """A database was lost, or somebody else uses our names: never a second order."""
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        order: Json = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
        for name, quantity in [("same", "1"), ("other", "7")]:
            simulator.request(
                "POST", "/v2/orders", {**order, "qty": quantity, "client_order_id": f"s:{name}"}
            )
            publisher.accepted(name)
        same = worker.final_outcome("s", "same")
        assert same["result"] == "success", same
        first = worker.outcomes_of("s", "same")[0]
        assert (first["result"], first["execution"]["http_status_code"]) == ("unknown", 422), first
        other = worker.final_outcome("s", "other")
        assert (other["result"], other["reason"]) == ("failed", "client_order_id_taken"), other


def test_what_has_gone_stale_is_not_sent() -> None:
    with Simulator() as simulator, Worker(simulator, "--max-age-s", "1") as worker:
        with Publisher(worker) as publisher, Subscriber(worker, "outcome|s|") as topic:
            publisher.accepted("past", expires_at="2020-01-01T00:00:00Z")
            [past] = topic.until_final("past")
            assert (past["result"], past["reason"], past["execution"]) == (
                "failed",
                "expired",
                None,
            )
            simulator.fault("delay_before_recording", milliseconds=1500)
            publisher.accepted("slow")
            simulator.wait_for_post("s:slow")
            soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
            publisher.accepted("short", valid_for_ms=200)
            publisher.accepted("none")
            publisher.accepted("long", expires_at=soon.isoformat().replace("+00:00", "Z"))
            ends = {o["decision_id"]: o for o in topic.until_final("slow", "short", "none", "long")}
            for name in ["short", "none"]:
                outcome = ends[name]
                assert (outcome["reason"], outcome["execution"]) == ("expired", None), outcome
            assert ends["long"]["result"] == "success"
        assert [post["client_order_id"] for post in simulator.posts()] == ["s:slow", "s:long"]
        rows = worker.state.rows(
            "SELECT status, failure_reason FROM trade_decisions WHERE decision_id = 'past'"
        )
        assert rows == [("failed", "expired")]


def test_amounts_of_money_brackets_and_legs() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("money", quantity=ABSENT, notional="25.50")
        last = worker.final_outcome("s", "money")
        assert (last["result"], last["quantity"], last["notional"]) == (
            "success",
            None,
            "25.50",
        ), last
        publisher.accepted(
            "bracket",
            **{**LIMIT, "limit_price": "61", "order_class": "bracket"},
            take_profit={"limit_price": "66"},
            stop_loss={"stop_price": "57"},
        )
        assert worker.final_outcome("s", "bracket")["result"] == "success"
        legs = [
            {
                "symbol": f"AAPL270115C00{strike}000",
                "ratio_qty": "1",
                "side": side,
                "position_intent": intent,
            }
            for strike, side, intent in [(250, "buy", "buy_to_open"), (260, "sell", "sell_to_open")]
        ]
        with Subscriber(worker, "outcome|s|mleg|") as topic:
            publisher.accepted(
                "legs",
                symbol=ABSENT,
                side=ABSENT,
                order_class="mleg",
                legs=legs,
                order_type="limit",
                limit_price="0.50",
            )
            outcome = topic.next()
        assert (outcome["symbol"], outcome["side"]) == (None, None), outcome
        body = json.loads(simulator.posts("s:legs")[0]["body"])
        assert [leg["symbol"] for leg in body["legs"]] == [leg["symbol"] for leg in legs], body


def test_replay_tells_the_same_as_the_database() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        for number in range(60):
            publisher.accepted(f"d-{number}", "ab"[number % 2], **COIN)
        for number in range(60):
            worker.final_outcome("ab"[number % 2], f"d-{number}")
        wanted: list[str | None] = [None, "a", "nobody"]
        for strategy in wanted:
            told: list[Json] = []
            counter = "strategy_seq" if strategy else "seq"
            while True:
                page = publisher.ask(
                    {
                        **{"v": 1, "type": "replay", "strategy_name": strategy, "limit": 7},
                        "after": told[-1][counter] if told else 0,
                    }
                )
                assert len(page["outcomes"]) <= 7
                told += page["outcomes"]
                if not page["more"]:
                    break
                assert len(page["outcomes"]) == 7
            stored = [strict_json(body) for body in worker.state.stored_outcomes(strategy)]
            assert told == stored
            assert [o[counter] for o in told] == list(range(1, len(told) + 1))
        beat = worker.status()
        assert beat["seq"] == worker.state.rows("SELECT max(seq) FROM outcomes")[0][0]
        assert sum(beat["strategies"].values()) == beat["seq"]
        bad: list[Json] = [{}, {"after": -1}, {"after": "0"}, {"after": 0, "limit": 0}]
        for changes in [*bad, {"after": 0, "strategy_name": "a b"}, {"after": 0, "symbol": "KO"}]:
            ack = publisher.ask_bytes(json.dumps({"v": 1, "type": "replay", **changes}).encode())
            assert ack["code"] == "bad_field", ack
        huge = publisher.ask({"v": 1, "type": "replay", "after": 0, "limit": 100_000})
        assert len(huge["outcomes"]) <= 500


def test_reconcile_names_what_is_unknown() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("html_504", client_order_id="s:lost")
        simulator.fault("html_502", method="GET", times=2)
        publisher.accepted("lost")
        eventually("the unknown", lambda: worker.status()["unknown"])
        answer = publisher.ask({"v": 1, "type": "reconcile"})
        assert (answer["unknown"], answer["client_order_ids"]) == (1, ["s:lost"]), answer
        request = {"v": 1, "type": "reconcile", "strategy_name": "s", "decision_id": "other"}
        assert publisher.ask(request)["unknown"] == 0
        final = worker.final_outcome("s", "lost")
        assert final["execution"]["resolution"] == "found", final


def test_ping_and_status() -> None:
    with Simulator() as simulator, Worker(simulator, "--partition", "p-7") as worker:
        with Publisher(worker) as publisher:
            pong = publisher.ask({"v": 1, "type": "ping"})
            status = publisher.ask({"v": 1, "type": "status"})
            assert pong["partition"] == status["partition"] == worker.partition == "p-7"
            assert pong["stream"] == status["stream"]
            assert (status["pending"], status["seq"], status["strategies"]) == (0, 0, {})
            for kind in ["ping", "status"]:
                ack = publisher.ask_bytes(json.dumps({"v": 1, "type": kind, "after": 0}).encode())
                assert ack["code"] == "bad_field", ack
        with Subscriber(worker) as topic:
            assert topic.next("heartbeat")["stream"] == pong["stream"]


def test_the_stream_is_the_databases() -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker:
            first = worker.status()["stream"]
        with Worker(simulator, state=state) as worker:
            assert worker.status()["stream"] == first
        with Worker(simulator) as worker:
            assert worker.status()["stream"] != first


if __name__ == "__main__":
    main(globals())
