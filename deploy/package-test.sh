#!/usr/bin/env bash
# Installs the package into a clean Debian 12 that systemd runs, trades on the simulator, and removes it again.
set -euo pipefail

usage() {
    cat <<'END'
usage: bash deploy/package-test.sh [PACKAGE.deb]     as root; builds the package unless one is named

Makes a Debian 12 with debootstrap in .build/debian12 (once; needs Debian's mirror), and runs a copy of it with
systemd-nspawn, cut off from the network: installs, starts trade-executor@p0, trades, is told what the runbook says of units
that do not start, lets the watchdog strike, upgrades, removes, purges. Where systemd does not run in a container, it
says so and runs the unit's command itself; where no container can be run at all, it ends with 69. Takes some two minutes, and ten
more where the programs are not built yet.
END
}

package=
case ${1:-} in
-h | --help)
    usage
    exit
    ;;
*.deb) package="$(realpath "$1")" ;;
'') ;;
*)
    usage >&2
    exit 64
    ;;
esac

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
cd "$repository"
((EUID == 0)) || fail "This makes a system of its own, for which it must be root."
install_packages debootstrap systemd-container binutils

[[ -n $package ]] || package="$(bash deploy/package.sh | tail -n 1)"

clean="$repository/.build/debian12"
if [[ ! -e $clean/complete ]]; then
    step "making a clean Debian 12"
    rm -rf "$clean"
    mkdir -p "$clean"
    debootstrap --variant=minbase --include=systemd-sysv,dbus bookworm "$clean/root" >"$clean/log" ||
        fail "debootstrap failed: $clean/log"
    touch "$clean/complete"
fi

work="$(mktemp -d "$repository/.build/package-test.XXXXXX")"
root="$work/root"
contain=(systemd-nspawn --quiet --register=no --keep-unit --machine "${work##*.}" --directory "$root")
machine=
leader=
cleanup() {
    local code=$?
    if ((code != 0)) && [[ -n $leader ]]; then
        inside journalctl --no-pager --quiet --priority warning --lines 20 >&2 || true
    fi
    if [[ -n $machine ]] && kill -0 "$machine" 2>/dev/null; then
        kill -TERM "$machine"
        wait "$machine" || true
    fi
    if ((code == 0 || code == 69)); then rm -rf "$work"; else printf 'FAILED; what was installed is left in %s\n' "$work" >&2; fi
}
trap cleanup EXIT

# With the container's root too: where this runs in a chroot, the root of the container's mounts is another.
inside() { nsenter --target "$leader" --all --root --wd -- "$@"; }
operator() { inside runuser -u trade-executor -- env TRADE_EXECUTOR_CONFIG=/etc/trade-executor/p0.conf trade-executor "$@"; }
passed=0
ok() {
    printf 'ok     %s\n' "$*"
    passed=$((passed + 1))
}
property() { inside systemctl show --value --property "$1" "trade-executor@${2:-p0}"; }
log_of() { inside journalctl --no-pager --quiet --unit "trade-executor@$1"; }

# Waits until a command succeeds.
until_true() {
    local what=$1 tries
    shift
    for ((tries = 0; tries < 600; tries++)); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    "$@" || true
    fail "waited in vain: $what"
}
shows() { [[ "$("${@:2}")" == *"$1"* ]]; }

# The programs of a debug build look for Swift's library where they were built.
binds=()
dpkg-deb --extract "$package" "$work/contents"
library="$(readelf --dynamic "$work/contents/usr/bin/trade-executor" | sed -nE 's/.*RUNPATH.*\[([^]:]*).*/\1/p')"
[[ -z $library ]] || binds=(--bind-ro="$library")

step "installing $(basename "$package")"
cp -a --reflink=auto "$clean/root" "$root"
cp "$package" "$root/root/trade-executor.deb"
if ! "${contain[@]}" --pipe true >"$work/container.log" 2>&1; then
    printf 'no container can be run on this machine, so nothing is tested: %s\n' "$(head -n 1 "$work/container.log")" >&2
    exit 69
fi
"${contain[@]}" --pipe --setenv=DEBIAN_FRONTEND=noninteractive \
    bash -ec 'apt-get -qq update && apt-get -qq install --no-install-recommends /root/trade-executor.deb' \
    >"$work/install.log" 2>&1 || fail "$(tail -n 20 "$work/install.log")"
[[ -x $root/usr/bin/trade-executor ]]
grep -q '^trade-executor:' "$root/etc/passwd"
ok "it installs, with what it depends on, and makes the worker's user"

key=PKTESTKEYOFTHETESTS1
secret=secretOfTheTestsNeverToBeWrittenAnywhere
settings_of_p0() {
    sed 's|^broker_url.*|broker_url = http://127.0.0.1:8080|' "$root/usr/share/doc/trade-executor/examples/example.conf" \
        >"$root/etc/trade-executor/p0.conf"
}
credentials_of_p0() {
    mkdir -m 700 "$root/etc/trade-executor/p0.credentials"
    (umask 077 && printf %s "$key" >"$root/etc/trade-executor/p0.credentials/api_key_id" &&
        printf %s "$secret" >"$root/etc/trade-executor/p0.credentials/api_secret_key")
}

