"""The AsyncAPI document of deploy/contract: valid, complete, and true of the real worker.

`asyncapi3` knows version 3.0 as a set of strict models: unknown or missing members, wrong kinds and wrong names are errors. What
it does not do, following references and judging examples, is done here.
"""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pydantic
import yaml
import zmq

with warnings.catch_warnings():
    # It names a member "schema", which pydantic remarks on.
    warnings.simplefilter("ignore", UserWarning)
    from asyncapi3 import AsyncAPI3

from harness import (
    COIN,
    REPOSITORY,
    SCHEMAS,
    Json,
    Publisher,
    Simulator,
    Subscriber,
    Worker,
    check,
    main,
)

CONTRACT = REPOSITORY / "deploy/contract"
DOCUMENT: Json = yaml.safe_load((CONTRACT / "asyncapi.yaml").read_text(encoding="utf-8"))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(reference: Any) -> Any:
    """What stands in a place; the same for a place that refers to another."""
    while isinstance(reference, dict) and "$ref" in reference:
        reference = at(reference["$ref"])
    return reference


def at(reference: str) -> Any:
    if not reference.startswith("#/"):
        return json.loads((CONTRACT / reference).read_text(encoding="utf-8"))
    place: Any = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        place = place[key]
    return place


def schema_name(message: Json) -> str:
    payload = resolve(message)["payload"]
    assert payload["schemaFormat"] == "application/schema+json;version=2020-12"
    name: str = payload["schema"]["$ref"]
    return name.removesuffix(".schema.json")


def test_the_document_is_valid_asyncapi_and_a_broken_one_is_not() -> str:
    def put(*path: Any) -> Callable[[Any], None]:
        *keys, last, value = path

        def change(document: Any) -> None:
            for key in keys:
                document = document[key]
            document[last] = value

        return change

    def remove(*path: Any) -> Callable[[Any], None]:
        *keys, last = path

        def change(document: Any) -> None:
            for key in keys:
                document = document[key]
            del document[last]

        return change

    assert DOCUMENT["asyncapi"] == "3.0.0"
    AsyncAPI3.model_validate(DOCUMENT)
    changes = [
        put("operations", "takeDecision", "action", "subscribe"),
        put("servers", "intake", "zeromq", "ROUTER"),
        put("channels", "outcomes", "adress", "outcome"),
        put("components", "messages", "decision", "payloads", ""),
        put("info", "version", {}),
        remove("info", "title"),
        remove("servers", "outcomes", "protocol"),
        remove("operations", "publishOutcome", "channel"),
        remove("components", "messages", "ping", "examples", 0, "payload"),
    ]
    for number, change in enumerate(changes):
        broken = copy.deepcopy(DOCUMENT)
        change(broken)
        try:
            AsyncAPI3.model_validate(broken)
        except pydantic.ValidationError:
            continue
        raise AssertionError(f"change {number} was not noticed")
    return f"{len(changes)} mistakes noticed"


def test_every_reference_leads_somewhere_and_where_it_may() -> str:
    every = list(references(DOCUMENT))
    for reference in every:
        assert isinstance(at(reference), dict), reference
    for name, operation in DOCUMENT["operations"].items():
        for side in [operation, operation.get("reply")]:
            if side is None:
                continue
            channel = side["channel"]["$ref"]
            assert re.fullmatch("#/channels/[A-Za-z]+", channel), name
            for message in side["messages"]:
                # Of the operation's own channel, as the specification demands.
                assert message["$ref"].startswith(channel + "/messages/"), name
    for channel in DOCUMENT["channels"].values():
        named = set(re.findall(r"\{(.*?)\}", channel["address"] or ""))
        assert named == set(channel.get("parameters", {})), channel["title"]
    return f"{len(every)} references"


