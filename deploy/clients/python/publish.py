"""Sends one decision and prints its acknowledgement: python3 publish.py DECISION [INTAKE]"""

import json
import sys

import zmq


def publish(decision: dict, intake: str = "tcp://127.0.0.1:5555") -> dict:
    body = json.dumps({"v": 1, **decision}).encode()
    while True:  # no answer within 2 s: the same bytes again, which never makes a second order
        with zmq.Context.instance().socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(intake)
            socket.send(body)
            if socket.poll(2000):
                return json.loads(socket.recv())


if __name__ == "__main__":
    print(json.dumps(publish(json.loads(sys.argv[1]), *sys.argv[2:])))
