"""A worker at work: busy with a slow broker, halted, read from outside."""

from __future__ import annotations

import json
import statistics
import time

from harness import (
    COIN,
    Json,
    Publisher,
    Simulator,
    Subscriber,
    Worker,
    main,
)


def test_a_slow_broker_holds_up_neither_acks_nor_heartbeats() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        with Subscriber(worker) as topic:
            simulator.fault("delay_before_recording", milliseconds=5000)
            publisher.accepted("slow", "slow")
            simulator.wait_for_post("slow:slow")
            began = time.monotonic()
            times: list[float] = []
            # Until shortly before the broker answers.
            while time.monotonic() < began + 4.5:
                sent = time.monotonic()
                publisher.accepted(f"d-{len(times)}", **COIN)
                times.append((time.monotonic() - sent) * 1000)
                time.sleep(0.005)
            beats: list[Json] = []
            for _, message in topic.messages():
                if message["type"] == "outcome" and message["decision_id"] == "slow":
                    break
                if message["type"] == "heartbeat" and message["sending"]:
                    beats.append(message)
            assert len(beats) >= 4, beats
            assert beats[-1]["pending"] > 0 and beats[-1]["oldest_pending_ms"] > 3000, beats[-1]
            median, worst = statistics.median(times), max(times)
            assert median < 20 and worst < 250, (median, worst)
            for number in [0, len(times) - 1]:
                assert worker.final_outcome("s", f"d-{number}")["result"] == "success"
        ids = [post["client_order_id"] for post in simulator.posts()]
        assert ids == ["slow:slow", *(f"s:d-{number}" for number in range(len(times)))]
    return f"{len(times)} acks, median {median:.2f} ms, worst {worst:.1f} ms"


def test_it_is_ready_soon() -> str:
    with Simulator() as simulator:
        times = []
        for _ in range(5):
            with Worker(simulator) as worker:
                times.append(worker.program.seconds_to_ready * 1000)
        assert statistics.median(times) < 5000
    return f"median {statistics.median(times):.0f} ms"


def test_a_halt_refuses_new_decisions_and_waiting_ones() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        with Subscriber(worker) as topic:
            simulator.fault("delay_before_recording", milliseconds=1500)
            publisher.accepted("slow", "other")
            simulator.wait_for_post("other:slow")
            publisher.accepted("waiting")
            publisher.accepted("waiting", "other")
            halt = worker.halt_file("strategy-s")
            # As `trade-executor halt` writes it; an empty file halts as well.
            halt.write_text('{"scope":"s","hold":false,"reason":"looks odd","by":"ops"}')
            refused = publisher.decide("new")
            assert (refused["code"], refused["retry"]) == ("halted", False), refused
            assert "looks odd" in refused["message"], refused
            outcomes = topic.until_final("waiting", "slow")
            ends = {(o["strategy_name"], o["decision_id"]): o for o in outcomes if o["final"]}
            waiting = ends["s", "waiting"]
            assert (waiting["reason"], waiting["execution"]) == ("halted", None), waiting
            assert worker.final_outcome("other", "waiting")["result"] == "success"
            assert topic.next("heartbeat")["halted"] == ["s"]
            # A known decision is still answered.
            assert publisher.decide("waiting")["outcome"] == waiting
            halt.unlink()
            publisher.accepted("new")
            assert worker.final_outcome("s", "new")["result"] == "success"
            worker.halt_file("all").touch()
            assert publisher.decide("newer")["code"] == "halted"
            assert worker.status()["halted"] == ["all"]


def test_a_halt_with_hold_lets_the_waiting_wait() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        halt = worker.halt_file("all")
        simulator.fault("delay_before_recording", milliseconds=500)
        publisher.accepted("slow")
        simulator.wait_for_post("s:slow")
        publisher.accepted("short", valid_for_ms=1000)
        publisher.accepted("long")
        halt.write_text('{"hold":true}')
        assert publisher.decide("new")["code"] == "halted"
        # Its deadline runs on.
        assert worker.final_outcome("s", "short")["reason"] == "expired"
        assert worker.status()["pending"] == 1 and len(simulator.posts()) == 1
        halt.unlink()
        assert worker.final_outcome("s", "long")["result"] == "success"


def test_the_sqlite3_shell_can_read_while_it_runs() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1", quantity="1.50", rationale={"signal_strength": 8.5}, **CENT)
        publisher.accepted("d-2", symbol="NOSUCH")
        worker.final_outcome("s", "d-1")
        worker.final_outcome("s", "d-2")

        def ask(query: str) -> str:
            done = worker.state.shell(query)
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        assert ask("PRAGMA journal_mode") == "wal"
        assert ask("PRAGMA integrity_check") == "ok"
        assert ask("PRAGMA foreign_key_check") == ""
        assert ask("SELECT quantity, limit_price, rationale FROM trade_decisions WHERE id = 1") == (
            '1.50|100.00|{"signal_strength": 8.5}'
        )
        assert ask(
            "SELECT status, failure_reason IS NOT NULL FROM trade_decisions ORDER BY id"
        ) == ("executed|0\nfailed|1")
        kinds = "SELECT DISTINCT typeof(quantity), typeof(received_at) FROM trade_decisions"
        assert ask(kinds) == "text|text"
        pattern = "____-__-__T__:__:__.______Z"
        for table, column in [("trade_decisions", "received_at"), ("outcomes", "created_at")]:
            assert ask(f"SELECT count(*) FROM {table} WHERE {column} NOT LIKE '{pattern}'") == "0"
        # The exact bytes of the request, readable as text.
        [post] = simulator.posts("s:d-1")
        body = ask(
            "SELECT body FROM api_payloads JOIN trade_executions"
            " ON api_request_payload_id = api_payloads.id WHERE client_order_id = 's:d-1'"
        )
        assert body == post["body"] and json.loads(body)["qty"] == "1.50", body
        payloads = (
            "SELECT type, method, endpoint, status_code FROM api_payloads ORDER BY id LIMIT 2"
        )
        assert ask(payloads) == "ApiRequest|POST|/v2/orders|\nApiResponse|POST|/v2/orders|200"
        # Payloads can be neither changed nor deleted, by nobody.
        for statement in ["UPDATE api_payloads SET body = ''", "DELETE FROM api_payloads"]:
            done = worker.state.shell(statement)
            assert done.returncode != 0 and "payloads are never" in done.stderr, done
        publisher.accepted("d-3")
        assert worker.final_outcome("s", "d-3")["result"] == "success"


CENT: Json = {"order_type": "limit", "limit_price": "100.00", "symbol": "KO"}


if __name__ == "__main__":
    main(globals())