def test_every_schema_is_valid_and_used_and_every_example_follows_its_own() -> str:
    messages = DOCUMENT["components"]["messages"]
    used = {schema_name(message) for message in messages.values()}
    # Files of the operator's, which go over no socket.
    of_messages = set(SCHEMAS) - {"allowed-keys", "limits", "partition-map"}
    assert used == of_messages, used ^ of_messages
    examples = 0
    for message in messages.values():
        name = schema_name(message)
        for example in message["examples"]:
            check(name, example["payload"])
            examples += 1
    for name, validator in SCHEMAS.items():
        schema = validator.schema
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema", name
        jsonschema.Draft202012Validator.check_schema(schema)
        for reference in references(schema):
            assert reference.startswith("#/") or reference.split("#")[0] in {
                f"{other}.schema.json" for other in SCHEMAS
            }, (name, reference)
        for example in schema.get("examples", []):
            check(name, example)
            examples += 1
    # Each message is sent or received by some operation.
    operations = DOCUMENT["operations"].values()
    sides = [side for one in operations for side in (one, one.get("reply")) if side]
    moved = {schema_name(message) for side in sides for message in side["messages"]}
    assert moved == used, moved ^ used
    return f"{len(SCHEMAS)} schemas, {examples} examples"


def test_the_worker_answers_each_request_of_the_document_as_it_says() -> str:
    asked = 0
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        for name, operation in DOCUMENT["operations"].items():
            if "reply" not in operation:
                continue
            expected = [schema_name(message) for message in operation["reply"]["messages"]]
            for message in operation["messages"]:
                for example in resolve(message)["examples"]:
                    answer = publisher.ask(example["payload"])
                    # The first is the one that the request is for.
                    assert answer["type"] == expected[0], (name, answer)
                    asked += 1
            if expected[0] != "ack":
                assert "ack" in expected, f"{name} can be refused"
                bad = {**resolve(operation["messages"][0])["examples"][0]["payload"], "x": 1}
                answer = publisher.ask_bytes(json.dumps(bad).encode())
                assert (answer["type"], answer["code"]) == ("ack", "bad_field"), answer
    return f"{asked} examples asked"


def test_topics_sockets_and_limits_are_the_workers() -> None:
    with Simulator() as simulator, Worker(
        simulator, "--pull-intake", "tcp://127.0.0.1:*"
    ) as worker:
        with Subscriber(worker) as subscriber, Publisher(worker) as publisher:
            publisher.accepted("d-1", **COIN)
            addresses = {
                name: re.sub(r"\\\{[a-z_]+\\\}", "[^|]+", re.escape(channel["address"]))
                for name, channel in DOCUMENT["channels"].items()
                if channel["address"]
            }
            seen = set()
            for topic, message in subscriber.messages():
                name = message["type"] + "s"
                assert re.fullmatch(addresses[name], topic), (topic, addresses[name])
                if name == "outcomes":
                    statuses = DOCUMENT["channels"]["outcomes"]["parameters"]["status"]["enum"]
                    assert topic.split("|")[3] in statuses
                seen.add(name)
                if seen == set(addresses):
                    break
        for name, server in DOCUMENT["servers"].items():
            zeromq = server["x-zeromq"]
            assert zeromq["attach"] == "bind"
            endpoint = {
                "intake": worker.intake,
                "pullIntake": worker.program.ready["pull_intake"],
                "outcomes": worker.outcomes,
            }[name]
            for kind in ["DEALER", "REQ", "PUSH", "SUB"]:
                fits = kind in zeromq["peers"]
                assert can_meet(worker, endpoint, kind) == fits, (name, kind)
        intake = DOCUMENT["servers"]["intake"]["x-zeromq"]
        with Publisher(worker) as publisher:
            largest = b" " * intake["bodyBytesMax"]
            assert publisher.ask_bytes(largest)["code"] == "bad_json"
            assert publisher.ask_bytes(largest + b" ")["code"] == "too_large"
            for count, code in [
                (intake["framesMax"], "bad_json"),
                (intake["framesMax"] + 1, "too_large"),
            ]:
                publisher.envelope = [b"e"] * (count - 1)
                assert publisher.ask_bytes(b"")["code"] == code


def can_meet(worker: Worker, endpoint: str, kind: str) -> bool:
    """Whether a socket of this kind gets through the handshake: unfit ones are refused there."""
    socket = worker.context.socket(getattr(zmq, kind))
    socket.linger = 0
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
    try:
        socket.connect(endpoint)
        assert monitor.poll(10_000), f"{kind} at {endpoint}: no handshake"
        event = int.from_bytes(monitor.recv_multipart()[0][:2], "little")
        return event == zmq.EVENT_HANDSHAKE_SUCCEEDED
    finally:
        socket.disable_monitor()
        socket.close(0)


if __name__ == "__main__":
    main(globals())
