"""What an operator sees: the live views on a real terminal and through pipes, and the log."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import sqlite3
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

from harness import (
    COIN,
    KEY_ID,
    PATIENCE,
    SECRET,
    Json,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    decision,
    eventually,
    free_endpoints,
    main,
    strict_json,
)

ESCAPE = "\x1b"


class Terminal:
    """A terminal of a size with a program on it: knows what stands where, as far as our programs move the cursor."""

    def __init__(
        self, *arguments: str, columns: int = 80, lines: int = 24, environment: Json | None = None
    ):
        self.columns, self.lines = columns, lines
        self.rows = [""]
        self.row = self.column = 0
        self.raw = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            # Whoever runs the tests in the background has it ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(
                binaries() / "trade-executor",
                ["trade-executor", *arguments],
                {"PATH": os.environ["PATH"], "TERM": "xterm", **(environment or {})},
            )
        self.resize(columns, lines)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)
        self.columns, self.lines = columns, lines

    def read(self, seconds: float = 0.05) -> None:
        while select.select([self.descriptor], [], [], seconds)[0]:
            try:
                text = os.read(self.descriptor, 1 << 16).decode()
            except OSError:
                return
            self.raw += text
            for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", text):
                self.obey(token)

    def obey(self, token: str) -> None:
        if token == "\r":
            self.column = 0
        elif token == "\n":
            self.row += 1
        elif token == f"{ESCAPE}[H":
            self.row = self.column = 0
        elif token == f"{ESCAPE}[J":
            del self.rows[self.row + 1 :]
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif token == f"{ESCAPE}[2J":
            self.rows = [""]
        elif token == f"{ESCAPE}[K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif token.startswith(ESCAPE):
            assert token.endswith("m"), f"moves the cursor by {token!r}"
        else:
            row = self.rows[self.row]
            after = row[self.column + len(token) :]
            self.rows[self.row] = row[: self.column].ljust(self.column) + token + after
            self.column += len(token)
        while self.row >= len(self.rows):
            self.rows.append("")

    def until(self, what: str, shows: Callable[[str], object], patience: float = PATIENCE) -> str:
        """Waits until the screen shows something, and returns all of it."""

        def look() -> bool:
            self.read()
            return bool(shows("\n".join(self.rows)))

        try:
            eventually(what, look, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.rows)) from error
        return "\n".join(self.rows)

    def interrupt(self) -> int:
        """Presses Ctrl-C; returns the signal that has ended the program."""
        os.write(self.descriptor, b"\x03")
        status = 0

        def ended() -> bool:
            nonlocal status
            self.read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid != 0

        eventually("the end after Ctrl-C", ended)
        self.read()
        return os.WTERMSIG(status)


@contextlib.contextmanager
def free_port_nobody_listens_on() -> Iterator[str]:
    """An address that refuses connections, as a broker that is down."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def command(*arguments: str, environment: Json | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(binaries() / "trade-executor"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], **(environment or {})},
    )


def endpoints(worker: Worker) -> list[str]:
    return ["--intake", worker.intake, "--outcomes", worker.outcomes]


@contextlib.contextmanager
def some_history() -> Iterator[tuple[Simulator, Worker, Publisher]]:
    """A worker with an order that is filled, one that is refused by the broker, one that is too late."""
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1", "coins", **COIN)
        publisher.accepted("d-2", "mean-rev", quantity="100000000")
        publisher.accepted("d-3", "mean-rev", expires_at="2020-01-01T00:00:00Z")
        for strategy, decision in [("coins", "d-1"), ("mean-rev", "d-2"), ("mean-rev", "d-3")]:
            worker.final_outcome(strategy, decision)
        yield simulator, worker, publisher


# --- submit


ORDER = ["--strategy", "s", "--symbol", "BTC/USD", "--side", "buy", "--quantity", "0.01"]
ORDER += ["--time-in-force", "gtc"]


