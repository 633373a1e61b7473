#!/usr/bin/env bash
# Runs the tests on programs that watch their own memory (AddressSanitizer) and their threads (ThreadSanitizer).
set -euo pipefail

usage() {
    cat <<'END'
usage: bash deploy/sanitize.sh [address] [thread]     both, unless one is named; each takes some ten minutes

address: the Swift tests, and the Python tests against the worker, with AddressSanitizer.
thread:  the Swift tests with ThreadSanitizer. Libraries that are not built with it (libzmq, libcurl) are not watched,
         since their own synchronisation cannot be seen.
END
}

chosen=()
for argument in "$@"; do
    case $argument in
    address | thread) chosen+=("$argument") ;;
    -h | --help)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 64
        ;;
    esac
done
((${#chosen[@]})) || chosen=(address thread)

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

find_swift
install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev sqlite3 python3-venv
make_python

# Processes that tests kill tell of no leaks, and those that end by themselves are few.
# What they have freed is in memory for long; too much of it, and a worker would cut connections for it.
export ASAN_OPTIONS=detect_leaks=0:exitcode=66:quarantine_size_mb=8
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=66
# These programs are several times slower than others.
export PATIENCE="${PATIENCE:-300}"

for sanitizer in "${chosen[@]}"; do
    scratch=".build-$sanitizer"
    step "building for the ${sanitizer} sanitizer"
    swift build --build-tests --sanitize "$sanitizer" --scratch-path "$scratch"
    step "Swift tests"
    swift test --disable-xctest --skip-build --sanitize "$sanitizer" --scratch-path "$scratch"
    [[ $sanitizer == address ]] || continue
    for name in decisions outcomes operation restarts access storage halts partitions backup; do
        step "test_$name"
        "$python" "Tests/PythonTests/test_$name.py" "$scratch/debug"
    done
done
