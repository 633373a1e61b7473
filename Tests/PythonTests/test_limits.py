"""Limits before the wire: the file, its schema and its example; and what is told of what is refused."""

from __future__ import annotations

import json
import pathlib
import random
import subprocess
import time
from typing import Any

from harness import (
    REPOSITORY,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    eventually,
    is_valid,
    main,
)

LIMIT: Json = {"order_type": "limit", "limit_price": "10"}


def limits_file(state: State, **members: Any) -> pathlib.Path:
    path = state.path / "limits.json"
    path.write_text(json.dumps({"v": 1, **members}))
    return path


def is_taken(path: pathlib.Path) -> bool:
    """Whether `check` finds the file in order; what else it finds does not matter here."""
    done = subprocess.run(
        [
            *(str(binaries() / "trade-executor"), "check", "--broker-url", "http://127.0.0.1:1"),
            *("--state-dir", str(path.parent / "none"), "--limits", str(path)),
        ],
        capture_output=True,
        text=True,
    )
    verdicts = {line.split()[0] for line in done.stdout.splitlines() if line[6:13] == "limits "}
    assert verdicts in [{"ok"}, {"WRONG"}], done
    return verdicts == {"ok"}


def test_schema_and_worker_agree_about_limits_files() -> str:
    good, bad = good_files(), bad_files()
    with State() as state:
        path = state.path / "limits.json"
        for content in good:
            path.write_text(json.dumps(content))
            assert is_valid("limits", content) and is_taken(path), content
        for content in bad:
            path.write_text(json.dumps(content))
            assert not is_valid("limits", content) and not is_taken(path), content
    return f"{len(good)} good and {len(bad)} bad ones"


def test_what_is_against_a_limit_is_told_by_its_word_and_never_sent() -> None:
    each = {
        "symbols_forbidden": ["TSLA"],
        "order_quantity_max": "100",
        "order_notional_max": "900",
        "orders_per_day": 2,
        "duplicate_window_s": 3600,
    }
    with Simulator() as simulator, State() as state:
        path = limits_file(state, each=each, strategies={"other": {"sides": ["sell"]}})
        with Worker(simulator, "--limits", str(path), state=state) as worker:
            with Publisher(worker) as publisher:
                publisher.accepted("forbidden", symbol="TSLA", **LIMIT)
                publisher.accepted("many", quantity="100.5", **LIMIT)
                publisher.accepted("dear", quantity="91", **LIMIT)
                publisher.accepted("unpriced")
                publisher.accepted("fine", quantity="90", **LIMIT)
                publisher.accepted("again", quantity="90.0", **LIMIT)
                publisher.accepted("second", quantity="1", **LIMIT)
                publisher.accepted("third", quantity="2", **LIMIT)
                publisher.accepted("side", "other", **LIMIT)
                reasons = {
                    "forbidden": "symbol_forbidden",
                    "many": "order_quantity_limit",
                    "dear": "order_notional_limit",
                    "unpriced": "no_reference_price",
                    "again": "duplicate_intent",
                    "third": "orders_per_day_limit",
                }
                for decision_id, reason in reasons.items():
                    outcome = worker.final_outcome("s", decision_id)
                    assert outcome["reason"] == reason and outcome["message"], outcome
                assert worker.final_outcome("other", "side")["reason"] == "side_not_allowed"
                # Told again to who asks again.
                assert publisher.decide("many", quantity="100.5", **LIMIT)["outcome"][
                    "message"
                ] == ("order_quantity_max of strategy s is 100, the order has 100.5")
                figure = "order_quantity_max of strategy s is 100, the order has 100.5"
                submit = ["submit", "--strategy", "s", "--symbol", "AAPL", "--side", "buy"]
                submit += ["--quantity", "100.5", "--wait", "--intake", worker.intake]
                submit += ["--outcomes", worker.outcomes]
                for arguments in [submit, ["show", "s:many", "--state-dir", str(state.path)]]:
                    told = subprocess.run(
                        [str(binaries() / "trade-executor"), *arguments],
                        capture_output=True,
                        text=True,
                    )
                    assert figure in (told.stderr or told.stdout), told
                sent = [post["client_order_id"] for post in simulator.posts()]
                assert sent == ["s:fine", "s:second"], sent
            done = subprocess.run(
                [
                    *(str(binaries() / "trade-executor"), "failures", "--json"),
                    *("--state-dir", str(state.path)),
                ],
                capture_output=True,
                text=True,
            )
            for reason in [*reasons.values(), "side_not_allowed"]:
                assert reason in done.stdout, done.stdout


def test_a_change_of_the_file_takes_effect_between_two_orders_of_a_backlog() -> None:
    with Simulator() as simulator, State() as state:
        path = limits_file(state)
        with Worker(simulator, "--limits", str(path), state=state) as worker:
            with Publisher(worker) as publisher:
                simulator.fault("delay_before_recording", milliseconds=1000, times=1)
                publisher.accepted("d-1", quantity="1", **LIMIT)
                simulator.wait_for_post("s:d-1")
                for number in range(2, 5):
                    publisher.accepted(f"d-{number}", quantity=str(number), **LIMIT)
                limits_file(state, all={"orders_per_day": 2})
                last = worker.final_outcome("s", "d-4")
                assert last["reason"] == "orders_per_day_limit", last
                sent = [post["client_order_id"] for post in simulator.posts()]
                assert sent == ["s:d-1", "s:d-2"], sent


