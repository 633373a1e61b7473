"""A bad network between clients and a worker, with or without CURVE."""

from __future__ import annotations

import json
import pathlib
import tempfile
import threading
from typing import Any

import zmq
import zmq.auth
from harness import Worker, eventually
from zmq.auth.thread import ThreadAuthenticator


class Relay:
    """Stands before a worker's two sockets.

    On the intake it can swallow answers. Of the outcomes it loses every third and tells every
    fourth twice; heartbeats pass. With a directory of public keys it speaks CURVE, and lets in
    whoever has one of them.
    """

    def __init__(
        self, worker: Worker, *, lose_answers: int = 0, allowed: pathlib.Path | None = None
    ):
        self.worker = worker
        self.lose_answers = lose_answers
        self.requests: list[bytes] = []
        self.lost = self.doubled = 0
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        path = pathlib.Path(self.directory.name)
        self.intake, self.outcomes = f"ipc://{path}/intake", f"ipc://{path}/outcomes"
        self.context: zmq.Context[Any] = zmq.Context()
        self.allowed = allowed
        if allowed:
            self.public_key_file, self.secret_key_file = zmq.auth.create_certificates(
                path, "worker"
            )
            self.authenticator = ThreadAuthenticator(self.context)
            self.authenticator.start()
            self.authenticator.configure_curve(domain="*", location=allowed)
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
        if self.allowed:
            self.authenticator.stop()
        self.context.destroy(linger=0)
        self.directory.cleanup()

    def _bound(self, kind: int, endpoint: str) -> zmq.Socket[Any]:
        socket = self.context.socket(kind)
        if self.allowed:
            socket.curve_publickey, secret = zmq.auth.load_certificate(self.secret_key_file)
            assert secret
            socket.curve_secretkey = secret
            socket.curve_server = True
        socket.bind(endpoint)
        return socket

    def _run(self) -> None:
        front = self._bound(zmq.ROUTER, self.intake)
        topic = self._bound(zmq.PUB, self.outcomes)
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
                    back.send_multipart(frames)
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


class Certificates:
    """Key files as pyzmq and czmq write them: some clients' of which one is known, one is not."""

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.path = pathlib.Path(self.directory.name)
        self.allowed = self.path / "allowed"
        self.allowed.mkdir()

    def __enter__(self) -> Certificates:
        return self

    def __exit__(self, *_: object) -> None:
        self.directory.cleanup()

    def client(self, name: str, *, known: bool) -> str:
        """The secret key file of a new client."""
        public, secret = zmq.auth.create_certificates(self.path, name)
        pathlib.Path(secret).chmod(0o600)
        if known:
            pathlib.Path(public).rename(self.allowed / f"{name}.key")
        return str(secret)


def wait_for_requests(relay: Relay, count: int) -> None:
    eventually(f"{count} requests", lambda: len(relay.requests) >= count)
