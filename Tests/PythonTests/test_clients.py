"""The clients in other languages than Python, and the short listings in every language.

What they need is brought in by deploy/test.sh; without it, a language is skipped.
"""

from __future__ import annotations

import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import client_builds
from client_checks import (
    Client,
    follows_without_gaps,
    goes_on_after_a_restoration,
    publishes_and_tells_what_is_refused,
    sends_the_same_bytes_to_a_frozen_worker_again,
    shows_its_keys,
)
from harness import (
    PATIENCE,
    REPOSITORY,
    NotPossible,
    Publisher,
    Simulator,
    Worker,
    die_with_parent,
    eventually,
    main,
    strict_json,
)
from relay import Relay

# --- The clients

CLIENTS: dict[str, Callable[[], Client]] = {
    # Soonest built, so that its tests are under way while the others are built.
    "javascript": client_builds.javascript,
    "cpp": client_builds.cpp,
    "go": client_builds.go,
    "java": client_builds.java,
    "rust": client_builds.rust,
    "swift": client_builds.swift,
}
CHECKS: list[Callable[[Client], str | None]] = [
    publishes_and_tells_what_is_refused,
    sends_the_same_bytes_to_a_frozen_worker_again,
    follows_without_gaps,
    goes_on_after_a_restoration,
    shows_its_keys,
]


@functools.cache
def builds() -> dict[str, Future[Client]]:
    """One after the other, while the tests wait for other things."""
    pool = ThreadPoolExecutor(max_workers=1)
    return {language: pool.submit(build) for language, build in CLIENTS.items()}


def client_test(language: str, check: Callable[[Client], str | None]) -> Callable[[], str | None]:
    return lambda: check(builds()[language].result())


for language in CLIENTS:
    for check in CHECKS:
        globals()[f"test_{language}_{check.__name__}"] = client_test(language, check)


# --- The listings


@dataclass(frozen=True)
class Listing:
    """How a listing is run, as its README says, in a directory with nothing but its file."""

    file: str
    command: str
    # Programs that the machine must have.
    programs: tuple[str, ...]
    # Asks whether the binding is there.
    probe: str = "true"
    # Puts into the directory what the README has its reader make or install there; returns what
    # the command needs in its environment.
    prepare: Callable[[pathlib.Path], dict[str, str]] = lambda _: {}


def prepare_go(directory: pathlib.Path) -> dict[str, str]:
    return client_builds.use_go_stand_in(directory, "publish")


def prepare_javascript(directory: pathlib.Path) -> dict[str, str]:
    client_builds.use_javascript_stand_in(directory)
    return {}


def prepare_rust(directory: pathlib.Path) -> dict[str, str]:
    (directory / "Cargo.toml").write_text(
        '[package]\nname = "listing"\nversion = "0.0.0"\nedition = "2021"\n'
        '[dependencies]\nzmq = "*"\n'
    )
    return client_builds.use_debian_crates(directory)


def prepare_swift(directory: pathlib.Path) -> dict[str, str]:
    client_builds.swift()
    package = client_builds.BUILDS / "swift"
    (directory / "Package.swift").write_text(
        "// swift-tools-version: 6.0\nimport PackageDescription\n"
        'let package = Package(name: "listing", dependencies: [.package(path: '
        f'"{package}")], targets: [.executableTarget(name: "listing", dependencies: '
        '[.product(name: "TradeExecutorClient", package: "swift")])])\n'
    )
    return {}


LISTINGS = {
    "c": Listing("publish.c", "cc publish.c -lzmq -o publish && ./publish", ("cc",)),
    "cpp": Listing(
        "publish.cpp",
        "g++ publish.cpp -lzmq -o publish && ./publish",
        ("g++",),
        "echo '#include <zmq.hpp>' | g++ -E -x c++ -",
    ),
    "go": Listing("publish.go", "go run .", ("go", "gcc"), prepare=prepare_go),
    "haskell": Listing(
        "publish.hs",
        "ghc -threaded publish.hs && ./publish",
        ("ghc",),
        "ghc-pkg list zeromq4-haskell | grep -q zeromq4",
    ),
    "java": Listing(
        "Publish.java",
        "java -cp /usr/share/java/zmq.jar"
        " -Djava.library.path=/usr/lib/$(uname -m)-linux-gnu/jni Publish.java",
        ("java",),
        "test -e /usr/share/java/zmq.jar",
    ),
    "javascript": Listing("publish.mjs", "node publish.mjs", ("node",), prepare=prepare_javascript),
    "octave": Listing(
        "send_decision.m",
        "octave-cli send_decision.m",
        ("octave-cli",),
        "octave-cli --eval 'pkg load zeromq'",
    ),
    "perl": Listing("publish.pl", "perl publish.pl", ("perl",), "perl -MZMQ::FFI -e 1"),
    "php": Listing("publish.php", "php publish.php", ("php",), "php -m | grep -q zmq"),
    "r": Listing("publish.r", "Rscript publish.r", ("Rscript",), "Rscript -e 'library(pbdZMQ)'"),
    "ruby": Listing("publish.rb", "ruby publish.rb", ("ruby",), "ruby -e 'require \"ffi-rzmq\"'"),
    "rust": Listing("src/main.rs", "cargo run", ("cargo",), prepare=prepare_rust),
    "swift": Listing("Sources/main.swift", "swift run", ("swift",), prepare=prepare_swift),
}
DEFAULT_INTAKE, DEFAULT_OUTCOMES = "tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"


