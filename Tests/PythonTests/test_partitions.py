"""Strategies split over workers by a partition map: who takes what, edits of the map, and who follows it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from decimal import Decimal
from typing import IO, Any

from harness import (
    COIN,
    PATIENCE,
    REPOSITORY,
    Json,
    Publisher,
    Simulator,
    binaries,
    decision,
    die_with_parent,
    is_valid,
    main,
    run_and_fail,
)
from partitioned import Partitions, run

sys.path.insert(0, str(REPOSITORY / "deploy/clients/python/src"))

import trade_executor_client as client  # noqa: E402

KEY = "<5=abR}TaLqH*C]sJdvcD4O&aPtbg1*hp^9-nK>q"
P0: Json = {"intake": "tcp://10.0.0.5:5555", "outcomes": "tcp://10.0.0.5:5556"}
P1: Json = {"intake": "ipc:///run/p1/intake", "outcomes": "tcp://[fe80::1]:1", "server_key": KEY}


def a_map(**members: Any) -> Json:
    message: Json = {
        "v": 1,
        "epoch": 1,
        "partitions": {"p0": P0, "p1": P1},
        "strategies": {"s": "p0", "t": "p1"},
        **members,
    }
    return {name: value for name, value in message.items() if value is not None}


GOOD = [
    a_map(),
    a_map(default="p1", epoch=9007199254740991),
    a_map(strategies={}),
    a_map(partitions={"p0": P0}, strategies={"s": "p0"}),
    json.loads((REPOSITORY / "deploy/contract/partition-map.schema.json").read_text())["examples"][
        0
    ],
]
BAD = [
    a_map(v=2),
    a_map(epoch=0),
    a_map(epoch="1"),
    a_map(epoch=9007199254740992),
    a_map(epoch=None),
    a_map(partitions={}),
    a_map(strategies=None),
    a_map(strategies={"a b": "p0"}),
    a_map(strategies={"s": ["p0"]}),
    a_map(default=1),
    a_map(more=1),
    a_map(partitions={"p 0": P0}, strategies={}),
    a_map(partitions={"p0": {**P0, "server_key": "short"}}, strategies={}),
    a_map(partitions={"p0": {**P0, "more": 1}}, strategies={}),
    *[
        a_map(partitions={"p0": {**P0, "intake": endpoint}}, strategies={})
        for endpoint in ["tcp://*:1", "tcp://0.0.0.0:1", "tcp://a", "tcp://a:0", "ipc://", "a:1", 1]
    ],
]
# What a schema cannot say.
CONTRADICTIONS = [
    a_map(strategies={"s": "p2"}),
    a_map(default="p2"),
    a_map(partitions={"p0": P0, "p1": P0}),
    a_map(partitions={"p0": {**P0, "outcomes": P0["intake"]}}, strategies={}),
    a_map(partitions={"p0": {**P0, "intake": "tcp://a:65536"}}, strategies={}),
]


def test_schema_and_command_agree_about_maps() -> str:
    with Partitions("http://127.0.0.1:1") as partitions:
        for content in GOOD + BAD + CONTRADICTIONS:
            partitions.write_text(json.dumps(content))
            done = run("partitions", "check", "--partition-map", str(partitions.path), "--json")
            assert done.returncode == (0 if content in GOOD else 1), (content, done)
            assert is_valid("partition-map", content) == (content not in BAD), content
    return f"{len(GOOD)} good and {len(BAD) + len(CONTRADICTIONS)} bad ones"


def test_a_worker_takes_its_own_strategies_and_says_where_others_go() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"mine": "p0", "theirs": "p1"})
        worker = partitions.start("p0")
        with Publisher(worker) as publisher:
            publisher.accepted("d-1", "mine", **COIN)
            refused = publisher.decide("d-1", "theirs", **COIN)
            assert (refused["code"], refused["retry"]) == ("wrong_partition", False), refused
            assert refused["endpoint"] == partitions.places["p1"]["intake"], refused
            nowhere = publisher.decide("d-1", "nowhere", **COIN)
            assert nowhere["code"] == "wrong_partition", nowhere
            assert "endpoint" not in nowhere, nowhere
            # Everything but decisions is answered as ever, whoever asks.
            replay = publisher.ask(
                {"v": 1, "type": "replay", "strategy_name": "theirs", "after": 0}
            )
            assert replay["outcomes"] == [], replay
            assert publisher.ask({"v": 1, "type": "ping"})["partition"] == "p0"
            # With a default, a strategy that nobody has named has a place.
            partitions.write(2, {"mine": "p0"}, default="p1")
            partitions.wait_for_map("p0", 2)
            refused = publisher.decide("d-1", "nowhere", **COIN)
            assert refused["endpoint"] == partitions.places["p1"]["intake"], refused
            partitions.write(3, {"theirs": "p1"}, default="p0")
            # No wait: what is written counts for the next decision.
            publisher.accepted("d-1", "nowhere", **COIN)
        worker.final_outcome("mine", "d-1")
        worker.final_outcome("nowhere", "d-1")
        sent = {post["client_order_id"] for post in simulator.posts()}
        assert sent == {"mine:d-1", "nowhere:d-1"}, sent
        kept = worker.state.rows("SELECT code FROM refused_messages")
        assert kept == [("wrong_partition",)] * 3, kept


def test_what_was_accepted_is_answered_and_executed_wherever_the_strategy_is_now() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        worker = partitions.start("p0")
        with Publisher(worker) as publisher:
            simulator.fault("delay_before_recording", milliseconds=1000, times=1)
            first = publisher.accepted("d-1", **COIN)
            publisher.accepted("d-2", **COIN)
            partitions.write(2, {"s": "p1"})
            again = publisher.decide("d-1", **COIN)
            assert again["status"] == "accepted" and again["duplicate"], again
            assert again["decision_seq"] == first["decision_seq"], again
            assert publisher.decide("d-1", symbol="KO")["code"] == "id_conflict"
            assert publisher.decide("d-3", **COIN)["code"] == "wrong_partition"
        assert worker.final_outcome("s", "d-1")["result"] == "success"
        assert worker.final_outcome("s", "d-2")["result"] == "success"
        assert len(simulator.posts()) == 2


def test_an_edit_that_makes_no_sense_or_is_older_changes_nothing_and_is_told() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(5, {"s": "p0"})
        worker = partitions.start("p0")
        with Publisher(worker) as publisher:
            for number, (text, problem) in enumerate(
                [
                    ("{", "no JSON"),
                    (json.dumps(partitions.map(4, {"s": "p1"})), "epoch 4 is older than 5"),
                    (
                        json.dumps(partitions.map(5, {"s": "p1"})),
                        "something else under the epoch 5",
                    ),
                    (json.dumps(partitions.map(6, {"s": "p7"})), "strategies.s"),
                ]
            ):
                partitions.write_text(text)
                publisher.accepted(f"d-{number}", **COIN)
                partitions.wait_for_map("p0", 5, problem)
            partitions.path.unlink()
            partitions.wait_for_map("p0", 5, "partition-map.json")
            # Once the file is as it was, there is nothing to say; other spaces are no other content.
            partitions.write_text(json.dumps(partitions.map(5, {"s": "p0"}), indent=1))
            partitions.wait_for_map("p0", 5)
            # A map without this worker's partition is followed: its strategies are others'.
            places = {"p1": partitions.places["p1"]}
            partitions.write(6, {"s": "p1"}, partitions=places)
            partitions.wait_for_map("p0", 6, "no partition p0 any more")
            assert publisher.decide("d-9", **COIN)["code"] == "wrong_partition"
        log = worker.state.log.read_text()
        assert "the partition map of epoch 5 stays in force" in log, log
        kept = [epoch for (epoch,) in worker.state.rows("SELECT epoch FROM partition_maps")]
        assert kept == [5, 6], kept


def test_no_start_with_an_older_map_nor_with_one_that_has_no_place_for_the_worker() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(5, {"s": "p0"})
        partitions.start("p0")
        partitions.stop("p0")

        def fail(name: str) -> str:
            return run_and_fail(
                *("--broker-url", simulator.url, "--intake", "tcp://127.0.0.1:*"),
                *("--outcomes", "tcp://127.0.0.1:*", "--partition", name),
                *("--state-dir", str(partitions.states["p0"].path)),
                *("--partition-map", str(partitions.path)),
            )

        partitions.write(4, {"s": "p0"})
        assert "epoch 4 is older than 5" in fail("p0")
        partitions.write(5, {"s": "p1"})
        assert "something else under the epoch 5" in fail("p0")
        partitions.write(6, {"s": "p0"})
        assert "no partition p7, but p0, p1" in fail("p7")
        partitions.write_text("{}")
        assert "v must be 1" in fail("p0")
        partitions.write(6, {"s": "p0"})
        partitions.start("p0")
        partitions.wait_for_map("p0", 6)


def test_commands_show_and_follow_the_map() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(3, {"s": "p0", "t": "p1"}, default="p1")
        p0, p1 = partitions.start_all()
        given = ["--partition-map", str(partitions.path)]
        found = json.loads(run("partitions", "find", "s", "--json", *given).stdout)
        assert found["partition"] == "p0" and found["intake"] == p0.intake, found
        assert found["named"] and found["epoch"] == 3, found
        other = json.loads(run("partitions", "find", "other", "--json", *given).stdout)
        assert other["partition"] == "p1" and not other["named"], other
        lines = [
            json.loads(line)
            for line in run("partitions", "list", "--json", *given).stdout.splitlines()
        ]
        assert [(line["partition"], line["strategies"], line["default"]) for line in lines] == [
            ("p0", ["s"], False),
            ("p1", ["t"], True),
        ]
        assert "(default)" in run("partitions", "list", *given).stdout
        assert (
            "epoch 3, 2 partitions, 2 strategies, others go to p1"
            in run("partitions", "check", *given).stdout
        )
        for strategy, partition in [("s", "p0"), ("t", "p1"), ("other", "p1")]:
            order = [
                "--symbol",
                "BTC/USD",
                "--side",
                "buy",
                "--quantity",
                "0.01",
                "--time-in-force",
                "gtc",
            ]
            done = run("submit", "--strategy", strategy, "--wait", *order, *given)
            assert done.returncode == 0, done
            assert json.loads(done.stdout.splitlines()[-1])["partition"] == partition, done
        body = json.dumps(decision("d-1", "t", **COIN))
        assert json.loads(run("submit", *given, body=body).stdout)["status"] == "accepted"
        followed = [
            [str(binaries() / "trade-executor"), "outcomes", "--json", *given, *more]
            for more in [["--strategy", "t", "--from", "1"], []]
        ]
        for arguments in followed:
            with subprocess.Popen(
                arguments, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
            ) as process:
                assert process.stdout
                if "--strategy" in arguments:
                    first = json.loads(process.stdout.readline())
                    assert (first["strategy_name"], first["strategy_seq"]) == ("t", 1), first
                else:
                    lines = follow(process.stdout)
                    number = 0
                    while {line["partition"] for line in lines} != {"p0", "p1"}:
                        number += 1
                        for worker, strategy in [(p0, "s"), (p1, "t")]:
                            with Publisher(worker) as publisher:
                                publisher.accepted(f"w-{number}", strategy, **COIN)
                                worker.final_outcome(strategy, f"w-{number}")
                process.kill()


def follow(output: IO[str]) -> list[Json]:
    """What is printed, as it comes."""
    lines: list[Json] = []

    def read() -> None:
        for line in output:
            lines.append(json.loads(line))

    threading.Thread(target=read, daemon=True).start()
    return lines


def coin(decision_id: str) -> client.Decision:
    return client.Decision(
        decision_id, "s", "BTC/USD", "buy", quantity=Decimal("0.01"), time_in_force="gtc"
    )


def test_the_python_publishers_go_where_the_strategy_is() -> None:
    with Simulator() as simulator, Partitions(simulator) as partitions:
        partitions.write(1, {"s": "p0"})
        p0, p1 = partitions.start_all()
        with client.MappedPublisher(partitions.path) as publisher:
            assert publisher.publish(coin("d-1"), PATIENCE).stream == p0.status()["stream"]
            partitions.write(2, {"s": "p1"})
            assert publisher.publish(coin("d-2"), PATIENCE).stream == p1.status()["stream"]
            # The worker that it was with before still knows what it has accepted.
            again = publisher.publish(coin("d-2"), PATIENCE)
            assert again.duplicate, again

            async def publish() -> client.Ack:
                async with client.AsyncMappedPublisher(partitions.path) as publisher:
                    await publisher.publish(coin("d-3"), PATIENCE)
                    partitions.write(3, {"s": "p0"})
                    return await publisher.publish(coin("d-4"), PATIENCE)

            assert asyncio.run(publish()).stream == p0.status()["stream"]
            partitions.write(4, {"t": "p0"})
            partitions.wait_for_map("p1", 4)
            try:
                publisher.publish(coin("d-5"), PATIENCE)
                raise AssertionError("a strategy without a partition was taken")
            except client.Refused as refused:
                assert (refused.code, refused.endpoint) == ("wrong_partition", None), refused.json
        for worker, ids in [(p0, ["d-1", "d-4"]), (p1, ["d-2", "d-3"])]:
            for decision_id in ids:
                worker.final_outcome("s", decision_id)
        sent = sorted(post["client_order_id"] for post in simulator.posts())
        assert sent == ["s:d-1", "s:d-2", "s:d-3", "s:d-4"], sent
        place = client.PartitionMap.load(partitions.path).place_of("t")
        assert place and place.intake == p0.intake, place


if __name__ == "__main__":
    main(globals())
