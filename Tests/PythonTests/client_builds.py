"""Builds the clients and what their languages need, under .build/clients, from copies.

Each function returns what is built, and does so once. NotPossible says what this machine lacks.
"""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import subprocess

from client_checks import Client
from harness import REPOSITORY, NotPossible

SOURCES = REPOSITORY / "deploy/clients"
STAND_INS = REPOSITORY / "Tests/ClientStandIns"
BUILDS = REPOSITORY / ".build/clients"

# Debian's packages.
CRATES = pathlib.Path("/usr/share/cargo/registry")
JARS = pathlib.Path("/usr/share/java")


def need(*programs: str, files: tuple[pathlib.Path, ...] = ()) -> None:
    for program in programs:
        if not shutil.which(program):
            raise NotPossible(f"there is no {program}")
    for file in files:
        if not file.exists():
            raise NotPossible(f"there is no {file}")


def copied(name: str, source: pathlib.Path | None = None) -> pathlib.Path:
    """A copy to build in, over what an earlier run has built there."""
    directory = BUILDS / name
    shutil.copytree(source or SOURCES / name, directory, dirs_exist_ok=True)
    return directory


def run(*command: str, directory: pathlib.Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


def samples(directory: pathlib.Path) -> Client:
    return Client(publish=[str(directory / "publish")], subscribe=[str(directory / "subscribe")])


def cpp_headers() -> None:
    need("g++")
    for header in ["zmq.hpp", "nlohmann/json.hpp"]:
        need(files=(pathlib.Path("/usr/include") / header,))


@functools.cache
def cpp() -> Client:
    cpp_headers()
    directory = copied("cpp")
    for name in ["publish", "subscribe"]:
        run(
            *("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", f"examples/{name}.cpp"),
            *("-lzmq", "-o", name),
            directory=directory,
        )
    return samples(directory)


def use_debian_crates(directory: pathlib.Path) -> dict[str, str]:
    """Has cargo take crates from Debian's packages; returns what it needs in its environment."""
    need("cargo")
    for crate in ["zmq", "serde_json"]:
        if not list(CRATES.glob(f"{crate}-*")):
            raise NotPossible(f"there is no crate {crate} in {CRATES}")
    (directory / ".cargo").mkdir(exist_ok=True)
    (directory / ".cargo/config.toml").write_text(
        f'[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{CRATES}"\n'
    )
    return {"CARGO_NET_OFFLINE": "true", "CARGO_TARGET_DIR": str(BUILDS / "rust/target")}


@functools.cache
def rust() -> Client:
    directory = copied("rust")
    environment = {**use_debian_crates(directory), "RUSTFLAGS": "-D warnings"}
    run("cargo", "build", "--quiet", "--examples", directory=directory, environment=environment)
    return samples(directory / "target/debug/examples")


@functools.cache
def swift() -> Client:
    need("swift")
    directory = copied("swift")
    run("swift", "build", "-Xswiftc", "-warnings-as-errors", directory=directory)
    return samples(directory / ".build/debug")


def use_go_stand_in(directory: pathlib.Path, module: str) -> dict[str, str]:
    """Writes a go.mod in which the binding is the stand-in; returns what go needs to know."""
    need("go", "gcc")
    stand_in = copied("go-zmq4", STAND_INS / "go/zmq4")
    (directory / "go.mod").write_text(
        f"module {module}\n\ngo 1.19\n\nrequire github.com/pebbe/zmq4 v1.2.11\n\n"
        f"replace github.com/pebbe/zmq4 => {stand_in}\n"
    )
    return {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}


@functools.cache
def go() -> Client:
    directory = copied("go")
    environment = use_go_stand_in(directory, "trade-executor.example/client")
    for arguments in [["vet", "./..."], ["build", "-o", ".", "./examples/..."]]:
        run("go", *arguments, directory=directory, environment=environment)
    return samples(directory)


@functools.cache
def java() -> Client:
    jars = [JARS / "gson.jar", JARS / "jna.jar"]
    need("java", "javac", files=tuple(jars))
    directory = BUILDS / "java"
    directory.mkdir(parents=True, exist_ok=True)
    sources = [*SOURCES.glob("java/**/*.java"), *STAND_INS.glob("java/**/*.java")]
    class_path = ":".join(map(str, [directory, *jars]))
    run(
        *("javac", "-Xlint:all,-serial", "-Werror", "-cp", class_path, "-d", "."),
        *map(str, sources),
        directory=directory,
    )
    # Starts sooner with these, and a test starts it often.
    command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", class_path]
    return Client(
        publish=[*command, "tradeexecutor.examples.Publish"],
        subscribe=[*command, "tradeexecutor.examples.Subscribe"],
    )


@functools.cache
def javascript_stand_in() -> pathlib.Path:
    """A directory that is to be called node_modules/zeromq."""
    headers = pathlib.Path("/usr/include/node")
    need("node", "g++", files=(headers / "node_api.h",))
    directory = copied("javascript-zeromq", STAND_INS / "javascript/zeromq")
    run(
        *("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"),
        *(f"-I{headers}", "-DNODE_GYP_MODULE_NAME=addon", "addon.cc", "-lzmq", "-o", "addon.node"),
        directory=directory,
    )
    return directory


def use_javascript_stand_in(directory: pathlib.Path) -> None:
    modules = directory / "node_modules"
    modules.mkdir(exist_ok=True)
    if not (modules / "zeromq").exists():
        (modules / "zeromq").symlink_to(javascript_stand_in())


@functools.cache
def javascript() -> Client:
    javascript_stand_in()
    directory = copied("javascript")
    use_javascript_stand_in(directory)
    return Client(
        publish=["node", str(directory / "examples/publish.js")],
        subscribe=["node", str(directory / "examples/subscribe.js")],
    )
