"""The golden frames of deploy/contract/frames, sent to the real worker one by one."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import Any

import jsonschema
import zmq

from harness import (
    PATIENCE,
    REPOSITORY,
    SCHEMAS,
    Json,
    Simulator,
    Worker,
    eventually,
    main,
    read_answer,
)

FOLDER = REPOSITORY / "deploy/contract/frames"
INDEX: Json = json.loads((FOLDER / "frames.json").read_text(encoding="utf-8"))
ENTRIES: list[Json] = INDEX["frames"]


class Run:
    """The frames as they are in one run, with its own `{unique}`."""

    def __init__(self) -> None:
        letters = string.ascii_lowercase + string.digits
        self.unique = "".join(random.SystemRandom().choices(letters, k=int(INDEX["unique_length"])))

    def frame(self, frame: Json) -> bytes:
        written = base64.b64decode(frame["base64"]) if "base64" in frame else frame["text"].encode()
        content: bytes = written.replace(b"{unique}", self.unique.encode())
        if "bytes" in frame:
            length = frame["bytes"] - len(content) + len(b"{fill}")
            content = content.replace(b"{fill}", b"x" * length)
            assert len(content) == frame["bytes"]
        return content

    def wanted(self, value: Any) -> Any:
        return json.loads(json.dumps(value).replace("{unique}", self.unique))


def ordinary_json(body: bytes) -> Any:
    """What most languages would read: later keys win, but NaN is none."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(body.decode(), parse_constant=refuse)


def test_the_index_follows_its_schema_and_leaves_nothing_out() -> str:
    schema = json.loads((FOLDER / "frames.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(INDEX)
    names = [entry["name"] for entry in ENTRIES]
    assert len(set(names)) == len(names)
    steps = [step for entry in ENTRIES for step in entry["steps"]]
    decision = SCHEMAS["decision"].schema
    taken: set[str] = set()
    for step in steps:
        if step["reply"].get("status") == "accepted":
            taken |= set(ordinary_json(Run().frame(step["body"])))
    missing = set(decision["properties"]) - taken
    assert not missing, f"no good frame has {missing}"
    blamed = {step["reply"].get("field") for step in steps}
    missing = set(decision["properties"]) - blamed
    assert not missing, f"no bad frame is refused for {missing}"
    codes = {step["reply"]["code"] for step in steps if "code" in step["reply"]}
    every = {
        *("bad_json", "bad_field", "unsupported_version"),
        *("too_large", "id_conflict", "out_of_order"),
    }
    assert codes == every, codes
    assert {step["reply"]["type"] for step in steps} == {
        *("ack", "pong", "status", "replay", "reconcile"),
    }
    return f"{len(ENTRIES)} entries, {len(steps)} messages"


def test_schemas_judge_the_frames_as_the_index_says() -> str:
    cannot_tell = 0
    run = Run()
    for entry in ENTRIES:
        for step in entry["steps"]:
            refused = step["reply"].get("status") == "refused"
            if "follows_schema" not in step:
                assert step["reply"].get("code") == "bad_json", entry["name"]
                continue
            message = ordinary_json(run.frame(step["body"]))
            follows = SCHEMAS[step.get("schema", "decision")].is_valid(message)
            assert follows == step["follows_schema"], f"{entry['name']}: {follows}"
            assert follows or refused, entry["name"]
            cannot_tell += follows and refused
    return f"a schema cannot tell of {cannot_tell}"


def test_every_frame_is_answered_as_the_index_says() -> str:
    with Simulator() as simulator, Worker(simulator) as worker:
        # Twice, since a frame that is good must stay so on a database that has seen it.
        for run in [Run(), Run()]:
            wrong = [problem for entry in ENTRIES for problem in problems(run, entry, worker)]
            assert not wrong, "\n".join(wrong)
            eventually("an empty queue", lambda: not is_busy(worker))
            wrong = [p for entry in ENTRIES for p in broker_problems(run, entry, simulator)]
            assert not wrong, "\n".join(wrong)
        posts = simulator.posts()
        assert not any(post["duplicate"] for post in posts)
        return f"{len(posts)} orders"


def is_busy(worker: Worker) -> bool:
    status = worker.status()
    return bool(status["pending"] or status["sending"])


def problems(run: Run, entry: Json, worker: Worker) -> list[str]:
    found: list[str] = []
    socket = worker.context.socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(worker.intake)
    first: Json | None = None
    for number, step in enumerate(entry["steps"], start=1):
        place = f"{entry['name']}, step {number}"
        envelope = [run.frame(frame) for frame in step.get("envelope", [])]
        socket.send_multipart([*envelope, run.frame(step["body"])])
        assert socket.poll(int(PATIENCE * 1000)), f"{place}: {worker.condition()}"
        *back, body = socket.recv_multipart()
        if back != envelope:
            found.append(f"{place}: the envelope came back as {back}")
        answer = read_answer(body)
        first = first or answer
        for member, value in run.wanted(step["reply"]).items():
            if member not in answer or answer[member] != value:
                found.append(f"{place}: {member} is not {value!r} in {body!r}")
        if step.get("message_contains", "") not in answer.get("message", ""):
            found.append(f"{place}: no {step['message_contains']!r} in {body!r}")
        for member in step.get("same_as_first", []):
            if answer[member] != first[member]:
                found.append(f"{place}: {member} is not {first[member]!r} in {body!r}")
    socket.close(0)
    return found


def broker_problems(run: Run, entry: Json, simulator: Simulator) -> list[str]:
    found: list[str] = []
    for step in entry["steps"]:
        reply = run.wanted(step["reply"])
        if reply.get("decision_id") is None or reply.get("strategy_name") is None:
            continue
        order_id = f"{reply['strategy_name']}:{reply['decision_id']}"
        posts = simulator.posts(order_id)
        if not entry.get("places_order", False) and posts:
            found.append(f"{entry['name']}: an order was sent: {posts}")
        if "broker" in entry:
            bodies = [json.loads(post["body"]) for post in posts]
            wanted = {**run.wanted(entry["broker"]), "client_order_id": order_id}
            if bodies != [wanted]:
                found.append(f"{entry['name']}: the broker was asked for {bodies}, not {wanted}")
    return found


if __name__ == "__main__":
    main(globals())
