"""The Debian package, made of the programs as they were built for testing. deploy/package-test.sh installs a released one
into a clean Debian and starts it by systemd."""

from __future__ import annotations

import functools
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import (
    KEY_ID,
    PATIENCE,
    REPOSITORY,
    SECRET,
    NotPossible,
    Program,
    Simulator,
    binaries,
    free_endpoints,
    main,
)

# What is otherwise in a debug build: it is found where it was built, and is not stripped.
OF_DEBUG_BUILDS = [
    "custom-library-search-path",
    "unstripped-binary-or-object",
    "uses-no-compression-for",
]


def done(*command: str | pathlib.Path, **more: object) -> subprocess.CompletedProcess[str]:
    process = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE * 3, **more
    )  # type: ignore[call-overload]
    assert process.returncode == 0, (command, process.stdout, process.stderr)
    return process  # type: ignore[no-any-return]


@functools.cache
def keeper() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="trade-executor-test-")


@functools.cache
def package(name: str = "one") -> pathlib.Path:
    """A package of its own for each name."""
    if not shutil.which("dpkg-deb"):
        raise NotPossible("there is no dpkg")
    options = ["--binaries", str(binaries()), "--compression", "none"]
    output = pathlib.Path(keeper().name, name)
    made = done(
        "bash", REPOSITORY / "deploy/package.sh", *options, "--output", output, env=os.environ
    )
    return pathlib.Path(made.stdout.strip().splitlines()[-1])


@functools.cache
def contents() -> pathlib.Path:
    directory = pathlib.Path(keeper().name, "contents")
    done("dpkg-deb", "--extract", package(), directory)
    return directory


def programs() -> list[str]:
    return [path.name for path in (contents() / "usr/bin").iterdir()]


def test_the_same_programs_make_the_same_package() -> None:
    assert package().read_bytes() == package("another").read_bytes()


def test_it_holds_what_an_operator_looks_for() -> str:
    root = contents()
    assert {"trade-executor", "alpaca-simulator"} <= set(programs()), programs()
    documents = root / "usr/share/doc/trade-executor"
    for file in [
        root / "lib/systemd/system/trade-executor@.service",
        root / "lib/systemd/system/trade-executor.target",
        root / "lib/systemd/system/trade-executor-backup@.service",
        root / "lib/systemd/system/trade-executor-backup@.timer",
        documents / "runbook.md",
        documents / "install.md",
        documents / "contract/README.md",
        documents / "examples/example.conf",
        documents / "examples/limits.example.json",
        documents / "copyright",
    ]:
        assert file.is_file(), file
    has_monitor = (root / "lib/systemd/system/trade-monitor.service").exists()
    assert has_monitor == ("trade-monitor" in programs())
    named = re.findall(r"/usr/share/doc/trade-executor/\S+", (documents / "install.md").read_text())
    assert named and all((root / path.lstrip("/")).exists() for path in named), named
    return ", ".join(sorted(programs()))


def test_every_program_has_a_manual_page_and_completions() -> None:
    shell_checks = [
        ("bash", "usr/share/bash-completion/completions/{}", ["bash", "-n"]),
        ("zsh", "usr/share/zsh/vendor-completions/_{}", ["zsh", "-n"]),
        ("fish", "usr/share/fish/vendor_completions.d/{}.fish", ["fish", "--no-execute"]),
    ]
    for program in programs():
        for shell, place, command in shell_checks:
            file = contents() / place.format(program)
            assert program in file.read_text(), file
            if shutil.which(shell):
                done(*command, file)
        page = contents() / f"usr/share/man/man1/{program}.1.gz"
        text = gzip.decompress(page.read_bytes()).decode()
        assert text.startswith(f'.TH "{program.upper()}"')
        if shutil.which("man"):
            shown = done(
                "man", "--warnings", "--local-file", page, env={**os.environ, "LC_ALL": "C.UTF-8"}
            )
            assert shown.stderr == "", shown.stderr
            assert "--help" not in shown.stdout and "NAME" in shown.stdout
    worker = gzip.decompress((contents() / "usr/share/man/man1/trade-executor.1.gz").read_bytes())
    for words in [b"trade\\-executor keys allow", b"\\-\\-halt\\-over\\-unknown"]:
        assert words in worker, words


def test_lintian_finds_no_error_but_those_of_a_debug_build() -> str:
    if not shutil.which("lintian"):
        raise NotPossible("there is no lintian")
    found = subprocess.run(
        ["lintian", "--profile", "debian", str(package())], capture_output=True, text=True
    ).stdout
    errors = [line for line in found.splitlines() if line.startswith("E:")]
    others = [line for line in errors if not any(tag in line for tag in OF_DEBUG_BUILDS)]
    assert not others, others
    return f"{found.count('W:')} warnings"


def test_installed_it_trades_and_removed_it_leaves_the_state() -> None:
    """With the command line of the unit, in a root of its own; whoever is in it has no systemd."""
    with tempfile.TemporaryDirectory(prefix="trade-executor-test-") as directory:
        root = pathlib.Path(directory)
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"]:
            (root / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends"]
        dpkg += ["--force-not-root", "--force-bad-path", f"--log={root}/dpkg.log"]
        done(*dpkg, "--install", package())

        unit = (root / "lib/systemd/system/trade-executor@.service").read_text()
        [command] = re.findall(r"^ExecStart=(.*)$", unit, re.M)
        [state] = re.findall(r"^StateDirectory=(.*)$", unit, re.M)
        words = [
            f"{root}{word}" if word.startswith("/") else word
            for word in command.replace("%i", "p0").split()
        ]
        credentials = root / "etc/trade-executor/p0.credentials"
        credentials.mkdir(mode=0o700)
        for name, value in [("api_key_id", KEY_ID), ("api_secret_key", SECRET)]:
            (credentials / name).write_text(value)
            (credentials / name).chmod(0o600)
        intake, outcomes = free_endpoints(2)
        with Simulator() as simulator:
            example = root / "usr/share/doc/trade-executor/examples/example.conf"
            changes = {"broker_url": simulator.url, "intake": intake, "outcomes": outcomes}
            changes["state_dir"] = f"{root}/var/lib/{state.replace('%i', 'p0')}"
            settings = example.read_text()
            for name, value in changes.items():
                settings, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", settings)
                assert count == 1, name
            configuration = root / "etc/trade-executor/p0.conf"
            configuration.write_text(settings)

            worker = Program(
                words, root / "worker.log", {"CREDENTIALS_DIRECTORY": str(credentials)}
            )
            try:
                order = ["--symbol", "AAPL", "--side", "buy", "--quantity", "1", "--wait"]
                place = ["--config", str(configuration)]
                traded = done(words[0], "submit", *place, *order)
                assert '"result":"success"' in traded.stdout, traded.stdout
                checked = done(words[0], "status", "--check", *place)
                assert "1 waiting" not in checked.stdout
                assert len(simulator.posts()) == 1
            finally:
                worker.process.terminate()
                assert worker.wait() == 0
                worker.kill()

        database = root / "var/lib/trade-executor/p0/trades.db"
        for action in ["--remove", "--purge"]:
            done(*dpkg, action, "trade-executor")
            assert not (root / "usr/bin/trade-executor").exists()
            assert database.is_file() and configuration.is_file() and credentials.is_dir()


if __name__ == "__main__":
    main(globals())
