"""Decisions and their acknowledgements, as the author of a strategy meets them."""

from __future__ import annotations

import json
import re
from typing import Any

import zmq

from harness import (
    COIN,
    ABSENT,
    REPOSITORY,
    Json,
    Publisher,
    Simulator,
    Subscriber,
    Worker,
    check,
    decision,
    eventually,
    is_valid,
    main,
    read_answer,
    without_absent,
)


def test_every_kind_of_publisher_gets_its_ack_and_its_outcome() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        for number, kind in enumerate(["DEALER", "REQ", "delimited"], start=1):
            with Publisher(worker, kind) as publisher, Subscriber(
                worker, f"outcome|{kind}|"
            ) as topic:
                ack = publisher.accepted("d-1", kind, quantity=100)
                assert ack["decision_seq"] == number, ack
                last = topic.until_final("d-1")[-1]
                assert (last["result"], last["quantity"]) == ("success", "100"), last
                assert last["execution"]["filled_quantity"] == "100", last
                assert last["stream"] == ack["stream"]
                assert len(simulator.posts(f"{kind}:d-1")) == 1


def test_an_envelope_of_several_frames_comes_back_unchanged() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        socket = worker.context.socket(zmq.DEALER)
        socket.connect(worker.intake)
        envelope = [b"proxy", b"\x00\xff", b"", b"4", b"5", b"6", b"7"]
        socket.send_multipart([*envelope, json.dumps(decision("d-1")).encode()])
        *back, body = socket.recv_multipart()
        assert back == envelope and read_answer(body)["status"] == "accepted"
        socket.send_multipart([*envelope, b"8", json.dumps(decision("d-2")).encode()])
        assert read_answer(socket.recv_multipart()[-1])["code"] == "too_large"


def test_the_same_decision_again_is_a_duplicate_with_its_outcome() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("delay_before_recording", milliseconds=300)
        body = json.dumps(decision("d-1", quantity="1.50", symbol="BTC/USD")).encode()
        first = publisher.ask_bytes(body)
        again = publisher.ask_bytes(body)
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        assert again["decision_seq"] == first["decision_seq"] and "outcome" not in again, again
        worker.final_outcome("s", "d-1")
        again = publisher.ask_bytes(body)
        assert again["duplicate"] and again["outcome"]["final"], again
        # The same content in other words is the same decision.
        same = dict(
            reversed(decision("d-1", quantity="1.5", symbol="BTC/USD", order_type="market").items())
        )
        assert publisher.ask(same)["duplicate"]
        for name, value in [("quantity", "2"), ("side", "sell"), ("rationale", {"a": 1})]:
            other = {**decision("d-1", quantity="1.5", symbol="BTC/USD"), name: value}
            ack = publisher.ask(other)
            assert (ack["code"], ack["retry"]) == ("id_conflict", False), ack
        # Another strategy may use the same id.
        publisher.accepted("d-1", "other")
        assert len(simulator.posts("s:d-1")) == 1
        refused = worker.state.rows("SELECT code FROM refused_messages")
        assert [code for (code,) in refused] == ["id_conflict"] * 3


def test_a_sequence_takes_only_the_next() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        ahead = publisher.decide("d-2", sequence=2)
        assert (ahead["code"], ahead["expected"], ahead["retry"]) == (
            "out_of_order",
            1,
            True,
        ), ahead
        publisher.accepted("d-1", sequence=1)
        publisher.accepted("d-2", sequence=2)
        behind = publisher.decide("d-3", sequence=2)
        assert (behind["code"], behind["expected"], behind["retry"]) == (
            "out_of_order",
            3,
            False,
        ), behind
        # A repetition is a duplicate, whatever its number.
        assert publisher.decide("d-1", sequence=1)["duplicate"]
        # The counter is each strategy's own, and who names none has none.
        publisher.accepted("d-1", "other", sequence=1)
        publisher.accepted("d-x")
        publisher.accepted("d-3", sequence=3)


def test_pipelined_decisions_are_taken_in_order() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        count = 500
        for number in range(1, count + 1):
            message = decision(f"d-{number}", sequence=number, **COIN)
            publisher.send_bytes(json.dumps(message).encode())
        for number in range(1, count + 1):
            ack = publisher.receive()
            assert (ack["decision_id"], ack["decision_seq"]) == (f"d-{number}", number), ack
        eventually("all POSTs", lambda: len(simulator.posts()) == count)
        ids = [post["client_order_id"] for post in simulator.posts()]
        assert ids == [f"s:d-{number}" for number in range(1, count + 1)]


