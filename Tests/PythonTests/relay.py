"""A bad network between clients and a worker."""

from __future__ import annotations

import json
import tempfile
import threading
from typing import Any

import zmq
from harness import Worker


class Relay:
    """Stands before a worker's two sockets.

    On the intake it can swallow answers, and makes the pages of a replay small. Of the outcomes it
    loses every third and tells every fourth twice; heartbeats pass.
    """

    def __init__(self, worker: Worker, *, lose_answers: int = 0):
        self.worker = worker
        self.lose_answers = lose_answers
        self.requests: list[bytes] = []
        self.lost = self.doubled = 0
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.intake = f"ipc://{self.directory.name}/intake"
        self.outcomes = f"ipc://{self.directory.name}/outcomes"
        self.context: zmq.Context[Any] = zmq.Context()
        self.ending = threading.Event()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __enter__(self) -> Relay:
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join()
        self.context.destroy(linger=0)
        self.directory.cleanup()

    def _run(self) -> None:
        front, topic = self.context.socket(zmq.ROUTER), self.context.socket(zmq.PUB)
        front.bind(self.intake)
        topic.bind(self.outcomes)
        back, live = self.context.socket(zmq.DEALER), self.context.socket(zmq.SUB)
        live.subscribe("")
        live.rcvhwm = 0
        back.connect(self.worker.intake)
        live.connect(self.worker.outcomes)
        poller = zmq.Poller()
        for socket in [front, back, live]:
            poller.register(socket, zmq.POLLIN)
        self.ready.set()
        count = 0
        while not self.ending.is_set():
            for socket, _ in poller.poll(20):
                frames = socket.recv_multipart()
                if socket is front:
                    self.requests.append(frames[-1])
                    back.send_multipart([*frames[:-1], with_small_pages(frames[-1])])
                elif socket is back:
                    if self.lose_answers:
                        self.lose_answers -= 1
                    else:
                        front.send_multipart(frames)
                elif json.loads(frames[1])["type"] == "heartbeat":
                    topic.send_multipart(frames)
                else:
                    count += 1
                    if count % 3 == 0:
                        self.lost += 1
                        continue
                    topic.send_multipart(frames)
                    if count % 4 == 0:
                        self.doubled += 1
                        topic.send_multipart(frames)


def with_small_pages(body: bytes) -> bytes:
    request = json.loads(body)
    if request.get("type") != "replay":
        return body
    return json.dumps({**request, "limit": 7}).encode()