"${contain[@]}" --private-network --boot "${binds[@]}" >"$work/boot.log" 2>&1 </dev/null &
machine=$!
# Asked anew each time: the first child only prepares the container, and is gone when systemd runs.
systemd_runs() {
    leader="$(pgrep --parent "$machine" | head -n 1)" && [[ -n $leader ]] &&
        [[ "$(inside systemctl is-system-running)" == running ]]
}
started=
for ((tries = 0; tries < 600; tries++)); do
    if systemd_runs 2>/dev/null; then
        started=yes
        break
    fi
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.1
done

if [[ -z $started ]]; then
    [[ -z $leader ]] || inside systemctl --failed --no-pager 2>&1 || true
    kill -KILL "$machine" 2>/dev/null || true
    wait "$machine" || true
    machine=
    printf 'systemd does not run in a container on this machine:\n'
    tail -n 5 "$work/boot.log"
    step "trading on the simulator, without systemd: units, watchdog and journal are not tested here"
    settings_of_p0
    credentials_of_p0
    cat >"$root/root/trade.sh" <<END
set -euo pipefail
unset NOTIFY_SOCKET
as_worker() { exec setpriv --reuid trade-executor --regid trade-executor --clear-groups env TRADE_EXECUTOR_CONFIG=/etc/trade-executor/p0.conf "\$@"; }
alpaca-simulator --port 8080 --key-id '$key' --secret '$secret' &
chown -R trade-executor /etc/trade-executor/p0.credentials
install -d -m 750 -o trade-executor -g trade-executor /var/lib/trade-executor/p0
as_worker env CREDENTIALS_DIRECTORY=/etc/trade-executor/p0.credentials \
    $(sed -n 's|^ExecStart=||p' "$root/lib/systemd/system/trade-executor@.service" | sed 's|%i|p0|g') 2>/root/worker.log &
worker=\$!
(as_worker trade-executor submit --symbol AAPL --side buy --quantity 1 --wait)
(as_worker trade-executor status --check)
kill "\$worker"
wait "\$worker"
dpkg --remove trade-executor
[[ ! -e /usr/bin/trade-executor && -f /var/lib/trade-executor/p0/trades.db ]]
dpkg --purge trade-executor
END
    "${contain[@]}" --private-network --pipe --as-pid2 "${binds[@]}" bash /root/trade.sh >"$work/trade.log" 2>&1 ||
        fail "$(tail -n 20 "$work/trade.log" "$root/root/worker.log")"
    grep -q '"result":"success"' "$work/trade.log" || fail "$(cat "$work/trade.log")"
    ok "the unit's command trades, its operator finds it well, and it stops in order"
    [[ -f $root/var/lib/trade-executor/p0/trades.db && -f $root/etc/trade-executor/p0.conf ]]
    ok "removed and purged, its state directory and settings are left"
    printf '%d passed, 0 failed\n' "$passed"
    exit
fi
ok "systemd runs in it"

step "trading on the simulator"
inside systemd-run --quiet --unit simulator --property Restart=always \
    /usr/bin/alpaca-simulator --port 8080 --key-id "$key" --secret "$secret"
inside systemctl start trade-executor@p0 2>/dev/null && fail "it started without its configuration"
shows 'Assertion failed' inside systemctl status trade-executor@p0 || shows 'Assertion failed' log_of p0
ok "without a configuration it does not start: Assertion failed"

settings_of_p0
inside systemctl start trade-executor@p0 2>/dev/null && fail "it started without its credentials"
shows '243/CREDENTIALS' inside systemctl status trade-executor@p0 || fail "systemctl status says otherwise"
inside systemctl stop trade-executor@p0
ok "without credentials it does not start: 243/CREDENTIALS"

credentials_of_p0
inside systemctl enable --quiet --now trade-executor.target trade-executor@p0
[[ "$(property ActiveState)" == active ]]
until_true "the worker's status" shows '0 waiting, 0 open orders, 0 unknown' property StatusText
ok "systemctl start trade-executor@p0: it tells systemd that it is ready, and how it is"

inside env CREDENTIALS_DIRECTORY=/etc/trade-executor/p0.credentials trade-executor check \
    --config /etc/trade-executor/p0.conf >"$work/check.log" || fail "$(cat "$work/check.log")"
buy() { operator submit --symbol AAPL --side buy --quantity 1 --wait | grep -q '"result":"success"'; }
buy && operator status --check >/dev/null
ok "it trades, and its operator finds it well"

