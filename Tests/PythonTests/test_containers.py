"""The files for containers: valid by the rules of those who read them, and what they run works with the real programs, on
files with owners, modes and mounts as a container gets them. No engine and no cluster is needed, nor seen.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import kubernetes_validate
import yaml

from harness import (
    KEY_ID,
    PATIENCE,
    REPOSITORY,
    SECRET,
    Json,
    NotPossible,
    Program,
    Simulator,
    binaries,
    eventually,
    free_endpoints,
    main,
)
from test_runbook import problem

CONTAINER = REPOSITORY / "deploy/container"
KUBERNETES = REPOSITORY / "deploy/kubernetes"
USER = 10001


def manifests() -> list[Json]:
    files = sorted(KUBERNETES.glob("*.yaml"))
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def of_kind(kind: str) -> list[Json]:
    return [document for document in manifests() if document["kind"] == kind]


def compose() -> dict[str, Json]:
    services: dict[str, Json] = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]
    return services


# --- By the rules


def test_the_manifests_follow_the_schemas_of_kubernetes() -> str:
    versions = ["1.29", "1.31", "1.33", "1.35", "1.37"]
    for version in versions:
        for document in manifests():
            kubernetes_validate.validate(document, version, strict=True)
    return f"{len(manifests())} manifests, {', '.join(versions)}"


def test_the_schemas_would_notice() -> None:
    [stateful_set] = of_kind("StatefulSet")
    stateful_set["spec"]["template"]["spec"]["containers"][0]["livenessProbes"] = {}
    try:
        kubernetes_validate.validate(stateful_set, "1.37", strict=True)
    except kubernetes_validate.ValidationError:
        return
    raise AssertionError("a member that is none was not noticed")


def test_a_partition_has_one_pod_with_a_volume_of_its_own() -> None:
    kinds = {document["kind"] for document in manifests()}
    assert kinds == {"Namespace", "NetworkPolicy", "ConfigMap", "Service", "StatefulSet"}, kinds
    [stateful_set] = of_kind("StatefulSet")
    spec = stateful_set["spec"]
    assert spec["replicas"] == 1
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    # The names that belong together.
    labels = spec["template"]["metadata"]["labels"]
    [service] = of_kind("Service")
    assert spec["serviceName"] == service["metadata"]["name"]
    assert spec["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind("NetworkPolicy")}
    assert policies["trade-executor"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert {document["metadata"].get("namespace", "trading") for document in manifests()} == {
        "trading"
    }


def test_the_pod_is_as_the_level_restricted_wants_it() -> None:
    """Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
    [namespace] = of_kind("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    [stateful_set] = of_kind("StatefulSet")
    pod = stateful_set["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    context = pod["securityContext"]
    assert context["runAsNonRoot"] and context["runAsUser"] == USER
    assert context["seccompProfile"]["type"] == "RuntimeDefault"
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"}
    allowed |= {"persistentVolumeClaim", "projected", "secret"}
    assert all(volume.keys() - {"name"} <= allowed for volume in pod["volumes"])
    for container in [*pod["initContainers"], *pod["containers"]]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"]
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert all("hostPort" not in port for port in container.get("ports", []))


def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    hadolint = shutil.which("hadolint", path=pathlib.Path(sys.executable).parent)
    if not hadolint:
        raise NotPossible("there is no hadolint; Tests/PythonTests/requirements.txt names it")
    done = subprocess.run(
        [hadolint, str(CONTAINER / "Containerfile")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert f"USER {USER}:{USER}" in (CONTAINER / "Containerfile").read_text()


def test_docker_compose_reads_the_compose_file() -> None:
    if not shutil.which("docker-compose"):
        raise NotPossible("there is no docker-compose")
    command = ["docker-compose", "--profile", "demo", "--profile", "paper", "config", "--quiet"]
    done = subprocess.run(command, cwd=CONTAINER, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_the_programs_know_what_they_are_told() -> None:
    for name, service in compose().items():
        program = service.get("entrypoint", ["trade-executor"])[0]
        words = [word.split("=", 1)[0] for word in service["command"]]
        assert problem(program, words) is None, (name, problem(program, words))


# --- At work


class Place:
    """Files as a container sees them: in a mount namespace of its own, that lives as long as its program."""

    def __init__(self, directory: pathlib.Path):
        if os.geteuid() != 0 or not all(map(shutil.which, ["unshare", "nsenter", "setpriv"])):
            raise NotPossible("this needs root, unshare, nsenter and setpriv")
        self.directory = directory
        self.directory.chmod(0o755)
        self.lines = ["mount -t tmpfs -o mode=755 none /run", "mkdir /run/programs"]
        self.lines += [f"cp {binaries()}/trade-executor /run/programs/"]
        self.number = 0

    def volume(
        self, path: str, files: dict[str, bytes], *, mode: int, owner: str, folder: int
    ) -> None:
        """A tmpfs with these files, at the moment writable."""
        self.lines += [
            f"mkdir -p {path}",
            f"mount -t tmpfs -o mode={folder:o},gid={USER} none {path}",
        ]
        for name, content in files.items():
            self.number += 1
            source = self.directory / f"file-{self.number}"
            source.write_bytes(content)
            target = f"{path}/{name}"
            self.lines += [f"cp {source} {target}", f"chown {owner} {target}"]
            self.lines += [f"chmod {mode:o} {target}"]

    def read_only(self, path: str) -> None:
        self.lines.append(f"mount -o remount,bind,ro {path}")

    def state(self, path: str, folder: int) -> None:
        state = self.directory / "state"
        state.mkdir()
        os.chown(state, 0, USER)
        state.chmod(folder)
        self.lines += [f"mkdir -p {path} 2>/dev/null || mount -t tmpfs none /var/lib"]
        self.lines += [f"mkdir -p {path}", f"mount --bind {state} {path}"]

    def command(self, words: list[str], environment: dict[str, str]) -> str:
        variables = {"PATH": "/run/programs:/usr/bin:/bin", **environment}
        as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", "-i"]
        assigned = [f"{name}={value}" for name, value in variables.items()]
        return shlex.join([*as_user, *assigned, *words])

    def run(self, words: list[str], environment: dict[str, str]) -> Program:
        script = "\n".join([*self.lines, "exec " + self.command(words, environment)])
        namespace = ["unshare", "--mount", "--propagation", "private"]
        return Program([*namespace, "sh", "-ec", script], self.directory / "worker.log", {})

    def probe(self, worker: Program, words: list[str], environment: dict[str, str]) -> int:
        """As an engine runs a command in a container; its exit code."""
        # With its root too: where this runs in a chroot, that of the mounts is another.
        target = f"--target={worker.process.pid}"
        inside = ["nsenter", target, "--mount", "--root", "--wd", "sh", "-c"]
        done = subprocess.run(
            [*inside, self.command(words, environment)], capture_output=True, timeout=PATIENCE
        )
        return done.returncode


class Keys:
    """Key pairs as the instructions have them made, and the list of those that are let in."""

    def __init__(self, directory: pathlib.Path, reader: str):
        self.directory = directory
        for name in ["server", reader, "alice"]:
            self.run("generate", name)
        self.run("allow", reader, "--role", "read", "--allowed-keys", "allowed-keys.json")
        self.run("allow", "alice", "--strategy", "mean-rev", "--allowed-keys", "allowed-keys.json")

    def run(self, *words: str) -> None:
        command = [str(binaries() / "trade-executor"), "keys", *words]
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def read(self, name: str) -> bytes:
        return (self.directory / name).read_bytes()

    def trade(self, intake: str, outcomes: str) -> str:
        done = subprocess.run(
            [
                *(str(binaries() / "trade-executor"), "submit", "--intake", intake),
                *("--outcomes", outcomes, "--client-key", "alice.key_secret"),
                *("--server-public-key", "server.key", "--strategy", "mean-rev", "--symbol"),
                *("AAPL", "--side", "buy", "--quantity", "1", "--wait"),
            ],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout + done.stderr


def everywhere(endpoint: str) -> str:
    return endpoint.replace("127.0.0.1", "*")


CREDENTIALS = {"api_key_id": KEY_ID.encode(), "api_secret_key": SECRET.encode()}


def test_the_pod_trades_and_its_probes_tell_what_they_should() -> None:
    [stateful_set], [config_map] = of_kind("StatefulSet"), of_kind("ConfigMap")
    pod = stateful_set["spec"]["template"]["spec"]
    [worker_container], [init_container] = pod["containers"], pod["initContainers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in worker_container["volumeMounts"]}
    mounts |= {mount["name"]: mount["mountPath"] for mount in init_container["volumeMounts"]}
    intake, outcomes = free_endpoints(2)
    with Simulator() as simulator, tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        place, keys = Place(directory), Keys(directory, "probe")
        settings = config_map["data"]["worker.conf"]
        for ours, here in [
            ("https://paper-api.alpaca.markets", simulator.url),
            ("tcp://*:5555", everywhere(intake)),
            ("tcp://*:5556", everywhere(outcomes)),
        ]:
            assert ours in settings
            settings = settings.replace(ours, here)
        listed = {
            "worker.conf": settings.encode(),
            "allowed-keys.json": keys.read("allowed-keys.json"),
        }
        assert listed.keys() == config_map["data"].keys()
        # As a kubelet lays them out for a pod with an fsGroup. The one over /tmp comes last, since it hides what is there.
        place.state(mounts["state"], 0o2775)
        assert pod["volumes"][-1]["name"] == "temporary"
        for volume in pod["volumes"]:
            path = mounts[volume["name"]]
            match volume:
                case {"configMap": _}:
                    place.volume(path, listed, mode=0o644, owner=f"root:{USER}", folder=0o3777)
                    place.read_only(path)
                case {"secret": {"secretName": name, "defaultMode": mode}}:
                    # In YAML 1.1, which Kubernetes reads, a number that begins with 0 is octal.
                    assert mode == 0o440
                    secrets = ["server.key_secret", "probe.key_secret"]
                    files = (
                        {one: keys.read(one) for one in secrets} if "keys" in name else CREDENTIALS
                    )
                    place.volume(path, files, mode=mode, owner=f"root:{USER}", folder=0o3777)
                    place.read_only(path)
                case {"emptyDir": _}:
                    place.volume(path, {}, mode=0, owner="", folder=0o2777)
        place.lines.append(place.command(init_container["command"], {}))
        place.read_only(mounts["keys"])
        environment = {one["name"]: one["value"] for one in worker_container["env"]}

        def answer(kind: str) -> int:
            return place.probe(worker, worker_container[kind]["exec"]["command"], environment)

        worker = place.run(worker_container["command"], environment)
        try:
            assert [answer(f"{kind}Probe") for kind in ["startup", "liveness", "readiness"]] == [
                0,
                0,
                0,
            ]
            traded = keys.trade(intake, outcomes)
            assert '"result":"success"' in traded, traded
            assert len(simulator.posts()) == 1
            # Halted it is alive, and not ready.
            halt = ["trade-executor", "halt", "--hold", "--reason", "a probe"]
            assert place.probe(worker, halt, environment) == 0
            assert (answer("livenessProbe"), answer("readinessProbe")) == (0, 1)
            worker.process.send_signal(19)
            assert answer("livenessProbe") == 1, "a worker that hangs is taken for alive"
            worker.process.send_signal(18)
            worker.process.terminate()
            assert worker.wait() == 0
        finally:
            worker.kill()
        assert (directory / "state/p0/trades.db").exists()
        assert SECRET not in worker.log.read_text()


def test_the_paper_worker_of_the_compose_file_trades() -> None:
    service = compose()["worker"]
    volumes = dict(volume.split(":")[:2] for volume in service["volumes"])
    intake, outcomes = free_endpoints(2)
    with Simulator() as simulator, tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        place, keys = Place(directory), Keys(directory, "health")
        own = f"{USER}:{USER}"
        lists = ["server.key_secret", "health.key_secret", "allowed-keys.json"]
        for path, files in [
            (volumes["./secrets/credentials"], CREDENTIALS),
            (volumes["./secrets/keys"], {name: keys.read(name) for name in lists}),
        ]:
            place.volume(path, files, mode=0o600, owner=own, folder=0o755)
            place.read_only(path)
        place.state(volumes["state"], 0o775)
        changes = {
            "https://paper-api.alpaca.markets": simulator.url,
            "tcp://*:5555": everywhere(intake),
            "tcp://*:5556": everywhere(outcomes),
            "tcp://127.0.0.1:5555": intake,
        }

        def here(text: str) -> str:
            for ours, changed in changes.items():
                text = text.replace(ours, changed)
            return text

        containerfile = (CONTAINER / "Containerfile").read_text()
        environment = dict(re.findall(r"(?m)^ENV (\w+)=(\S+)$", containerfile))
        environment |= {name: here(value) for name, value in service["environment"].items()}
        worker = place.run(["trade-executor", *map(here, service["command"])], environment)
        try:
            [check] = re.findall(r"HEALTHCHECK (?:.*\n)? *.*CMD (\[.*\])", containerfile)
            words: list[Any] = yaml.safe_load(check)
            eventually("health", lambda: place.probe(worker, words, environment) == 0, 10)
            traded = keys.trade(intake, outcomes)
            assert '"result":"success"' in traded, traded
            worker.process.terminate()
            assert worker.wait() == 0
        finally:
            worker.kill()
        assert (directory / "state/state/trades.db").exists()


if __name__ == "__main__":
    main(globals())
