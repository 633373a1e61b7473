"""The worker as a service of systemd: what it tells, and what its unit promises."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

from harness import (
    PATIENCE,
    REPOSITORY,
    NotPossible,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    eventually,
    main,
    run_and_fail,
)
from test_runbook import problem

UNITS = REPOSITORY / "deploy/systemd"
WORKER_UNIT = UNITS / "trade-executor@.service"


class ServiceManager:
    """The end of the notification socket that systemd holds."""

    def __init__(self, *, is_abstract: bool = False) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = f"{self.directory.name}/notify"
        self.name = f"@{path}" if is_abstract else path
        self.socket.bind(f"\0{path}" if is_abstract else path)
        self.environment = {"NOTIFY_SOCKET": self.name, "WATCHDOG_USEC": "10000000"}

    def __enter__(self) -> ServiceManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.directory.cleanup()

    def hear(self, patience: float = PATIENCE) -> list[str] | None:
        """The lines of the next datagram; none where nothing comes in so many seconds."""
        self.socket.settimeout(patience)
        try:
            return self.socket.recv(4096).decode().split("\n")
        except TimeoutError:
            return None

    def hear_until(self, wanted: str) -> list[list[str]]:
        """Everything up to the first datagram with a line that has this in it."""
        end = time.monotonic() + PATIENCE
        heard: list[list[str]] = []
        while not any(wanted in line for line in heard[-1:] and heard[-1]):
            assert time.monotonic() < end, f"never told {wanted!r}: {heard[-5:]}"
            lines = self.hear()
            assert lines, f"told nothing any more, and never {wanted!r}"
            heard.append(lines)
        return heard


def test_it_tells_that_it_is_ready_alive_and_stopping() -> None:
    for is_abstract in [False, True]:
        with Simulator() as simulator, ServiceManager(is_abstract=is_abstract) as manager:
            with Worker(simulator, environment=manager.environment) as worker:
                assert manager.hear() == ["READY=1"]
                lines = manager.hear()
                assert lines == ["WATCHDOG=1", "STATUS=0 waiting, 0 open orders, 0 unknown"], lines
                # What has not changed is not told again.
                assert manager.hear() == ["WATCHDOG=1"]
                assert worker.terminate() == 0
                assert ["STOPPING=1"] in manager.hear_until("STOPPING")


def test_the_watchdog_is_fed_every_second_whether_trades_come_or_not() -> str:
    with Simulator() as simulator, ServiceManager() as manager:
        with Worker(simulator, environment=manager.environment) as worker:
            moments: list[float] = []
            with Publisher(worker) as publisher:
                for number in range(12):
                    if number > 5:
                        publisher.accepted(f"d-{number}")
                    manager.hear_until("WATCHDOG=1")
                    moments.append(time.monotonic())
    gaps = [later - sooner for sooner, later in zip(moments, moments[1:])]
    # Much less than the thirty seconds of the unit, also on a busy machine.
    assert max(gaps) < 8, gaps
    return f"at most {max(gaps):.2f} s between two"


def test_a_main_loop_that_is_stuck_does_not_feed_the_watchdog() -> None:
    with Simulator() as simulator, ServiceManager() as manager:
        with Worker(simulator, environment=manager.environment) as worker:
            manager.hear_until("WATCHDOG=1")
            # Whoever opens a pipe to read waits for somebody to write. The worker looks at halts at every heartbeat.
            os.mkfifo(worker.halt_file("all"))
            eventually("the silence of a stuck loop", lambda: manager.hear(4) is None)
            # Its other threads are well: strangers can still connect.
            host, port = worker.intake.removeprefix("tcp://").split(":")
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as stranger:
                stranger.settimeout(PATIENCE)
                assert stranger.recv(1)
            # Somebody writes, and it goes on.
            with worker.halt_file("all").open("w"):
                worker.halt_file("all").unlink()
            manager.hear_until("WATCHDOG=1")
            assert worker.program.process.poll() is None


def test_its_status_says_what_waits_what_is_unknown_and_what_is_halted() -> None:
    with Simulator() as simulator, ServiceManager() as manager:
        with Worker(simulator, environment=manager.environment) as worker:
            with Publisher(worker) as publisher:
                publisher.accepted("resting", order_type="limit", limit_price="1.00")
                manager.hear_until("STATUS=0 waiting, 1 open orders, 0 unknown")
                simulator.fault("close_before_recording")
                simulator.fault("html_504", method="GET", times=1000)
                publisher.accepted("lost")
                manager.hear_until("1 unknown")
                halt = worker.halt_file("strategy-mean-rev")
                halt.write_text('{"hold":true,"reason":"first\\nREADY=1"}')
                manager.hear_until("; halted: mean-rev")
                halt.unlink()
                worker.halt_file("all").touch()
                manager.hear_until("; halted: all")


def test_a_watchdog_of_another_process_is_not_fed() -> None:
    with Simulator() as simulator, ServiceManager() as manager:
        environment = {**manager.environment, "WATCHDOG_PID": "1"}
        with Worker(simulator, environment=environment):
            assert manager.hear() == ["READY=1"]
            assert manager.hear() == ["STATUS=0 waiting, 0 open orders, 0 unknown"]
            assert manager.hear(3) is None


def test_it_trades_on_when_the_service_manager_is_gone_or_reads_nothing() -> None:
    with Simulator() as simulator, ServiceManager() as manager:
        with Worker(simulator, environment=manager.environment) as worker:
            # It fills up at eleven datagrams or so, where nobody reads.
            time.sleep(8)
            with Publisher(worker) as publisher:
                publisher.accepted("d-1")
                assert worker.final_outcome("s", "d-1")["result"] == "success"
                manager.socket.close()
                pathlib.Path(manager.name).unlink()
                eventually("a warning", lambda: "service manager" in worker.state.log.read_text())
                publisher.accepted("d-2")
                assert worker.final_outcome("s", "d-2")["result"] == "success"
                time.sleep(1.5)
            # Said once, not at every turn.
            assert worker.state.log.read_text().count("telling the service manager") == 1


def test_a_notification_socket_that_is_none_is_named() -> None:
    with State() as state:
        for name in ["vsock:2:1234", "notify", "/" + "n" * 200, "@"]:
            line = run_and_fail(
                *("--broker-url", "http://127.0.0.1:9", "--state-dir", str(state.path)),
                *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
                environment={"NOTIFY_SOCKET": name},
            )
            assert f"NOTIFY_SOCKET is {name}" in line, line


# --- The units


def unit_lines(unit: pathlib.Path) -> list[tuple[str, str]]:
    lines = [line for line in unit.read_text().splitlines() if re.match(r"[A-Z]\w+=", line)]
    return [(line.split("=", 1)[0], line.split("=", 1)[1]) for line in lines]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("systemd-analyze"):
        raise NotPossible("there is no systemd-analyze")
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=PATIENCE
    )


def test_systemd_finds_nothing_wrong_with_the_units() -> None:
    system = pathlib.Path("/lib/systemd/system")
    if not system.is_dir():
        raise NotPossible("there are no units of systemd here")
    with tempfile.TemporaryDirectory() as root:
        own = pathlib.Path(root, "etc/systemd/system")
        shutil.copytree(UNITS, own)
        shutil.copytree(system, pathlib.Path(root) / "lib/systemd/system", symlinks=True)
        programs = pathlib.Path(root, "usr/bin")
        programs.mkdir(parents=True)
        names = ["trade-executor@p0.service", "trade-executor.target", "trade-monitor.service"]
        names += ["trade-executor-backup@p0.service", "trade-executor-backup@p0.timer"]
        for name in ["trade-executor", "trade-monitor"]:
            shutil.copy("/bin/true", programs / name)
        shell = pathlib.Path(root, "bin/sh")
        shell.parent.mkdir()
        shutil.copy("/bin/true", shell)
        verified = analyze("verify", f"--root={root}", "--man=no", "--recursive-errors=no", *names)
        assert (verified.returncode, verified.stderr) == (0, ""), verified


def test_the_units_start_the_programs_as_these_want_it() -> str:
    commands = [
        value.split()
        for unit in UNITS.glob("*.service")
        for name, value in unit_lines(unit)
        if name == "ExecStart"
    ]
    # What a shell starts is what it is told after `exec`.
    commands = [
        shlex.split(shlex.split(" ".join(words))[2])[1:] if words[0] == "/bin/sh" else words
        for words in commands
    ]
    assert len(commands) == 3, commands
    checked = []
    for program, *words in commands:
        name = pathlib.Path(program).name
        if not (binaries() / name).exists():
            continue
        unknown = problem(name, words)
        assert unknown is None, f"there is no {unknown}"
        checked.append(name)
    assert "trade-executor" in checked
    return ", ".join(checked)


def test_the_backup_unit_copies_and_keeps_the_last_fourteen_of_its_own() -> None:
    unit = dict(unit_lines(UNITS / "trade-executor-backup@.service"))
    with State() as state, State() as backups:
        settings = backups.path / "p0.conf"
        settings.write_text(f"partition = p0\nstate_dir = {state.path}\n")
        others = [backups.path / "p0-by-hand.db", backups.path / "p1-2020-01-01T050000Z.db"]
        own = [backups.path / f"p0-2020-01-{day:02}T050000Z.db" for day in range(1, 16)]
        for file in [*others, *own]:
            file.touch()
        with Simulator() as simulator, Worker(simulator, state=state):
            for name in ["ExecStart", "ExecStartPost"]:
                command = unit[name].replace("%i", "p0").replace("%%", "%").replace("$$", "$")
                for place, here in [
                    ("/etc/trade-executor", str(backups.path)),
                    ("/var/backups/trade-executor", str(backups.path)),
                    ("/usr/bin/trade-executor", str(binaries() / "trade-executor")),
                ]:
                    command = command.replace(place, here)
                subprocess.run(shlex.split(command), check=True, timeout=PATIENCE)
        left = sorted(backups.path.glob("p0-2*.db"))
        assert len(left) == 14 and left[:13] == own[2:], left
        assert left[13].stat().st_size > 0
        assert all(file.exists() for file in others)


def test_the_units_are_closed_enough_for_systemd() -> str:
    levels = []
    for unit in sorted(UNITS.glob("*.service")):
        # Exit code 1 above the threshold, in tenths: 2.0 is the upper end of OK.
        done = analyze("security", "--offline=true", "--threshold=20", str(unit))
        assert done.returncode == 0, done.stdout
        verdict = re.search(r"exposure level for \S+: (\S+) (\w+)", done.stdout)
        assert verdict and verdict[2] in ["OK", "SAFE"], done.stdout
        levels.append(f"{unit.stem} {verdict[1]}")
    return ", ".join(levels)


def test_what_does_not_get_better_by_itself_is_not_started_again() -> None:
    lines = dict(unit_lines(WORKER_UNIT))
    assert lines["Restart"] == "on-failure"
    assert lines["RestartPreventExitStatus"].split() == ["64", "74"]
    run_and_fail("--no-such-flag", code=64)
    with State() as state:
        state.database.write_bytes(b"no database" * 1000)
        run_and_fail(
            *("--broker-url", "http://127.0.0.1:9", "--state-dir", str(state.path)),
            *("--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"),
            code=74,
        )


def allowed_calls() -> set[str]:
    """The system calls that the filters of the worker's unit leave."""
    allowed: set[str] = set()
    for name, value in unit_lines(WORKER_UNIT):
        if name != "SystemCallFilter":
            continue
        calls = set().union(*(calls_of(word) for word in value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def calls_of(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    listed = analyze("syscall-filter", "--no-pager", word)
    assert listed.returncode == 0, listed.stderr
    words = [line.strip() for line in listed.stdout.splitlines()[1:]]
    names = [word for word in words if word and not word.startswith("#")]
    return set().union(*(calls_of(name) for name in names))


def test_it_needs_no_system_call_that_its_unit_forbids() -> str:
    if not shutil.which("strace"):
        raise NotPossible("there is no strace")
    allowed = allowed_calls()
    with Simulator() as simulator, State() as state, ServiceManager() as manager:
        trace = state.path / "trace"
        # As a user of its own, as in the unit: SQLite does more as root.
        wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        wrapper = wrapper if os.geteuid() == 0 else []
        wrapper += ["strace", "-f", "-qq", "-e", "signal=none", "-o", str(trace)]
        for path in [state.path, pathlib.Path(manager.name)]:
            os.chown(path, *(65534, 65534) if os.geteuid() == 0 else (-1, -1))
        pathlib.Path(manager.directory.name).chmod(0o755)
        flags = ["--pull-intake", f"ipc://{state.path}/pull"]
        with Worker(
            simulator, *flags, state=state, wrapper=wrapper, environment=manager.environment
        ) as worker:
            with Publisher(worker) as publisher:
                publisher.accepted("d-1")
                publisher.accepted("d-2", symbol="NOSUCH")
                for name in ["d-1", "d-2"]:
                    worker.final_outcome("s", name)
            worker.halt_file("all").touch()
            manager.hear_until("halted")
            os.kill(int((state.path / "worker.pid").read_text()), 15)
            assert worker.program.wait() == 0
        lines = trace.read_text().splitlines()
        calls = {found[1] for line in lines if (found := re.match(r"\d+ +(\w+)\(", line))}
        families = {found[1] for line in lines if (found := re.search(r" socket\((AF_\w+)", line))}
    assert "execve" in calls and "sendto" in calls and len(calls) > 30, calls
    assert calls <= allowed, f"the unit forbids {sorted(calls - allowed)}"
    families_allowed = set(dict(unit_lines(WORKER_UNIT))["RestrictAddressFamilies"].split())
    assert families <= families_allowed, families
    return f"{len(calls)} calls, of {len(allowed)} that are allowed; {', '.join(sorted(families))}"


if __name__ == "__main__":
    main(globals())