def test_two_publishers_order_is_kept() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        with Publisher(worker) as first, Publisher(worker) as second:
            for number in range(100):
                first.accepted(f"a-{number}", "first", **COIN)
                second.accepted(f"b-{number}", "second", **COIN)
        eventually("all POSTs", lambda: len(simulator.posts()) == 200)
        ids = [post["client_order_id"] for post in simulator.posts()]
        expected = [
            f"{s}:{i}-{n}" for n in range(100) for s, i in [("first", "a"), ("second", "b")]
        ]
        assert ids == expected


def test_a_pull_intake_takes_without_answering() -> None:
    with Simulator() as simulator, Worker(
        simulator, "--pull-intake", "tcp://127.0.0.1:*"
    ) as worker:
        with Subscriber(worker, "outcome|pushed|") as topic:
            socket = worker.context.socket(zmq.PUSH)
            socket.connect(worker.program.ready["pull_intake"])
            for number in range(3):
                socket.send(json.dumps(decision(f"d-{number}", "pushed")).encode())
            socket.send(b"nonsense")
            outcomes = topic.until_final("d-0", "d-1", "d-2")
            assert {outcome["result"] for outcome in outcomes if outcome["final"]} == {"success"}
            eventually("the refusal", lambda: topic.next("heartbeat")["refused"] == 1)


def test_messages_that_cannot_be_read_are_answered_and_kept() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        good = json.dumps(decision("d-1"))
        messages: list[tuple[bytes, str, str | None]] = [
            (b"", "bad_json", None),
            (b"nonsense", "bad_json", None),
            (b"[]", "bad_json", None),
            (b"\xff\xfe", "bad_json", None),
            (b"\xef\xbb\xbf" + good.encode(), "bad_json", None),
            (good.encode() + b"x", "bad_json", "d-1"),
            (good.replace('"1"', "NaN").encode(), "bad_json", "d-1"),
            (good.replace('"buy"', '"b\xff"').encode("latin-1"), "bad_json", None),
            (good[:-1].encode() + b',"v":1}', "bad_json", "d-1"),
            (good[:-1].encode() + b',"rationale":{"a":1,"a":2}}', "bad_json", "d-1"),
            (
                good[:-1].encode() + b',"rationale":' + b'{"a":' * 8 + b"1" + b"}" * 9,
                "bad_json",
                "d-1",
            ),
            (
                good[:-1].encode() + b',"rationale":{"a":"' + b"x" * 65_536 + b'"}}',
                "too_large",
                None,
            ),
            (good.replace('"v": 1', '"v": 2').encode(), "unsupported_version", "d-1"),
            (good.replace('"v": 1', '"v": 1.0').encode(), "unsupported_version", "d-1"),
        ]
        for body, code, decision_id in messages:
            ack = publisher.ask_bytes(body)
            got = (ack["status"], ack["code"], ack["decision_id"], ack["retry"])
            assert got == ("refused", code, decision_id, False), (body[:200], ack)
        rows = worker.state.rows(
            "SELECT code, CAST(body AS BLOB), message FROM refused_messages ORDER BY id"
        )
        assert [row[0] for row in rows] == [code for _, code, _ in messages]
        assert [row[1] for row in rows] == [body[:4096] for body, _, _ in messages]
        assert worker.status()["refused"] == len(messages)
        # The deepest and the largest that are taken.
        deep = good[:-1].encode() + b',"rationale":' + b'{"a":' * 6 + b"{}" + b"}" * 7
        assert publisher.ask_bytes(deep)["status"] == "accepted"
        large = json.dumps(decision("d-2", rationale={"a": ""}))
        large = large.replace('""', '"' + "x" * (65_536 - len(large)) + '"')
        assert len(large) == 65_536
        assert publisher.ask_bytes(large.encode())["status"] == "accepted"
        # What no schema can say: numbers are written plainly.
        for number in ["1.0", "1e0"]:
            ack = publisher.ask_bytes(
                good.replace('"quantity": "1"', f'"quantity": {number}').encode()
            )
            assert (ack["code"], ack["field"]) == ("bad_field", "quantity") and "quote it" in ack[
                "message"
            ]
        assert publisher.ask_bytes(b'{"v":1,"type":"order"}')["field"] == "type"