def test_a_decision_without_an_answer_can_be_sent_again_and_stays_one() -> None:
    """The same flags again would say another decision."""
    with Simulator() as simulator, Worker(simulator) as worker:
        worker.program.process.send_signal(signal.SIGSTOP)
        flags = ["submit", *ORDER, *endpoints(worker)]
        with Terminal(*flags, columns=300) as terminal:
            screen = terminal.until("how to send it again", lambda text: "--id " in text)
            terminal.interrupt()
        [again] = re.findall(r"--id (\S+), never with another", screen)
        silent = command(*flags, "--timeout", "1")
        _, errors = silent.communicate(timeout=PATIENCE)
        assert silent.returncode == 1 and len(errors.splitlines()) == 1, errors
        [other] = re.findall(r"--id (\S+), never with another", errors)
        worker.program.process.send_signal(signal.SIGCONT)
        for name in [again, other]:
            sent = command(*flags, "--id", name, "--wait")
            output, errors = sent.communicate(timeout=PATIENCE)
            assert sent.returncode == 0, errors
        names = [row[0] for row in worker.state.rows("SELECT decision_id FROM trade_decisions")]
        assert sorted(names) == sorted([again, other])
        assert len(simulator.posts()) == 2


def test_a_decision_that_may_be_stored_is_not_called_refused() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        with contextlib.closing(sqlite3.connect(worker.state.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked = command("submit", *ORDER, "--id", "d-1", *endpoints(worker))
            output, errors = locked.communicate(timeout=PATIENCE)
            other.rollback()
        assert json.loads(output)["code"] == "storage_failed", output
        assert locked.returncode == 1 and "not known. Send the same again with --id d-1, never" in errors


def test_a_price_of_a_flag_is_never_left_out_of_a_decision_on_standard_input() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        sent = subprocess.run(
            [
                str(binaries() / "trade-executor"),
                "submit",
                "--limit-price",
                "1",
                *endpoints(worker),
            ],
            input=json.dumps(decision("d-1")),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert sent.returncode == 1 and json.loads(sent.stdout)["code"] == "bad_field", sent
        assert not simulator.posts()


# --- outcomes


def test_outcomes_on_a_terminal_fit_its_width_with_the_workers_pulse_under_them() -> None:
    with some_history() as (_, worker, publisher):
        for columns in [80, 140]:
            with Terminal(
                "outcomes", "--from", "1", *endpoints(worker), columns=columns
            ) as terminal:
                screen = terminal.until("all", lambda text: "d-3" in text and "0 unknown" in text)
                rows = screen.splitlines()
                assert max(map(len, rows)) <= columns, screen
                title = next(row for row in rows if "strategy" in row)
                assert ("status" in title) == (columns == 140), screen
                assert f"{ESCAPE}[32msuccess" in terminal.raw, terminal.raw
                assert f"{ESCAPE}[31mfailed" in terminal.raw, terminal.raw
                assert re.match(r"p0 \d\d:\d\d:\d\d UTC: 0 waiting, 0 open", rows[-1]), screen
                late = f"late-{columns}"
                publisher.accepted(late, expires_at="2020-01-01T00:00:00Z")
                screen = terminal.until("one more", lambda text: late in text)
                # The pulse stands once, and under everything.
                assert screen.count(" UTC: ") == 1, screen
                assert terminal.interrupt() == signal.SIGINT
                assert " UTC: " not in "\n".join(terminal.rows), terminal.rows


def test_outcomes_are_coloured_as_told() -> None:
    with some_history() as (_, worker, _):
        flags = ["outcomes", "--from", "1", *endpoints(worker)]
        cases: list[tuple[list[str], Json, bool]] = [
            ([], {"NO_COLOR": "1"}, False),
            ([], {"NO_COLOR": ""}, True),
            ([], {"TERM": "dumb"}, False),
            (["--color", "never"], {}, False),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
        ]
        for more, environment, is_coloured in cases:
            with Terminal(*flags, *more, environment=environment) as terminal:
                terminal.until("the last", lambda text: "d-3" in text)
                assert ("m" + "success" in terminal.raw) == is_coloured, (more, terminal.raw)
                if environment.get("TERM") == "dumb":
                    assert ESCAPE not in terminal.raw, terminal.raw


def test_outcomes_into_a_pipe_are_plain_lines_that_can_be_filtered() -> None:
    with some_history() as (_, worker, _):
        flags = ["outcomes", "--from", "1", *endpoints(worker)]

        def lines(count: int, *more: str) -> list[str]:
            process = command(*flags, *more)
            assert process.stdout
            got = [process.stdout.readline().rstrip("\n") for _ in range(count)]
            # Nobody reads any more: it ends by itself, and quietly.
            process.stdout.close()
            assert process.wait(PATIENCE) == 0, process.returncode
            assert process.stderr
            said = process.stderr.read()
            assert "outcomes after 0 have not come live" in said, said
            return got

        count = len(worker.state.stored_outcomes())
        plain = lines(count)
        assert not any(ESCAPE in line for line in plain), plain
        assert [json.loads(line)["seq"] for line in lines(count, "--json")] == list(
            range(1, count + 1)
        )
        assert "coins" in lines(1, "--result", "success")[0]
        failed = lines(2, "--result", "failed", "--result", "unknown")
        assert all("mean-rev" in line and " failed " in line for line in failed), failed
        assert all("BTC/USD" in line for line in lines(1, "--symbol", "BTC/USD"))
        assert "d-2" in lines(1, "--strategy", "mean-rev")[0]
        assert ESCAPE in lines(1, "--color", "always")[0]


def test_outcomes_tell_what_was_replayed_and_when_the_worker_is_silent() -> None:
    with some_history() as (_, worker, _):
        process = command("outcomes", "--from", "1", *endpoints(worker))
        assert process.stderr and process.stdout
        try:
            count = len(worker.state.stored_outcomes())
            assert "outcomes after 0 have not come live" in process.stderr.readline()
            assert process.stderr.readline() == f"caught up: {count} outcomes replayed\n"
            os.kill(worker.pid, signal.SIGSTOP)
            silent = process.stderr.readline()
            assert re.match(r"no heartbeat for [5-9] s: worker down, or tcp://", silent), silent
            os.kill(worker.pid, signal.SIGCONT)
            back = process.stderr.readline()
            assert re.match(r"heartbeats are back after \d+ s$", back), back
        finally:
            os.kill(worker.pid, signal.SIGCONT)
            process.kill()
            process.communicate()


# --- status --watch


def test_status_is_watched_in_place_while_the_worker_goes_and_comes_back() -> None:
    with Simulator() as simulator, State() as state:
        places = free_endpoints(2)
        flags = ["--intake", places[0], "--outcomes", places[1]]
        place = ["--intake", places[0], "--state-dir", str(state.path)]
        worker = Worker(simulator, *flags, state=state)
        with Publisher(worker) as publisher:
            publisher.accepted("d-1", "coins", **COIN)
        worker.final_outcome("coins", "d-1")
        with Terminal("status", "--watch", "0.3", *place, lines=20) as terminal:
            screen = terminal.until("rates", lambda text: "decisions/s" in text)
            assert "worker     running" in screen and "halts      none" in screen, screen
            row = next(row for row in screen.splitlines() if row.startswith("coins"))
            assert row.split()[1:5] == ["0", "0", "0", "2"] or row.split()[4].isdigit(), row
            state.path.joinpath("halt", "strategy-coins").touch()
            screen = terminal.until("a halt", lambda text: "HALTED" in text)
            worker.kill()
            screen = terminal.until("its end", lambda text: "worker     stopped" in text)
            # What the database says is still there, and nothing of before has stayed behind.
            assert "decisions  0 waiting" in screen and "coins" in screen, screen
            assert screen.count("worker     ") == 1 and "storage" not in screen, screen
            worker = Worker(simulator, *flags, state=state)
            terminal.until("its return", lambda text: "worker     running" in text)
            # A small screen shows the beginning, and does not scroll.
            terminal.resize(40, 6)
            terminal.raw = ""
            terminal.until("a small one", lambda _: terminal.raw.count(f"{ESCAPE}[H") > 2)
            frame = terminal.raw.split(f"{ESCAPE}[H")[-2]
            assert frame.count("\n") <= 5, frame
            assert (
                max(len(re.sub(r"\x1b\[[0-9]*[A-Za-z]|\r", "", row)) for row in frame.split("\n"))
                < 40
            )
            assert terminal.interrupt() == signal.SIGINT
        worker.kill()


def test_status_is_watched_through_a_pipe_in_blocks_or_as_json() -> None:
    with some_history() as (simulator, worker, publisher):
        flags = ["status", "--intake", worker.intake, "--state-dir", str(worker.state.path)]
        process = command(*flags, "--watch", "0.2", "--json")
        assert process.stdout
        first = json.loads(process.stdout.readline())
        assert first["rates"] is None and first["answering"], first
        publisher.accepted("d-9", "coins", expires_at="2020-01-01T00:00:00Z")
        rates = [json.loads(process.stdout.readline())["rates"] for _ in range(8)]
        assert any(rate["decisions_per_second"] > 0 for rate in rates), rates
        assert any(rate["outcomes_per_second"] > 0 for rate in rates), rates
        last = json.loads(process.stdout.readline())
        strategies = {row["strategy_name"]: row for row in last["strategies"]}
        stored = len(worker.state.stored_outcomes("coins"))
        assert strategies["coins"]["last_strategy_seq"] == stored, strategies
        process.stdout.close()
        assert process.wait(PATIENCE) == 0

        process = command(*flags, "--watch", "0.2")
        assert process.stdout
        text = ""
        while text.count("\n\n") < 5:
            text += process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert text.count("worker     running") >= 2 and ESCAPE not in text, text

        # Somewhere that is no state directory is an error at once.
        process = command("status", "--watch", "--state-dir", "/nonexistent/place")
        assert process.wait(PATIENCE) == 1


# --- The log


IDS = ["strategy_name", "decision_id", "client_order_id"]


def test_every_line_of_the_log_about_a_decision_carries_its_ids() -> str:
    levels: set[str] = set()
    with Simulator() as simulator, State() as state:
        flags = ["--log-format", "json", "--log-level", "trace", "--settle-time-s", "1"]
        worker = Worker(simulator, *flags, "--broker-timeout-ms", "1000", state=state)
        decided: list[str] = []

        def decide(name: str, **more: object) -> None:
            publisher.accepted(f"{name}-id", f"{name}-strategy", **more)
            decided.append(name)

        with Publisher(worker) as publisher:
            for fault in ["html_504", "json_500_unrecorded", "close_after_recording", "text_429"]:
                simulator.fault(fault, contains=fault)
                decide(fault, **COIN)
            decide("filled", **COIN)
            decide("refused-by-broker", quantity="100000000")
            decide("late", expires_at="2020-01-01T00:00:00Z")
            worker.halt_file("strategy-halted").touch()
            publisher.decide("halted-id", "halted")
            publisher.ask_bytes(b'{"v":1,"decision_id":"bad\\u001b[2J","strategy_name":"a\\nb"}')
            publisher.ask_bytes(b"not json")
            for name in decided:
                worker.final_outcome(f"{name}-strategy", f"{name}-id")
            # It dies with an attempt under way, which is unknown then.
            simulator.fault("delay_after_recording", milliseconds=800)
            publisher.accepted("dying-id", "dying-strategy")
            simulator.wait_for_post("dying-strategy:dying-id")
        worker.kill()
        decided.append("dying")
        worker = Worker(simulator, *flags, state=state)
        worker.final_outcome("dying-strategy", "dying-id")
        assert worker.terminate() == 0

        text = state.log.read_bytes()
        lines = [strict_json(line) for line in text.splitlines()]
        for line in lines:
            assert list(line)[:3] == ["at", "level", "message"], line
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["at"]), line
            levels.add(line["level"])
            about = "\n".join(str(value) for value in line.values())
            named = [name for name in decided if f"{name}-id" in about or f"{name}-str" in about]
            for name in named:
                expected = [f"{name}-strategy", f"{name}-id", f"{name}-strategy:{name}-id"]
                assert [line.get(member) for member in IDS] == expected, line
        executions = dict(state.rows("SELECT client_order_id, execution_id FROM trade_executions"))
        for line in lines:
            if line["message"] == "sent to the broker":
                assert line["execution_id"] == executions[line["client_order_id"]], line
        for name in decided:
            own = [line for line in lines if line.get("decision_id") == f"{name}-id"]
            assert own[0]["message"].startswith("accepted as "), own
            assert any(line["message"].startswith("outcome ") for line in own), own
        unknown = [line for line in lines if ": unknown" in line["message"]]
        assert len(unknown) >= 3 and {line["level"] for line in unknown} == {"warning"}, unknown
        assert any("refused, halted" in line["message"] for line in lines), lines
        assert SECRET.encode() not in text and KEY_ID.encode() not in text
    return f"{len(lines)} lines at {', '.join(sorted(levels))}"


def test_the_log_as_text_is_one_line_each_that_no_terminal_obeys() -> None:
    with Simulator() as simulator:
        with contextlib.ExitStack() as stack:
            outer = stack.enter_context(State())
            state = State(outer.path / "odd\x1b[2J\n\u202e")
            state.path.mkdir()
            worker = stack.enter_context(Worker(simulator, "--log-level", "info", state=state))
            publisher = stack.enter_context(Publisher(worker))
            publisher.accepted("d-1", "coins", **COIN)
            worker.final_outcome("coins", "d-1")
            lines = state.log.read_text().splitlines()
        line = r"\d{4}-\d\d-\d\dT[0-9:.]{15}Z (info|notice|warning): .*"
        assert all(re.fullmatch(line, one) for one in lines), lines
        assert not any(ESCAPE in one or "\u202e" in one for one in lines), lines
        assert any(r"odd\u{1b}[2J\u{a}\u{202e}" in one for one in lines), lines
        ids = "strategy_name=coins decision_id=d-1 client_order_id=coins:d-1"
        assert any(one.endswith(f"accepted as 1 {ids}") for one in lines), lines
        # By default nothing is told of what went well.
        with Worker(simulator) as worker, Publisher(worker) as publisher:
            publisher.accepted("d-2", "coins", **COIN)
            worker.final_outcome("coins", "d-2")
            assert "d-2" not in worker.state.log.read_text()


def test_a_broker_that_is_down_does_not_flood_the_log() -> None:
    with free_port_nobody_listens_on() as url, Worker(url) as worker, Publisher(
        worker
    ) as publisher:
        for number in range(100):
            publisher.accepted(f"d-{number}", "coins", **COIN)
        worker.final_outcome("coins", "d-99")
        lines = worker.state.log.read_text().splitlines()
        about = [one for one in lines if "failed, HTTP 500, " in one]
        assert len(about) == 60 and all(" warning: outcome " in one for one in about), lines


def test_a_log_that_nobody_reads_stops_nothing() -> str:
    with Simulator() as simulator, State() as state:
        # Through a pipe whose reader sleeps, then reads, then goes away.
        pipe = state.path / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        wrapper = ["sh", "-c", f'exec "$@" 2>{pipe}', "sh"]
        flags = ["--log-level", "trace", "--log-format", "json"]
        worker = Worker(simulator, *flags, state=state, wrapper=wrapper)
        count = 0

        def trade(how_many: int) -> None:
            nonlocal count
            for _ in range(how_many):
                count += 1
                publisher.decide(f"d-{count}", expires_at="2020-01-01T00:00:00Z")

        with Publisher(worker) as publisher:
            trade(500)
            assert worker.final_outcome("s", f"d-{count}")["reason"] == "expired"
            text = b""
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(reader, 1 << 16):
                    text += chunk
            trade(3)
            worker.final_outcome("s", f"d-{count}")
            text += os.read(reader, 1 << 16)
            lines = [strict_json(line) for line in text.splitlines()]
            lost = [line["message"] for line in lines if "were lost here" in line["message"]]
            assert len(lost) == 1, lines[-10:]
            os.close(reader)
            trade(3)
            assert worker.final_outcome("s", f"d-{count}")["reason"] == "expired"
        assert worker.terminate() == 0
        return lost[0]


def test_a_worker_without_standard_error_writes_its_log_into_nothing_else() -> None:
    with Simulator() as simulator, State() as state:
        wrapper = ["sh", "-c", 'exec "$@" 2>&-', "sh"]
        worker = Worker(simulator, "--log-level", "trace", state=state, wrapper=wrapper)
        assert os.readlink(f"/proc/{worker.pid}/fd/2") == "/dev/null"
        with Publisher(worker) as publisher:
            publisher.accepted("d-1", "coins", **COIN)
            assert worker.final_outcome("coins", "d-1")["result"] == "success"
        assert worker.terminate() == 0
        assert state.rows("PRAGMA integrity_check") == [("ok",)]
        for path in pathlib.Path(state.path).rglob("*"):
            assert not path.is_file() or b" notice: " not in path.read_bytes(), path


if __name__ == "__main__":
    main(globals())