def test_a_broken_edit_is_logged_though_nothing_is_judged() -> None:
    with Simulator() as simulator, State() as state:
        path = limits_file(state)
        with Worker(simulator, "--limits", str(path), state=state):
            path.write_text("{")
            eventually("the error", lambda: "those from before stay" in state.log.read_text())


def test_no_kill_lets_more_through_than_the_limits_allow() -> str:
    most = 25
    with Simulator() as simulator, State() as state:
        path = limits_file(state, all={"orders_per_day": most, "duplicate_window_s": 3600})
        flags = ["--limits", str(path), "--settle-time-s", "1"]
        number = 0
        for _ in range(16):
            with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
                for _ in range(5):
                    number += 1
                    # Every second one is like the one before it.
                    publisher.accepted(f"d-{number}", quantity=str(number // 2 + 1))
                time.sleep(random.uniform(0, 0.02))
                worker.program.kill()
        with Worker(simulator, *flags, state=state) as worker:
            outcomes = [worker.final_outcome("s", f"d-{one}") for one in range(1, number + 1)]
        # One that died with its worker before its request left counts too: it may have left.
        [begun] = state.rows("SELECT count(*) FROM trade_executions WHERE certainty <> 'not_sent'")
        posts = simulator.posts()
        assert begun[0] == most and len(posts) <= most, (begun, len(posts))
        assert len({post["qty"] for post in posts}) == len(posts), posts
        reasons = {one["reason"] for one in outcomes if one["result"] == "failed"}
        assert reasons <= {"duplicate_intent", "orders_per_day_limit", "absent"}, reasons
    return f"{number} decisions, {len(posts)} POSTs"


def good_files() -> list[Json]:
    example: Json = json.loads((REPOSITORY / "deploy/limits.example.json").read_text())
    limits: list[Json] = [
        {},
        {"order_quantity_max": "0"},
        {"order_notional_max": "9999999999999999999.999999999999999999"},
        {"orders_per_minute": 0},
        {"orders_per_day": 1_000_000_000},
        {"notional_per_day": "0.01"},
        {"symbols": []},
        {"symbols": ["AAPL", "BTC/USD", "BRK.B", "AAPL261218C00250000"]},
        {"symbols_forbidden": ["aapl"]},
        {"sides": ["buy", "sell"]},
        {"duplicate_window_s": 86_400},
        {"reduce_only": False, "market_hours_only": True},
    ]
    return [
        {"v": 1},
        example,
        *({"v": 1, scope: one} for one in limits for scope in ["all", "each"]),
        {"v": 1, "strategies": {"mean-rev": one for one in limits}},
        {"v": 1, "reference_prices": {"AAPL": "250", "BTC/USD": "0.000000001"}},
        *({"v": 1, "unpriced": word} for word in ["refuse", "allow"]),
    ]


def bad_files() -> list[Any]:
    limits: list[Any] = [
        None,
        [],
        "none",
        {"order_quantity_maks": "1"},
        {"order_quantity_max": 1},
        {"order_quantity_max": "-1"},
        {"order_quantity_max": "1e3"},
        {"order_quantity_max": "01"},
        {"order_quantity_max": "10000000000000000000"},
        {"order_notional_max": None},
        {"notional_per_day": "0.1234567890123456789"},
        {"orders_per_minute": -1},
        {"orders_per_minute": "1"},
        {"orders_per_minute": 1.5},
        {"orders_per_day": 1_000_000_001},
        {"symbols": "AAPL"},
        {"symbols": [""]},
        {"symbols": ["AA PL"]},
        {"symbols_forbidden": [None]},
        {"sides": ["short"]},
        {"duplicate_window_s": 86_401},
        {"reduce_only": "true"},
        {"market_hours_only": 1},
    ]
    return [
        {},
        [],
        None,
        {"v": 2},
        {"v": "1"},
        {"v": 1, "limits": {}},
        *({"v": 1, scope: one} for one in limits for scope in ["all", "each"]),
        *({"v": 1, "strategies": {"s": one}} for one in limits),
        {"v": 1, "strategies": {"mean rev": {}}},
        {"v": 1, "strategies": {"": {}}},
        {"v": 1, "strategies": []},
        *(
            {"v": 1, "reference_prices": {"AAPL": price}}
            for price in [0, 1, "0", "0.00", "-1", "1.0000000001", "", None]
        ),
        {"v": 1, "reference_prices": {"AA PL": "1"}},
        {"v": 1, "unpriced": "ignore"},
        {"v": 1, "unpriced": None},
    ]


if __name__ == "__main__":
    main(globals())