def test_a_full_queue_refuses_and_takes_later() -> None:
    with Simulator() as simulator, Worker(simulator, "--queue-max", "2") as worker:
        with Publisher(worker) as publisher:
            simulator.fault("delay_before_recording", milliseconds=1500)
            publisher.accepted("d-0")
            simulator.wait_for_post("s:d-0")
            publisher.accepted("d-1")
            publisher.accepted("d-2")
            full = publisher.decide("d-3")
            assert (full["code"], full["retry"]) == ("queue_full", True), full
            eventually("room", lambda: publisher.decide("d-3")["status"] == "accepted")


def test_schema_and_worker_agree_about_decisions() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        # Nothing of this is meant to trade.
        worker.halt_file("strategy-never").touch()
        good, bad = good_changes(), bad_changes()
        for number, (expected, changes) in enumerate(
            [(True, change) for change in good] + [(False, change) for change in bad]
        ):
            message = without_absent({**decision(f"d-{number}", "never"), **changes})
            assert is_valid("decision", message) == expected, f"schema: {changes}"
            ack = publisher.ask_bytes(json.dumps(message).encode())
            check("ack", ack)
            # A well-formed decision of a halted strategy is refused for that reason and no other.
            taken = ack["code"] == "halted"
            assert taken == expected, f"worker: {changes} {ack}"
            assert taken or ack["code"] in ("bad_field", "unsupported_version"), ack
        return f"{len(good)} good and {len(bad)} bad ones"


def good_changes() -> list[Json]:
    limit: Json = {"order_type": "limit", "limit_price": "10"}
    trailing: Json = {"order_type": "trailing_stop"}
    exits: Json = {"take_profit": {"limit_price": "12"}, "stop_loss": {"stop_price": "9.5"}}
    leg: Json = {"symbol": "AAPL270115C00250000", "ratio_qty": "1", "side": "buy"}
    legs: Json = {
        **{"symbol": ABSENT, "side": ABSENT, "order_class": "mleg"},
        "legs": [leg, {**leg, "side": "sell"}],
    }
    notional: Json = {"quantity": ABSENT, "notional": "250.50"}
    return [
        {},
        {"decision_id": "A.b_c:D-9"},
        {"decision_id": "x" * 64},
        {"symbol": "BRK.B"},
        {"symbol": "BTC/USD", "side": "sell"},
        *(
            {"quantity": amount}
            for amount in [1, 100, "0.5", "0.000000001", "9999999999999999999", "1.500"]
        ),
        notional,
        {**notional, "notional": 250},
        {**notional, "quantity": None},
        *({"time_in_force": word} for word in ["day", "gtc", "opg", "cls", "ioc", "fok", None]),
        {"order_type": "market"},
        {"order_type": None, "limit_price": None, "legs": None, "rationale": None, "type": None},
        limit,
        {**limit, "limit_price": "0.123456789"},
        {"order_type": "stop", "stop_price": "10"},
        {"order_type": "stop_limit", "stop_price": "10", "limit_price": "9.99"},
        {**trailing, "trail_price": "1.5"},
        {**trailing, "trail_percent": "0.1", "trail_price": None},
        {**limit, "extended_hours": True},
        {"extended_hours": None, "position_intent": "buy_to_open"},
        {"order_class": ""},
        {"order_class": "simple", "legs": []},
        {**exits, "order_class": "bracket"},
        {**exits, **limit, "order_class": "bracket"},
        {**exits, **limit, "order_class": "oco"},
        {**exits, "order_type": "limit", "order_class": "oco"},
        {**exits, "order_class": "oto", "stop_loss": ABSENT},
        {**exits, "order_class": "oto", "take_profit": None},
        {**exits, "order_class": "bracket", "stop_loss": {"stop_price": "9", "limit_price": "8.9"}},
        {**exits, "order_class": "bracket", "stop_loss": {"stop_price": "9", "limit_price": None}},
        legs,
        {**legs, "legs": [leg] * 4, "symbol": None},
        {**legs, **limit, "limit_price": "-0.35"},
        {**legs, **limit, "limit_price": "0"},
        {**legs, "legs": [{**leg, "ratio_qty": 2}, {**leg, "ratio_qty": "2.0"}]},
        {**legs, "legs": [leg, {**leg, "side": None, "position_intent": "sell_to_open"}]},
        {"expires_at": "2099-11-22T14:30:00Z"},
        {"expires_at": "2099-11-22T14:30:00.123456789Z"},
        {"expires_at": "2099-11-22T14:30:00.123456+00:00"},
        {"expires_at": "2001-01-01T00:00:00Z", "valid_for_ms": None},
        {"valid_for_ms": 1},
        {"valid_for_ms": 315_360_000_000},
        {"sequence": 1},
        {"sequence": 9_223_372_036_854_775_807},
        {"rationale": {}},
        {"rationale": {"signal_strength": 8.5, "ids": [1, 2], "text": "ü\u20ac\U0001f600"}},
    ]


