"""The runbook tells the truth, as does what is written of installing: their commands are the programs', and its symptoms
look as it says.

A block ```sh holds what to type, a block ```text what is seen then, with … for what differs from case to case.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import resource
import shlex
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from harness import (
    COIN,
    KEY_ID,
    PATIENCE,
    REPOSITORY,
    Publisher,
    Simulator,
    State,
    Worker,
    binaries,
    eventually,
    free_endpoints,
    main,
    run_and_fail,
)

DOCUMENTS = {
    name: (REPOSITORY / "deploy" / name).read_text()
    for name in [
        *("runbook.md", "install.md", "litestream/README.md"),
        *("container/README.md", "kubernetes/README.md"),
    ]
}
RUNBOOK = DOCUMENTS["runbook.md"]
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", RUNBOOK, re.M | re.S))
UNITS = [path.name for path in (REPOSITORY / "deploy/systemd").iterdir()]
# Sections whose quotes were seen.
brought_about: set[str] = set()

# Programs of the system, which are not ours to check.
OF_THE_SYSTEM = [
    *("apt", "cd", "cp", "df", "docker", "export", "install", "journalctl", "kubectl"),
    *("litestream", "mkdir", "sudo", "timedatectl"),
]


def blocks(kind: str, text: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)
    return [line for block in found for line in block.splitlines()]


# --- What is typed


@functools.cache
def help_of(program: str, *subcommands: str) -> str:
    done = subprocess.run(
        [str(binaries() / program), *subcommands, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def subcommands_of(program: str, *path: str) -> set[str]:
    listed = help_of(program, *path).partition("SUBCOMMANDS:")[2]
    return set(re.findall(r"^  ([a-z][\w-]*)", listed, re.M))


def problem(program: str, words: list[str]) -> str | None:
    """What the program does not know of a command, as far as its help tells."""
    path: list[str] = []
    while (below := subcommands_of(program, *path)) and len(words) > len(path):
        word = words[len(path)]
        if word.startswith("-"):
            break
        if word not in below:
            return f"{program} {' '.join([*path, word])}"
        path.append(word)
    known = set(re.findall(r"--[\w-]+", help_of(program, *path)))
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"{program} {' '.join(path)} {' '.join(unknown)}" if unknown else None


def test_every_command_is_one_that_the_programs_know() -> str:
    checked = 0
    for line in [line for text in DOCUMENTS.values() for line in blocks("sh", text)]:
        words = shlex.split(line)
        while re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words[:3] == ["sudo", "-u", "trade-executor"]:
            words = words[3:]
        # What is said to a program of ours in a container.
        for program in ["trade-executor", "alpaca-simulator"]:
            if (
                words[0] in ["docker", "kubectl"]
                and program in words[2:]
                and words[-1] != ".build/package"
            ):
                words = words[words.index(program) :]
        for word in words:
            assert (
                not word.startswith("deploy/") or "secrets" in word or (REPOSITORY / word).exists()
            ), line
        match words[0]:
            case "trade-executor" | "trade-monitor" as program:
                unknown = problem(program, words[1:])
                assert unknown is None, f"{line!r}: there is no {unknown}"
                checked += 1
            case "systemctl":
                for word in [word for word in words[2:] if not word.startswith("-")]:
                    unit = re.sub(
                        r"@\w+(\.\w+)?$", lambda found: f"@{found[1] or '.service'}", word
                    )
                    unit = unit if "." in unit else f"{unit}.service"
                    assert unit in [*UNITS, "systemd-timesyncd.service"], line
            case "bash" if len(words) > 1:
                assert (REPOSITORY / words[1]).is_file(), line
            case "sqlite3":
                with State() as state:
                    a_database(state)
                    assert state.rows(words[-1]), line
            case other:
                assert other in OF_THE_SYSTEM or words == ["bash"], line
    assert checked > 10, checked
    return f"{checked} commands"


def test_every_link_leads_somewhere() -> None:
    links = [
        (name, target)
        for name, text in DOCUMENTS.items()
        for target in re.findall(r"\]\(([^)]+)\)", text)
    ]
    for name, target in links:
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        own = REPOSITORY / "deploy" / name
        file = own.parent / path if path else own
        assert file.exists(), target
        if not anchor:
            continue
        headings = [
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", file.read_text(), re.M)
        ]
        assert anchor in headings, target


# --- What is seen


def pattern_of(quote: str) -> str:
    """A quote as a regular expression, whatever the widths of columns."""
    words = [re.escape(word).replace("…", ".*") for word in quote.split()]
    return r"\s+".join(words)


def must_show(section: str, seen: str) -> None:
    quotes = blocks("text", SECTIONS[section])
    assert quotes, section
    for quote in quotes:
        assert re.search(pattern_of(quote), seen), f"{quote!r} is not in\n{seen}"
    brought_about.add(section)


def run(state: State, *words: str, code: int | None = 0, **environment: str) -> str:
    """A command as the runbook says it, on a worker's state directory; everything it prints."""
    done = subprocess.run(
        [str(binaries() / "trade-executor"), *words, "--state-dir", str(state.path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
    )
    assert code is None or done.returncode == code, (words, done)
    return done.stdout + done.stderr


def status(worker: Worker) -> str:
    return run(worker.state, "status", "--intake", worker.intake)


def a_database(state: State) -> None:
    """One with something in it."""
    with Simulator() as simulator, Worker(simulator, state=state) as worker:
        with Publisher(worker) as publisher:
            assert publisher.ask_bytes(b"no decision")["code"] == "bad_json"


def test_a_worker_that_is_well() -> None:
    with Simulator() as simulator, Worker(simulator) as worker:
        must_show("First", status(worker))


def test_unknowns_open() -> None:
    with Simulator() as simulator, Worker(simulator, "--settle-time-s", "1") as worker:
        publisher = Publisher(worker)
        simulator.fault("close_before_recording")
        simulator.fault("html_502", method="GET", times=None)
        publisher.accepted("d-17", "mean-rev")
        eventually("the unknown", lambda: "1 unknown" in status(worker))
        assert "mean-rev" in run(worker.state, "executions", "--scope", "unknown")
        assert "mean-rev:d-17" in run(worker.state, "show", "mean-rev:d-17")
        asked = run(worker.state, "reconcile", "--timeout", "1", "--intake", worker.intake, code=1)
        must_show("Unknowns open", status(worker) + asked)
        simulator.request("DELETE", "/_simulator/faults")
        run(worker.state, "reconcile", "--timeout", "60", "--intake", worker.intake)


def test_a_growing_queue() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        simulator.fault("delay_before_recording", milliseconds=20_000)
        for number in range(3):
            publisher.accepted(f"d-{number}")
        seen = eventually(
            "two that wait", lambda: (text := status(worker)) and "2 waiting" in text and text
        )
        assert "one request at the broker" in seen
        must_show("Queue growing", seen)


def test_a_worker_that_halts_by_itself() -> None:
    with Simulator() as simulator:
        with (
            Worker(simulator, "--halt-after-errors", "2") as worker,
            Publisher(worker) as publisher,
        ):
            simulator.fault("text_429", times=2)
            publisher.accepted("d-0")
            publisher.accepted("d-1")
            eventually("the halt", lambda: worker.halt_file("all").exists())
            seen = status(worker) + worker.state.log.read_text()
            must_show("Halted", seen)
            assert "by trade-executor" in seen
            eventually("the entry", lambda: "429" in run(worker.state, "halt", "--list"))
            run(worker.state, "resume", "--reason", "what I found")
            publisher.accepted("d-2", **COIN)
            assert worker.final_outcome("s", "d-2")["result"] == "success"


def test_a_disk_that_takes_nothing() -> None:
    with Simulator() as simulator, Worker(simulator) as worker, Publisher(worker) as publisher:
        limits = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        assert publisher.decide("d-1")["code"] == "storage_failed"
        seen = status(worker)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, limits)
        log = worker.state.log
        eventually("the end of it", lambda: "can be written again" in log.read_text())
        must_show("Disk full, or failing", seen + log.read_text())
        publisher.accepted("d-1", **COIN)
        assert worker.final_outcome("s", "d-1")["result"] == "success"


def as_typed(section: str, start: str, here: dict[str, str]) -> list[str]:
    """A command of the runbook, word for word but for the places."""
    [line] = [line for line in blocks("sh", SECTIONS[section]) if line.startswith(start)]
    for place, ours in here.items():
        line = line.replace(place, ours)
    words = shlex.split(line)[1:]
    if "--state-dir" in words:
        at = words.index("--state-dir")
        del words[at : at + 2]
    return words


def test_a_backup_and_its_restoration_as_they_are_typed() -> None:
    with Simulator() as simulator, State() as state, State() as elsewhere:
        here = {"/var/backups/trade-executor": str(elsewhere.path)}
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            publisher.accepted("d-1", **COIN)
            worker.final_outcome("s", "d-1")
            run(state, *as_typed("Backup", "trade-executor backup", here))
            publisher.accepted("d-2", **COIN)
            worker.final_outcome("s", "d-2")
        run(state, *as_typed("Restore", "trade-executor restore", here))
        assert list(state.path.glob("trades.db.before-*"))
        with Worker(simulator, state=state) as worker, Publisher(worker) as publisher:
            assert publisher.decide("d-2", **COIN)["code"] == "halted"
            run(state, "reconcile", "--intake", worker.intake)
            assert "d-1" in run(state, *as_typed("Restore", "trade-executor executions", here))
            run(state, *as_typed("Restore", "trade-executor resume", here))
            publisher.accepted("d-2", **COIN)
            outcome = worker.final_outcome("s", "d-2")
            assert outcome["execution"]["resolution"] == "adopted", outcome
            # The steps of an upgrade, but for the package.
            for step in ["halt", "backup"]:
                run(state, *as_typed("Upgrade", f"trade-executor {step}", here))
            assert "halted" in status(worker)
            run(state, *as_typed("Upgrade", "trade-executor resume", here))
        archive = as_typed("Backup", "trade-executor archive", here)
        assert "nothing" in run(state, *archive, code=None).lower()


def test_a_broker_that_is_down() -> None:
    [nobody] = free_endpoints(1)
    with Worker(nobody.replace("tcp:", "http:")) as worker, Publisher(worker) as publisher:
        publisher.accepted("d-1")
        outcome = worker.final_outcome("s", "d-1")
        assert outcome["execution"]["certainty"] == "not_sent", outcome
        must_show("The broker is down", run(worker.state, "failures", "--since", "1h"))


def test_keys_that_are_wrong() -> None:
    wrong = {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": "another" * 6}
    with Simulator() as simulator, Worker(simulator, environment=wrong) as worker:
        with Publisher(worker) as publisher:
            publisher.accepted("d-1")
            assert worker.final_outcome("s", "d-1")["execution"]["http_status_code"] == 401
            failures = run(worker.state, "failures", "--since", "1h")
            check = run(worker.state, "check", "--broker-url", simulator.url, code=1, **wrong)
            must_show("HTTP 401 or 403", failures + check)


class SlowClock(http.server.BaseHTTPRequestHandler):
    """A broker whose clock goes otherwise than this machine's."""

    def do_GET(self) -> None:
        clock = {"timestamp": "2020-01-02T10:00:00-05:00", "is_open": True}
        body = json.dumps(clock if "clock" in self.path else {"status": "ACTIVE"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def broker_of_another_time() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowClock) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_orders_that_fail() -> None:
    with Simulator() as simulator, State() as state:
        limits = state.path / "limits.json"
        limits.write_text('{"v":1,"each":{"symbols_forbidden":["TSLA"]}}')
        with Worker(simulator, "--limits", str(limits), state=state) as worker:
            with Publisher(worker) as publisher:
                for number, symbol in enumerate(["TSLA", "NOSUCH"]):
                    publisher.accepted(f"d-{number}", symbol=symbol)
                    assert worker.final_outcome("s", f"d-{number}")["result"] == "failed"
                must_show("Much fails", run(state, "failures", "--since", "1h"))


def test_a_worker_that_is_down() -> None:
    with Simulator() as simulator, State() as state:
        with Worker(simulator, state=state) as worker:
            worker.program.process.send_signal(signal.SIGSTOP)
            seen = status(worker)
            worker.program.process.send_signal(signal.SIGCONT)
            assert worker.terminate() == 0
            must_show("The worker is down", seen + status(worker))


def test_every_page_has_a_section() -> str:
    rules = REPOSITORY / "deploy/prometheus/trade-executor.rules.yml"
    if not rules.exists():
        return "there are no rules yet"
    groups = yaml.safe_load(rules.read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    listed = set(re.findall(r"`(Trade(?:Executor|Monitor)[A-Z]\w+)`", RUNBOOK))
    assert alerts == listed, alerts ^ listed
    return f"{len(alerts)} alerts"


def test_a_clock_that_is_off() -> None:
    with broker_of_another_time() as url, State() as state:
        must_show("The clock is off", run(state, "check", "--broker-url", url))


def test_workers_that_do_not_start() -> None:
    """What the table says of them, but for what only systemd says."""
    rows = re.findall(r"^\| .*?`([^`]+)`(.*?)\|", SECTIONS["The worker is down"], re.M)
    said = {quote: "(systemd)" not in more for quote, more in rows}
    with Simulator() as simulator, State() as other, State() as state:
        common = ["--broker-url", simulator.url, "--outcomes", "tcp://127.0.0.1:*"]
        place = ["--intake", "tcp://127.0.0.1:*", "--state-dir", str(state.path)]
        settings = other.path / "p0.conf"
        settings.write_text("intakee = tcp://127.0.0.1:5555\n")
        lines = [run_and_fail(*common, *place, "--config", str(settings))]
        with Worker(simulator, state=state) as worker:
            lines.append(run_and_fail(*common, *place))
            own = ["--intake", worker.intake, "--state-dir", str(other.path)]
            lines.append(run_and_fail(*common, *own))
        lines.append(refused_as_newer(state, [*common, *place]))
        other.database.write_bytes(b"no database" * 1000)
        damaged = ["--intake", "tcp://127.0.0.1:*", "--state-dir", str(other.path)]
        lines.append(run_and_fail(*common, *damaged, code=74))
    text = "\n".join(lines)
    for quote in [quote for quote, is_ours in said.items() if is_ours]:
        if quote.startswith("it was written by a newer"):
            assert SECTIONS["Rollback"].count(quote), quote
        words = [re.escape(word).replace("…", ".*") for word in quote.split()]
        assert re.search(r"\s+".join(words), text), f"{quote!r} is not in\n{text}"


def refused_as_newer(state: State, flags: list[str]) -> str:
    """A newer version is one that has taken a step more. The older one changes nothing of it."""
    with sqlite3.connect(state.database) as connection:
        connection.execute("INSERT INTO grdb_migrations VALUES ('99: of the future')")
    before = state.rows("SELECT identifier FROM grdb_migrations")
    line = run_and_fail(*flags)
    assert state.rows("SELECT identifier FROM grdb_migrations") == before
    return line


def test_what_an_older_and_a_newer_version_say() -> None:
    quotes = re.findall(
        r"`((?:it was written by|is from an older)[^`]*)`", RUNBOOK.replace("\n", " ")
    )
    with State() as state:
        a_database(state)
        with sqlite3.connect(state.database) as connection:
            [last] = connection.execute("SELECT max(rowid) FROM grdb_migrations").fetchone()
            connection.execute("DELETE FROM grdb_migrations WHERE rowid = ?", (last,))
        said = run(state, "executions", code=1)
    with State() as state:
        a_database(state)
        flags = ["--broker-url", "http://127.0.0.1:9", "--state-dir", str(state.path)]
        ports = ["--intake", "tcp://127.0.0.1:*", "--outcomes", "tcp://127.0.0.1:*"]
        said += refused_as_newer(state, [*flags, *ports])
        assert "newer version" in run(state, "executions", code=1)
    assert len(quotes) == 3, quotes
    for quote in quotes:
        assert re.sub(r"\s+", " ", quote) in re.sub(r"\s+", " ", said), (quote, said)


def test_every_quote_was_seen() -> None:
    quoting = {name for name, text in SECTIONS.items() if blocks("text", text)}
    assert quoting == brought_about, quoting ^ brought_about


if __name__ == "__main__":
    main(globals())
