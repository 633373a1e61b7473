"""The Python client, and subscribers that are frozen, slow or late."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal

import client_checks
from client_checks import Client, Follower, finish, wait_until_all_ended
from harness import (
    COIN,
    REPOSITORY,
    Publisher,
    Simulator,
    State,
    Worker,
    decision,
    eventually,
    main,
    strict_json,
)
from relay import Relay
from test_access import key_ring

PACKAGE = REPOSITORY / "deploy/clients/python"
sys.path.insert(0, str(PACKAGE / "src"))

import trade_executor_client as client  # noqa: E402
from trade_executor_client.following import Following  # noqa: E402

PYTHON = Client(
    publish=[sys.executable, str(PACKAGE / "examples/publish.py")],
    subscribe=[sys.executable, str(PACKAGE / "examples/subscribe.py")],
    environment={"PYTHONPATH": str(PACKAGE / "src")},
)


def raised(kind: type[BaseException], call: Callable[[], object]) -> BaseException:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def coin(decision_id: str, strategy: str = "s") -> client.Decision:
    return client.Decision(
        decision_id,
        strategy,
        "BTC/USD",
        "buy",
        quantity=Decimal("0.01"),
        time_in_force="gtc",
        rationale={"signal_strength": 8.5},
    )


def test_the_samples_publish_and_tell_what_is_refused() -> None:
    client_checks.publishes_and_tells_what_is_refused(PYTHON)


def test_the_samples_send_the_same_bytes_to_a_frozen_worker_again() -> None:
    client_checks.sends_the_same_bytes_to_a_frozen_worker_again(PYTHON)


def test_the_samples_follow_without_gaps() -> str:
    return client_checks.follows_without_gaps(PYTHON)


def test_the_samples_go_on_after_a_restoration() -> None:
    client_checks.goes_on_after_a_restoration(PYTHON)


def test_the_samples_show_their_keys() -> None:
    client_checks.shows_its_keys(PYTHON)


def test_amounts_are_written_plainly_and_never_as_floats() -> None:
    for amount, text in [
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E-9"), "0.000000001"),
        (7, "7"),
        ("0.5", "0.5"),
    ]:
        body = client.Decision("d", "s", "AAPL", "buy", quantity=amount).to_bytes()
        assert strict_json(body)["quantity"] == text, body
    for wrong, error in [(0.1, TypeError), (True, TypeError), (Decimal("NaN"), ValueError)]:
        bad = client.Decision("d", "s", "AAPL", "buy", quantity=wrong)  # type: ignore[arg-type]
        raised(error, bad.to_bytes)
    legs = {"take_profit": {"limit_price": "9.5"}, "stop_loss": {"stop_price": "8"}}
    message = decision("d-1", order_class="bracket", expires_at="2030-01-01T00:00:00Z", **legs)
    told = strict_json(client.Decision.from_json(message).to_bytes())
    assert told == {**message, "expires_at": "2030-01-01T00:00:00.000000Z"}, told


def test_the_package_publishes_asks_and_follows() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        with client.Publisher(worker.intake) as publisher:
            assert publisher.ping().partition == worker.partition
            ack = publisher.publish(coin("d-1"))
            assert (ack.decision_seq, ack.duplicate, ack.outcome) == (1, False, None), ack
            worker.final_outcome("s", "d-1")
            again = publisher.publish(coin("d-1"))
            assert again.duplicate and again.outcome and again.outcome.result == "success", again
            wrong = client.Decision("d-2", "s", "AAPL", "buy", quantity="0")
            refusal = raised(client.Refused, lambda: publisher.publish(wrong))
            assert isinstance(refusal, client.Refused)
            assert (refusal.code, refusal.field, refusal.retry) == ("bad_field", "quantity", False)
            assert publisher.reconcile() == client.Reconciliation(0, ())
            page = publisher.replay("s", 0, limit=1)
            assert len(page.outcomes) == 1 and page.more
            status = publisher.status()
            assert status.strategies["s"] == status.seq and status.refused == 1, status
        with client.Subscriber(outcomes=worker.outcomes, intake=worker.intake) as all_of_them:
            outcomes = [all_of_them.receive(30) for _ in range(status.seq)]
            assert all_of_them.receive(0.1) is None
            assert all_of_them.position == client.Position(status.stream, status.seq)
        stored = [strict_json(body) for body in worker.state.stored_outcomes()]
        assert [outcome and outcome.json for outcome in outcomes] == stored
        last = outcomes[-1]
        assert last and last.execution and last.execution.filled_quantity == Decimal("0.01"), last


def test_a_time_limit_leaves_the_question_open_and_the_same_again_answers_it() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        with client.Publisher(worker.intake) as publisher:
            publisher.ping()
            worker.program.process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            raised(client.NoAnswer, lambda: publisher.publish(coin("d-1"), timeout=0.3))
            assert 0.3 <= time.monotonic() - began < 2
            worker.program.process.send_signal(signal.SIGCONT)
            assert publisher.publish(coin("d-1")).decision_seq == 1
        worker.final_outcome("s", "d-1")
        assert len(simulator.posts()) == 1


def test_what_still_waits_of_an_older_database_does_not_turn_a_subscriber_back() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1", **COIN)
        worker.final_outcome("s", "d-1")
        [first, *_] = [strict_json(body) for body in worker.state.stored_outcomes("s")]
    stream, older = first["stream"], "0" * 16
    following = Following("s", client.Position(older, 5))
    assert following.take_live(first) == [] and following.behind
    page = client.Page((), more=False, stream=stream)
    # The first page of another database was asked for by the counter of the older one.
    assert following.take_page(page) == [] and following.behind and following.last == 0
    page = client.Page((client.Outcome.of(first),), more=False, stream=stream)
    assert len(following.take_page(page)) == 1 and not following.behind
    stale = {**first, "stream": older, "strategy_seq": 2}
    assert following.take_live(stale) == [] and following.behind
    # The worker says again which stream is its own.
    assert following.take_page(client.Page((), more=False, stream=stream)) == []
    assert (following.last, following.stream, following.behind) == (1, stream, False)


def test_asyncio_publishes_and_follows_many_strategies_at_once() -> None:
    async def trade(worker: Worker, relay: Relay, strategy: str, count: int) -> None:
        async with client.AsyncPublisher(relay.intake) as publisher:
            for number in range(count):
                await publisher.publish(coin(f"d-{number}", strategy))
            assert (await publisher.publish(coin("d-0", strategy))).duplicate
        finals = 0
        async with client.AsyncSubscriber(
            strategy, outcomes=relay.outcomes, intake=relay.intake
        ) as subscriber:
            number = 0
            async for outcome in subscriber:
                number += 1
                assert outcome.strategy_seq == number
                finals += outcome.final
                if finals == count:
                    break
            assert await subscriber.receive(0.05) is None
            assert subscriber.position.counter == number

    async def trade_all(worker: Worker, relay: Relay) -> None:
        strategies = [trade(worker, relay, f"s-{number}", 10) for number in range(5)]
        await asyncio.wait_for(asyncio.gather(*strategies), 60)

    with Simulator() as simulator, Worker(simulator) as worker:
        with Relay(worker, lose_answers=2) as relay:
            asyncio.run(trade_all(worker, relay))
        assert len(simulator.posts()) == 50


def test_asyncio_shows_its_keys() -> None:
    async def trade(worker: Worker, keys: client.CurveKeys) -> None:
        async with client.AsyncPublisher(worker.intake, keys) as publisher:
            assert (await publisher.publish(coin("d-1"))).decision_seq == 1
            try:
                await publisher.publish(coin("d-1", "other"))
                raise AssertionError("a decision of another strategy was taken")
            except client.Refused as refusal:
                assert refusal.code == "not_authorised" and not refusal.retry
        async with client.AsyncSubscriber(
            "s", outcomes=worker.outcomes, intake=worker.intake, keys=keys
        ) as subscriber:
            while not (outcome := await subscriber.receive(30)) or not outcome.final:
                assert outcome, "no outcome came"

    with Simulator() as simulator, key_ring() as ring:
        ring.allow("alice", "--strategy", "s")
        keys = client.CurveKeys.load(
            ring.directory / "alice.key_secret", ring.directory / "server.key"
        )
        with Worker(simulator, *ring.flags()) as worker:
            asyncio.run(trade(worker, keys))


def test_asyncio_can_be_cancelled_in_the_middle() -> None:
    async def cancelled(worker: Worker) -> None:
        async with client.AsyncPublisher(worker.intake) as publisher:
            worker.program.process.send_signal(signal.SIGSTOP)
            task = asyncio.create_task(publisher.publish(coin("d-1")))
            await asyncio.sleep(0.2)
            task.cancel()
            worker.program.process.send_signal(signal.SIGCONT)
            assert (await publisher.publish(coin("d-2"))).decision_id == "d-2"
            assert (await publisher.publish(coin("d-1"))).decision_id == "d-1"

    with Simulator() as simulator, Worker(simulator) as worker:
        asyncio.run(cancelled(worker))


def test_a_secret_key_that_others_can_read_is_not_used() -> None:
    with key_ring() as ring:
        ring.generate("alice")
        secret, server = ring.directory / "alice.key_secret", ring.directory / "server.key"
        keys = client.CurveKeys.load(secret, server)
        assert keys.secret.decode() not in repr(keys)
        # As czmq and people write them.
        secret.write_text(
            "#   a comment\nmetadata\n    name = strategy\ncurve\n"
            f"    public-key = {keys.public.decode()}\n"
            f"    secret-key = '{keys.secret.decode()}'\n"
        )
        assert client.CurveKeys.load(secret, server) == keys
        secret.chmod(0o644)
        error = raised(ValueError, lambda: client.CurveKeys.load(secret, server))
        assert "chmod 600" in str(error)
        secret.chmod(0o600)
        raised(ValueError, lambda: client.CurveKeys.load(server, server))


def test_the_publisher_waits_for_a_worker_that_is_not_there_yet() -> None:
    with Simulator() as simulator, State() as state:
        endpoint = f"ipc://{state.path}/intake.sock"
        publisher = PYTHON.start(PYTHON.publish, json.dumps(decision("d-1")), endpoint)
        # Longer than it waits for one answer, so that it sends again.
        time.sleep(2.5)
        with Worker(simulator, "--intake", endpoint, state=state) as worker:
            assert finish(publisher)["status"] == "accepted"
            assert worker.final_outcome("s", "d-1")["result"] == "success"
        assert len(simulator.posts()) == 1


def test_a_frozen_subscriber_slows_nobody_and_catches_up() -> str:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        endpoints = [worker.outcomes, worker.intake]
        with (
            Follower(PYTHON, "s", *endpoints) as frozen,
            Follower(PYTHON, "s", *endpoints) as healthy,
        ):
            publisher.accepted("first", **COIN)
            for follower in [frozen, healthy]:
                eventually("the first outcome", follower.outcomes)
            frozen.process.send_signal(signal.SIGSTOP)
            times: list[float] = []
            count = 300
            for number in range(count):
                sent = time.monotonic()
                publisher.accepted(f"d-{number}", **COIN)
                times.append((time.monotonic() - sent) * 1000)
            wait_until_all_ended(worker)
            healthy.gets_all(worker)
            assert len(frozen.outcomes()) < len(healthy.outcomes())
            frozen.process.send_signal(signal.SIGCONT)
            frozen.gets_all(worker)
        median, worst = statistics.median(times), max(times)
        assert median < 50 and worst < 1000, (median, worst)
    return f"{count} acks meanwhile, median {median:.2f} ms, worst {worst:.1f} ms"


def test_a_subscriber_that_comes_late_or_again_has_everything_once() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        count = 60
        for number in range(count):
            publisher.accepted(f"d-{number}", **COIN)
            publisher.accepted(f"d-{number}", "other", **COIN)
        wait_until_all_ended(worker)
        total = len(worker.state.stored_outcomes("s"))
        assert total > count
        endpoints = [worker.outcomes, worker.intake]
        with (
            Follower(PYTHON, "s", *endpoints) as late,
            Follower(PYTHON, "s", *endpoints, counter=total - 3) as again,
        ):
            late.gets_all(worker)
            eventually("the last three", lambda: again.outcomes() == late.outcomes()[-3:])


def test_a_subscriber_lives_through_a_crash_of_the_worker() -> None:
    with Simulator() as simulator, State() as state:
        endpoints = [f"ipc://{state.path}/{name}.sock" for name in ["intake", "outcomes"]]
        flags = ["--intake", endpoints[0], "--outcomes", endpoints[1]]
        with Worker(simulator, *flags, state=state) as worker, Publisher(worker) as publisher:
            follower = Follower(PYTHON, "s", worker.outcomes, worker.intake)
            publisher.accepted("d-1")
            eventually("the first outcome", follower.outcomes)
            simulator.fault("delay_after_recording", milliseconds=1000)
            publisher.accepted("d-2")
            simulator.wait_for_post("s:d-2")
            worker.kill()
        with follower, Worker(simulator, *flags, state=state) as worker:
            wait_until_all_ended(worker)
            follower.gets_all(worker)


def test_the_package_can_be_installed_and_its_types_hold() -> None:
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        # A copy, since building leaves things behind.
        source = pathlib.Path(directory) / "source"
        shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--target", f"{directory}/installed", str(source)),
            ],
            check=True,
        )
        for arguments in [
            ["-c", "import trade_executor_client; print('no issues')"],
            # With its own settings, which are strict.
            ["-m", "mypy", "--cache-dir", os.devnull],
        ]:
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=source,
                env={**os.environ, "PYTHONPATH": f"{directory}/installed"},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0 and "no issues" in done.stdout, done.stdout + done.stderr
        assert (pathlib.Path(directory) / "installed/trade_executor_client/py.typed").exists()


if __name__ == "__main__":
    main(globals())