def bad_changes() -> list[Json]:
    limit: Json = {"order_type": "limit", "limit_price": "10"}
    trailing: Json = {"order_type": "trailing_stop", "trail_price": "1"}
    exits: Json = {"take_profit": {"limit_price": "12"}, "stop_loss": {"stop_price": "9.5"}}
    leg: Json = {"symbol": "AAPL270115C00250000", "ratio_qty": "1", "side": "buy"}
    legs: Json = {
        **{"symbol": ABSENT, "side": ABSENT, "order_class": "mleg"},
        "legs": [leg, {**leg, "side": "sell"}],
    }
    amounts: list[Any] = [
        *(
            "0",
            "0.0",
            "-1",
            "+1",
            "1e2",
            "01",
            "00.5",
            ".5",
            "5.",
            "",
            " 1",
            "1 ",
            "1,5",
            "0x1",
            "NaN",
        ),
        *("1.0000000000", "0.0000000001", "10000000000000000000", "\u0661"),
        *(0, -1, 0.5, True, [1], {"a": 1}, 10_000_000_000_000_000_000),
    ]
    prices: list[Any] = ["0", "-1", "", "abc", "1e1", "1.0123456789", 10, 10.5, False, ["1"]]
    names: list[Any] = ["", "a b", "a/b", "ü", "a|b", 1, ["a"], {"a": 1}, True]
    leg_changes: list[Json] = [
        *({"ratio_qty": ratio} for ratio in ["0", "1.5", "-1", 0, 1.5, None, "one"]),
        *({"symbol": symbol} for symbol in ["", None, 1, "A B"]),
        *({"side": side} for side in [None, "BUY", 1]),
        {"position_intent": "open"},
        {"limit_price": "1"},
    ]
    moments: list[Any] = [
        *("2099-11-22", "2099-11-22T14:30:00", "2099-11-22T14:30:00-05:00", "2099-11-22 14:30:00Z"),
        *(
            "2099-11-22T14:30:00z",
            "2099-13-01T00:00:00Z",
            "2099-02-30T00:00:00Z",
            "2099-11-22T24:00:00Z",
        ),
        *("2099-11-22T14:30:60Z", "2099-11-22T14:30:00.Z", "2099-11-22T14:30:00.1234567890Z"),
        *("9999-01-01T00:00:00Z", "1600-01-01T00:00:00Z", 4102444800, ""),
    ]
    return [
        *({"v": value} for value in [ABSENT, None, 2, 0, "1", 1.5, [1]]),
        *({"decision_id": name} for name in [*names, "x" * 65, ABSENT, None]),
        *({"strategy_name": name} for name in [*names, "x" * 49, "a:b", ABSENT, None]),
        *({"symbol": s} for s in ["", "A B", "A_B", "A:B", "A" * 33, 5, ["AAPL"], ABSENT, None]),
        *({"side": side} for side in ["BUY", "short", "", 1, ABSENT, None]),
        {"quantity": ABSENT},
        {"quantity": None},
        {"notional": "5"},
        *({"quantity": amount} for amount in amounts),
        *({"quantity": ABSENT, "notional": amount} for amount in amounts),
        *({"order_type": word} for word in ["", "MARKET", "moc", 1]),
        *({"time_in_force": word} for word in ["", "DAY", "gtd", 1]),
        *({"order_type": word} for word in ["limit", "stop", "stop_limit", "trailing_stop"]),
        {"limit_price": "10"},
        {"stop_price": "10"},
        {"trail_price": "10"},
        {"trail_percent": "10"},
        {"order_type": None, "limit_price": "10"},
        {**limit, "stop_price": "9"},
        {**limit, "trail_price": "9"},
        {**limit, "order_type": "stop", "stop_price": "9"},
        {**limit, "order_type": "stop_limit"},
        {"order_type": "stop_limit", "stop_price": "9"},
        {**trailing, "trail_percent": "1"},
        {**trailing, "limit_price": "1"},
        {**trailing, "stop_price": "1"},
        *({**limit, "limit_price": price} for price in prices),
        *({"order_type": "stop", "stop_price": price} for price in prices),
        *({**trailing, "trail_price": price} for price in prices),
        *({"extended_hours": value} for value in ["true", 1, "", [True]]),
        *({"position_intent": word} for word in ["buy", "", 1]),
        *({"order_class": word} for word in ["BRACKET", "otoco", 1]),
        exits,
        {**exits, "order_class": "simple"},
        {"take_profit": {"limit_price": "12"}},
        {"stop_loss": {"stop_price": "9"}, "order_class": ""},
        {"order_class": "bracket"},
        {**exits, "order_class": "bracket", "stop_loss": ABSENT},
        {**exits, "order_class": "bracket", "take_profit": None},
        {**exits, "order_class": "oco"},
        {**exits, "order_class": "oco", "order_type": "stop", "stop_price": "9"},
        {**limit, "order_class": "oco"},
        {**exits, "order_class": "oto"},
        {"order_class": "oto"},
        *(
            {**exits, "order_class": "bracket", "take_profit": value}
            for value in [
                {},
                {"limit_price": None},
                {"limit_price": 12},
                {"limit_price": "-1"},
                "12",
                ["12"],
            ]
        ),
        {
            **exits,
            "order_class": "bracket",
            "take_profit": {"limit_price": "12", "stop_price": "1"},
        },
        {**exits, "order_class": "bracket", "stop_loss": {"limit_price": "9"}},
        {**exits, "order_class": "bracket", "stop_loss": {"stop_price": "9", "trail_price": "1"}},
        {**exits, "order_class": "bracket", "stop_loss": {"stop_price": "0"}},
        {**exits, "order_class": "bracket", "stop_loss": {"stop_price": "9", "limit_price": "0"}},
        {**exits, **legs},
        {**legs, "symbol": "AAPL"},
        {**legs, "side": "buy"},
        {**legs, "legs": ABSENT},
        {**legs, "legs": []},
        {**legs, "legs": [leg]},
        {**legs, "legs": [leg] * 5},
        {**legs, "quantity": ABSENT, "notional": "100"},
        {**legs, "legs": {"0": leg}},
        {**legs, "legs": [leg, "leg"]},
        {**legs, "legs": [leg, None]},
        {**legs, "order_class": "simple", "symbol": "AAPL", "side": "buy"},
        {**legs, "order_class": ABSENT, "symbol": "AAPL", "side": "buy"},
        *({**legs, "legs": [leg, {**leg, **change}]} for change in leg_changes),
        *({"expires_at": moment} for moment in moments),
        *({"valid_for_ms": value} for value in [0, -1, "1000", 1.5, 315_360_000_001, True]),
        {"expires_at": "2099-11-22T14:30:00Z", "valid_for_ms": 1000},
        *({"sequence": value} for value in [0, -1, "1", 1.5, 9_223_372_036_854_775_808]),
        *({"rationale": value} for value in ["text", 1, [], True]),
        *({name: "1"} for name in ["qty", "limitprice", "Symbol", "client_order_id", "", "id"]),
        {"unknown": None},
        {"after": 1},
        {"limit": 1},
        {"type": "decision"},
        {"type": ""},
    ]


