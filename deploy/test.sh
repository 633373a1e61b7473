#!/usr/bin/env bash
# Runs every test there is, from a clean clone on: formatting, build, Swift tests, a short while of fuzzing, Python
# tests against the built programs. Stops at the first that fails.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

passed=()
current="installation"
summary() {
    local code=$?
    printf '\n'
    if ((code == 0)); then
        printf 'all %d steps passed in %d s\n' "${#passed[@]}" "$SECONDS"
    else
        printf 'FAILED: %s (after %d steps that passed, %d s)\n' "$current" "${#passed[@]}" "$SECONDS" >&2
    fi
    exit "$code"
}
trap summary EXIT

run() {
    current="$1"
    local began=$SECONDS
    shift
    step "$current"
    "$@"
    passed+=("$current")
    printf '%s: passed in %d s\n' "$current" "$((SECONDS - began))"
}

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev sqlite3 python3-venv openssl systemd strace lintian man-db docker-compose
install_client_languages
install_monitoring_tools
make_python

run "formatting" swift format lint --strict -r -p Package.swift Sources Tests deploy/clients/swift
run "build" swift build
run "Swift tests" swift test --disable-xctest
binaries="$(swift build --show-bin-path)"
# The same inputs each time: what fuzzing finds anew is for whoever runs fuzz.sh, not for who tests another change.
run "fuzzing" bash deploy/fuzz.sh --repeatable
for script in Tests/PythonTests/test_*.py; do
    run "$(basename "$script" .py)" "$python" "$script" "$binaries"
done
# Installed into a Debian of its own that systemd runs; of a released build it is package-test.sh by itself.
if ((EUID == 0)); then
    package="$(bash deploy/package.sh --binaries "$binaries" --output .build/package-debug --compression none | tail -n 1)"
    # 69: no container can be run here. What does not test is said, and is no failure.
    run "package" bash -c 'bash deploy/package-test.sh "$1" || (($? == 69))' package "$package"
else
    echo "the package is not installed: that needs root"
fi
# The same worlds each time; new ones are simulate.sh by itself.
run "simulation" bash deploy/simulate.sh --first 1 --seeds 400
# A tenth of them: built for debugging, all ten thousand take minutes.
run "ten_thousand" "$python" Tests/PythonTests/ten_thousand.py "$binaries" --decisions="${DECISIONS:-1000}"
# Minutes and hours of it: soak.sh.
run "soak" "$python" Tests/PythonTests/soak.py "$binaries" "${SOAK_SECONDS:-15}" --kill-every=2 --per-second=50
# Whether it measures at all, and its runs pass their checks; figures are bench.sh.
run "benchmark" "$binaries/trade-benchmark" run --quick --parts floor,runs,reads --scenarios backlog,slow-broker \
    --seeded 0,1000 --directory disk=.build/benchmark
run "alpaca-py against the simulator" \
    "$python" Tests/PythonTests/alpaca_py_against_simulator.py "$binaries/alpaca-simulator"
