#!/usr/bin/env bash
# Feeds what reads bytes from outside with bytes that libFuzzer makes up, and checks what must be true of it.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"

readers=(json exact-decimal timestamp decision-frame order-answer attempt-answer execution configuration-file halt-file
    limits-file partition-map move-request key-list key-file)
corpus=Tests/Fuzzing/Corpus
dictionaries=Tests/Fuzzing/Dictionaries
build=.build-fuzz
program="$build/release/fuzz"
# How many inputs that fuzzing found are kept in the repository, of each reader.
found_max=30
repeatable_runs=20000

usage() {
    cat <<END
usage: deploy/fuzz.sh [SECONDS] [READER…]       fuzz each reader for so long; 60 s, all of them
       deploy/fuzz.sh --repeatable [READER…]    feed each $repeatable_runs inputs, the same in each run
       deploy/fuzz.sh --minimise [READER…]      take into the corpus what past runs found that reaches new code
readers: ${readers[*]}

The corpus is in $corpus: a file with a name of its own is a seed or a regression test and stays, one that is
named by a digest may be replaced by --minimise. New inputs are kept in $build/corpus, what went wrong
in $build/findings. "swift test" runs the corpus too.
END
}

minimise=false
repeatable=false
seconds=60
case "${1:-}" in
-h | --help)
    usage
    exit
    ;;
--minimise)
    minimise=true
    shift
    ;;
--repeatable)
    repeatable=true
    shift
    ;;
*)
    if [[ ${1:-} =~ ^[0-9]+$ ]]; then
        seconds="$1"
        shift
    fi
    ;;
esac
chosen=("$@")
((${#chosen[@]})) || chosen=("${readers[@]}")
for reader in "${chosen[@]}"; do
    [[ " ${readers[*]} " == *" $reader "* ]] || fail "$reader is no reader.
$(usage)"
done

find_swift

# The fuzzer's runtime comes with the toolchain, but not with every one.
resources="$(swiftc -print-target-info | sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p')"
runtime="$resources/clang/lib/linux/libclang_rt.fuzzer-$(uname -m).a"
[[ -f $runtime ]] || fail "This Swift has no fuzzer: $runtime is missing.
The toolchains of https://www.swift.org/install/linux/ have it; some distributions' packages do not."

step "building the fuzz program"
# With both sanitizers in one option: of two options the compiler takes the last, and would count no coverage.
TRADE_EXECUTOR_FUZZING=1 swift build -c release --scratch-path "$build" --product fuzz \
    --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address

# Two runs go the same way only without what each process makes up for itself: the seed of its hashes, and, where that is
# allowed, its addresses.
same_each_time=()
if $repeatable; then
    export SWIFT_DETERMINISTIC_HASHING=1
    ! setarch --addr-no-randomize true 2>/dev/null || same_each_time=(setarch --addr-no-randomize)
fi

# Runs the program on one reader. Swift's own crash reports are off, since they keep the fuzzer from making its.
fuzz() {
    SWIFT_BACKTRACE=enable=no FUZZED_READER="$1" ${same_each_time[@]+"${same_each_time[@]}"} "$program" "${@:2}"
}

if $minimise; then
    for reader in "${chosen[@]}"; do
        step "minimising the corpus of $reader"
        mkdir -p "$build/corpus/$reader"
        former="$(mktemp -d "$build/former.XXXXXX")"
        find "$corpus/$reader" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -exec mv -t "$former" {} +
        # It writes first what reaches the most that nothing before it did.
        fuzz "$reader" -set_cover_merge=1 -use_counters=0 -verbosity=2 \
            "$corpus/$reader" "$former" "$build/corpus/$reader" 2>&1 |
            sed -nE 's/^Written [0-9]+ bytes to //p' | tail -n "+$((found_max + 1))" | xargs -r rm
        rm -r "$former"
        printf '%s: %d files\n' "$reader" "$(find "$corpus/$reader" -type f | wc -l)"
    done
    exit
fi

mkdir -p "$build/findings" "$build/logs"
failed=()
table="$(printf '%-20s %12s %10s %9s %9s' reader runs runs/s edges features)"
for reader in "${chosen[@]}"; do
    if $repeatable; then
        step "fuzzing $reader with $repeatable_runs inputs"
        found="$(mktemp -d "$build/repeatable.XXXXXX")"
        # In the order of their names: a directory's own order is another on each machine, and so would be what follows.
        printf '%s\n' "$corpus/$reader"/* | LC_ALL=C sort | paste -sd, >"$found.seeds"
        length=(-seed=1 -runs="$repeatable_runs" -seed_inputs="@$found.seeds")
        sources=("$found")
    else
        step "fuzzing $reader for $seconds s"
        length=(-max_total_time="$seconds")
        found="$build/corpus/$reader"
        mkdir -p "$found"
        sources=("$found" "$corpus/$reader")
    fi
    log="$build/logs/$reader"
    if fuzz "$reader" "${length[@]}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -dict="$dictionaries/$reader.txt" -artifact_prefix="$build/findings/$reader-" \
        "${sources[@]}" >"$log" 2>&1; then
        grep -a '^Done' "$log"
    else
        failed+=("$reader")
        grep -a -E 'Fatal error|^==|SUMMARY|Test unit written|Base64' "$log" || tail -n 20 "$log"
        finding="$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -n 1)"
        cat <<END

FAILED: $reader. The whole report is in $log. This runs it again:
  SWIFT_BACKTRACE=enable=no FUZZED_READER=$reader $program ${finding:-$corpus/$reader/*}
Once it is understood, keep the input as a regression test, under a name that says what it is:
  cp ${finding:-FILE} $corpus/$reader/NAME
END
    fi
    ! $repeatable || rm -r "$found" "$found.seeds"
    runs="$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)/\1/p' "$log" | tail -n 1)"
    rate="$(sed -nE 's/^stat::average_exec_per_sec: *([0-9]+)/\1/p' "$log" | tail -n 1)"
    covered="$(sed -nE 's/.* cov: ([0-9]+) ft: ([0-9]+) .*/\1 \2/p' "$log" | tail -n 1)"
    read -r edges features <<<"${covered:-0 0}"
    table+="$(printf '\n%-20s %12d %10d %9d %9d' "$reader" "${runs:-0}" "${rate:-0}" "$edges" "$features")"
done
printf '\n%s\n' "$table"
((${#failed[@]} == 0)) || fail "
FAILED: ${failed[*]}"