def test_the_page_names_every_member_and_what_it_shows_is_so() -> None:
    page = (REPOSITORY / "deploy/contract/README.md").read_text()
    table = page.split("### A decision's members\n\n")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    schema = json.loads((REPOSITORY / "deploy/contract/decision.schema.json").read_text())
    assert set(re.findall(r"`(\w+)`", " ".join(cells))) == set(schema["properties"]) - {"type"}
    messages = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", page, re.S | re.M)]
    shown = [message for message in messages if "v" in message and "decision_id" in message]
    assert [message.get("type") for message in shown] == [None, "ack", "outcome"], shown
    for message in shown:
        check(message.get("type") or "decision", message)


def test_what_was_refused_has_used_nothing_up() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        with Publisher(worker) as publisher:
            nothing = json.dumps(decision("d-1", sequence=1, quantity="0")).encode()
            assert publisher.ask_bytes(nothing)["code"] == "bad_field"
            assert publisher.decide("d-1", sequence=2)["code"] == "out_of_order"
            publisher.accepted("d-1", sequence=1, **COIN)
            assert publisher.decide("d-1", sequence=1)["code"] == "id_conflict"
            # Also an id that was refused for its number.
            publisher.accepted("d-2", sequence=2, **COIN)
        worker.final_outcome("s", "d-2")
        assert len(simulator.posts()) == 2
        assert {outcome["decision_id"] for outcome in worker.outcomes_of("s")} == {"d-1", "d-2"}


if __name__ == "__main__":
    main(globals())
