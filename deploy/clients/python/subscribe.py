"""Prints a strategy's outcomes, each once and in order.

python3 subscribe.py STRATEGY [AFTER [OUTCOMES INTAKE]]
"""

import json
import sys
from collections.abc import Iterator

import zmq


def outcomes(
    strategy: str,
    last: int = 0,
    topic: str = "tcp://127.0.0.1:5556",
    intake: str = "tcp://127.0.0.1:5555",
) -> Iterator[dict]:
    with zmq.Context.instance().socket(zmq.SUB) as live:
        live.subscribe(f"outcome|{strategy}|")
        live.subscribe("heartbeat|")
        live.connect(topic)
        stream = None
        while True:
            message = json.loads(live.recv_multipart()[1])
            if stream not in (None, message["stream"]):
                last = 0  # another database: its counters begin anew
            stream = message["stream"]
            is_outcome = message["type"] == "outcome"
            newest = (
                message["strategy_seq"] if is_outcome else message["strategies"].get(strategy, 0)
            )
            while newest > last:
                in_turn = is_outcome and newest == last + 1
                news = [message] if in_turn else replay(strategy, last, intake)
                if not news:
                    break  # no answer: the next heartbeat will say again what is missing
                for outcome in news:
                    last = outcome["strategy_seq"]
                    yield outcome


def replay(strategy: str, after: int, intake: str) -> list[dict]:
    request = {"v": 1, "type": "replay", "strategy_name": strategy, "after": after}
    with zmq.Context.instance().socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.connect(intake)
        socket.send_json(request)
        return socket.recv_json().get("outcomes", []) if socket.poll(2000) else []


if __name__ == "__main__":
    arguments = sys.argv[1:]
    for each in outcomes(arguments[0], int((arguments + ["0"])[1]), *arguments[2:]):
        print(json.dumps(each), flush=True)