def code_blocks(page: pathlib.Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def runs_as_it_stands(language: str, listing: Listing) -> str:
    """But for the address: the tests use no fixed ports."""
    page = REPOSITORY / "deploy/clients/README.md"
    assert f"`{listing.command}`" in page.read_text(), f"{page} has not: {listing.command}"
    [code] = code_blocks(page, language)
    client_builds.need(*listing.programs)
    if subprocess.run(["sh", "-c", listing.probe], capture_output=True).returncode != 0:
        raise NotPossible(f"there is no ZeroMQ for {language}")
    with (
        Simulator() as simulator,
        Worker(simulator) as worker,
        Relay(worker, lose_answers=1) as relay,
        tempfile.TemporaryDirectory(prefix="trade-executor-test-") as name,
    ):
        directory = pathlib.Path(name)
        environment = listing.prepare(directory)
        file = directory / listing.file
        file.parent.mkdir(exist_ok=True)
        if language == "swift":
            code = code.replace("Publisher()", f'Publisher(intake: "{DEFAULT_INTAKE}")')
        assert code.count(DEFAULT_INTAKE) == 1, code
        file.write_text(code.replace(DEFAULT_INTAKE, relay.intake))
        done = subprocess.run(
            ["sh", "-c", listing.command],
            cwd=directory,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if language == "swift":
            assert done.stdout == "1 true\n", done.stdout
        else:
            [ack] = [line for line in done.stdout.splitlines() if line.startswith("{")]
            assert strict_json(ack.encode())["duplicate"], ack
        assert len(relay.requests) > 1 and len(set(relay.requests)) == 1, relay.requests
        assert len(simulator.posts()) == 1
    return f"{len([line for line in code.splitlines() if line.strip()])} lines"


def listing_test(language: str, listing: Listing) -> Callable[[], str]:
    return lambda: runs_as_it_stands(language, listing)


for language, listing in LISTINGS.items():
    globals()[f"test_the_listing_in_{language}_runs_as_it_stands"] = listing_test(language, listing)


def test_the_listings_in_python_run_as_they_stand() -> None:
    publish, subscribe = code_blocks(REPOSITORY / "README.md", "python")
    assert DEFAULT_INTAKE in publish and DEFAULT_OUTCOMES in subscribe
    with (
        Simulator() as simulator,
        Worker(simulator) as worker,
        Relay(worker, lose_answers=1) as relay,
    ):
        subscriber = subprocess.Popen(
            [sys.executable, "-u", "-c", subscribe.replace(DEFAULT_OUTCOMES, worker.outcomes)],
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        assert subscriber.stdout
        # It has to have subscribed, which nothing shows but an outcome.
        with Publisher(worker) as publisher:
            for number in range(100):
                publisher.accepted(f"before-{number}", "mean-rev")
                worker.final_outcome("mean-rev", f"before-{number}")
                os.set_blocking(subscriber.stdout.fileno(), False)
                if subscriber.stdout.readline():
                    break
        os.set_blocking(subscriber.stdout.fileno(), True)
        done = subprocess.run(
            [sys.executable, "-c", publish.replace(DEFAULT_INTAKE, relay.intake)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "'status': 'accepted'" in done.stdout and "'duplicate': True" in done.stdout, done
        assert len(relay.requests) > 1 and len(set(relay.requests)) == 1, relay.requests
        lines: list[bytes] = []

        def told() -> bool:
            assert subscriber.stdout
            lines.append(subscriber.stdout.readline())
            return b"d-17 success" in lines[-1]

        eventually("the outcome of d-17", told)
        subscriber.kill()
        subscriber.communicate()


def test_every_listing_of_the_page_is_run() -> None:
    page = (REPOSITORY / "deploy/clients/README.md").read_text()
    assert set(re.findall(r"^```(\w+)$", page, re.MULTILINE)) == set(LISTINGS)


if __name__ == "__main__":
    main(globals())
