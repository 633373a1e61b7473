"""CURVE keys: who we are, and which worker we trust."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import Any

import zmq
import zmq.auth


@dataclass(frozen=True)
class CurveKeys:
    """Our key pair and the worker's public key, each as 40 characters of Z85."""

    public: bytes
    secret: bytes = field(repr=False)
    server: bytes

    @staticmethod
    def load(secret_file: str | os.PathLike[str], server_file: str | os.PathLike[str]) -> CurveKeys:
        """From certificate files, as `trade-executor keys generate`, czmq and pyzmq write them.

        `secret_file` is our `NAME.key_secret`, `server_file` the worker's public `NAME.key`.
        ValueError: a file holds no such key, or others than its owner can read the secret.
        OSError: a file cannot be read.
        """
        server, _ = zmq.auth.load_certificate(server_file)
        return CurveKeys.for_server(secret_file, server)

    @staticmethod
    def for_server(secret_file: str | os.PathLike[str], server: bytes) -> CurveKeys:
        """The same, with the worker's public key itself."""
        mode = stat.S_IMODE(os.stat(secret_file).st_mode)
        if mode & 0o077:
            raise ValueError(f"others can read the secret key: chmod 600 {os.fspath(secret_file)}")
        public, secret = zmq.auth.load_certificate(secret_file)
        if secret is None:
            raise ValueError(f"{os.fspath(secret_file)} holds no secret-key")
        return CurveKeys(public, secret, server)

    def apply(self, socket: zmq.Socket[Any]) -> None:
        """Makes a socket that is not connected yet talk to this worker only, and as us."""
        socket.curve_publickey = self.public
        socket.curve_secretkey = self.secret
        socket.curve_serverkey = self.server