shows 'OK' inside systemd-analyze security trade-executor@p0
inside journalctl --no-pager --output export --unit trade-executor@p0 >"$work/journal"
! grep -rqs "$secret" "$root/var/lib/trade-executor" "$work/journal" || fail "the secret was written down"
[[ "$(stat -c %a "$root/var/lib/trade-executor/p0")" == 750 ]]
ok "systemd finds it closed enough: $(inside systemd-analyze security trade-executor@p0 | grep -o 'Overall.*' | grep -o '[0-9.]* OK')"

sed 's|5555|5565|; s|5556|5566|' "$root/etc/trade-executor/p0.conf" >"$root/etc/trade-executor/p1.conf"
cp -a "$root/etc/trade-executor/p0.credentials" "$root/etc/trade-executor/p1.credentials"
inside systemctl stop trade-executor@p0
inside systemctl start trade-executor@p1 2>/dev/null && fail "p1 started on the state of p0"
inside systemctl stop trade-executor@p1
inside systemctl start trade-executor@p0
ok "settings that still name another partition's directory do not start"

if [[ -e $root/usr/bin/trade-monitor ]]; then
    printf '{"v":1,"epoch":1,"default":"p0","partitions":{"p0":{"intake":"%s","outcomes":"%s"}},"strategies":{}}\n' \
        tcp://127.0.0.1:5555 tcp://127.0.0.1:5556 >"$root/etc/trade-executor/partitions.json"
    # Where all this runs in a chroot, the kernel makes no user namespaces.
    if ! inside unshare --user true 2>/dev/null; then
        echo 'no user namespaces here: the monitor is tested without PrivateUsers='
        mkdir -p "$root/etc/systemd/system/trade-monitor.service.d"
        printf '[Service]\nPrivateUsers=no\n' >"$root/etc/systemd/system/trade-monitor.service.d/test.conf"
        inside systemctl daemon-reload
    fi
    inside systemctl start trade-monitor
    # shellcheck disable=SC2016
    health='exec 3<>/dev/tcp/127.0.0.1/9464 && printf "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3 && read -r line <&3 &&
        [[ $line == *" 200 "* ]]'
    until_true "the monitor's health" inside bash -c "$health"
    inside test -f /var/lib/trade-monitor/monitor.db
    inside systemctl stop trade-monitor
    ok "the monitor finds it well, and keeps a store of its own"
fi

step "the watchdog"
before="$(property MainPID)"
inside systemctl kill --signal=STOP trade-executor@p0
until_true "the watchdog" shows 'Watchdog timeout' log_of p0
until_true "a new worker" shows 1 property NRestarts
until_true "the new worker's trade" buy
[[ "$(property MainPID)" != "$before" ]]
ok "stopped in its tracks, it is killed and started again, and trades"

step "a damaged database"
inside systemctl stop trade-executor@p0
mv "$root/var/lib/trade-executor/p0/trades.db" "$work/trades.db"
rm -f "$root"/var/lib/trade-executor/p0/trades.db-*
head -c 40960 /dev/urandom >"$root/var/lib/trade-executor/p0/trades.db"
chown --reference="$root/var/lib/trade-executor/p0" "$root/var/lib/trade-executor/p0/trades.db"
inside systemctl start trade-executor@p0 2>/dev/null && fail "it started on a damaged database"
sleep 5
[[ "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" == "failed 74 0" ]] ||
    fail "a damaged database: $(property ActiveState) $(property ExecMainStatus) $(property NRestarts)"
cp -a --no-preserve=ownership "$work/trades.db" "$root/var/lib/trade-executor/p0/trades.db"
chown --reference="$root/var/lib/trade-executor/p0" "$root/var/lib/trade-executor/p0/trades.db"
inside systemctl start trade-executor@p0
buy
ok "it ends with 74 and is not started again; with its database back it trades on"

step "upgrading and removing"
before="$(property MainPID)"
inside dpkg --install /root/trade-executor.deb >"$work/upgrade.log" 2>&1
[[ "$(property MainPID)" == "$before" && "$(cat "$work/upgrade.log")" == *'systemctl restart trade-executor.target'* ]]
inside systemctl restart trade-executor.target
until_true "a worker of the new version" buy
[[ "$(property MainPID)" != "$before" ]]
ok "an upgrade leaves a running worker as it is until it is restarted"

inside dpkg --remove trade-executor >/dev/null 2>&1
[[ ! -e $root/usr/bin/trade-executor && -f $root/var/lib/trade-executor/p0/trades.db ]]
! grep -qs trade-executor "/proc/$leader/root/proc"/[0-9]*/comm || fail "a worker still runs"
[[ "$(inside journalctl --no-pager --quiet --unit trade-executor@p0 --lines 20)" == *'notice'*'stopped'* ]]
inside dpkg --purge trade-executor >/dev/null 2>&1
[[ -f $root/var/lib/trade-executor/p0/trades.db && -f $root/etc/trade-executor/p0.conf ]]
ok "removed and purged, it has stopped in order, and its state directory and settings are left"

printf '%d passed, 0 failed\n' "$passed"
