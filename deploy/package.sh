#!/usr/bin/env bash
# Builds the Debian package.
set -euo pipefail

usage() {
    cat <<'END'
usage: bash deploy/package.sh [--binaries DIR] [--output DIR] [--version VERSION] [--compression TYPE]

Builds the programs as released, with Swift's library in them, and makes trade-executor_VERSION_ARCHITECTURE.deb: programs,
units, manual pages, completions for bash, zsh and fish, the runbook, examples. Prints the path of the package last.

  --binaries DIR      the programs as they were built before, which are not built again
  --output DIR        where the package is put; .build/package unless said
  --version VERSION   of a release; unless said made of the last commit's time and name
  --compression TYPE  of the package: xz, or none, which is quicker to make

The same programs, commit and version make the same package, byte for byte. (That the compiler makes the same programs of the
same source is not promised by it.)
END
}

binaries=
output=
version=
compression=xz
while (($#)); do
    case $1 in
    --binaries | --output | --version | --compression)
        [[ -n ${2:-} ]] || { usage >&2 && exit 64; }
        declare "${1#--}=$2"
        shift 2
        ;;
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

# shellcheck source-path=SCRIPTDIR source=install-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/install-tools.sh"
output="$(realpath -m "${output:-$repository/.build/package}")"
[[ -z $binaries ]] || binaries="$(realpath "$binaries")"
cd "$repository"

install_packages dpkg-dev chrpath binutils git >&2

programs=(trade-executor alpaca-simulator)
if grep -q '"trade-monitor"' Package.swift; then programs+=(trade-monitor); fi

if [[ -z $binaries ]]; then
    find_swift
    install_packages libzmq3-dev libsqlite3-dev libcurl4-openssl-dev >&2
    for program in "${programs[@]}"; do
        step "building $program" >&2
        swift build -c release --static-swift-stdlib --product "$program" >&2
    done
    binaries=.build/release
fi

# Everything that depends on time or place is taken from the commit.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022
day="$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)"
version="${version:-0.1.0+$(date -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$(git rev-parse --short=8 HEAD)}"
architecture="$(dpkg --print-architecture)"

mkdir -p "$output"
work="$(mktemp -d "$output/work.XXXXXX")"
trap 'rm -rf "$work"' EXIT
root="$work/root"
documents="$root/usr/share/doc/trade-executor"
examples="$documents/examples"
mkdir -p "$root"/{DEBIAN,etc/trade-executor,lib/systemd/system,usr/bin,usr/share/man/man1} \
    "$root"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d} "$examples"

compressed() { gzip -9 -n >"$1.gz"; }

for program in "${programs[@]}"; do
    installed="$root/usr/bin/$program"
    cp "$binaries/$program" "$installed"
    "$installed" --experimental-dump-help >"$work/help.json"
    sections="deploy/debian/$program.man"
    [[ -f $sections ]] || sections=
    python3 deploy/manual.py "$program" "$day" ${sections:+"$sections"} <"$work/help.json" |
        compressed "$root/usr/share/man/man1/$program.1"
    "$installed" --generate-completion-script bash | sed 1d >"$root/usr/share/bash-completion/completions/$program"
    "$installed" --generate-completion-script zsh >"$root/usr/share/zsh/vendor-completions/_$program"
    "$installed" --generate-completion-script fish >"$root/usr/share/fish/vendor_completions.d/$program.fish"
done

# Which libraries they need, and from which version on; asked while a program still knows where its own are.
mkdir "$work/debian"
printf 'Source: trade-executor\n\nPackage: trade-executor\nArchitecture: any\n' >"$work/debian/control"
shared="$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info --warnings=0 root/usr/bin/* 2>"$work/shlibdeps.log")" || {
    cat "$work/shlibdeps.log" >&2
    fail "dpkg-shlibdeps could not tell which libraries the programs need."
}
for installed in "$root"/usr/bin/*; do
    # A debug build's path to Swift's libraries is kept: it would not run without.
    if ! readelf -d "$installed" | grep -q 'NEEDED.*libswift'; then
        strip --strip-unneeded --remove-section=.comment "$installed"
        chrpath --delete "$installed" >/dev/null
    fi
done

cp deploy/systemd/trade-executor{@.service,.target,-backup@.service,-backup@.timer} "$root/lib/systemd/system"
if [[ " ${programs[*]} " == *" trade-monitor "* ]]; then
    cp deploy/systemd/trade-monitor.service "$root/lib/systemd/system"
fi

cp deploy/debian/copyright "$documents"
cp deploy/runbook.md deploy/install.md deploy/performance.md "$documents"
cp -r deploy/contract "$documents"
cp -r deploy/litestream "$documents"
cp deploy/systemd/example.conf deploy/limits.example.json "$examples"
git log --format='trade-executor (%cd) unstable; urgency=medium%n%n  * %s%n%n -- %an <%ae>  %cD%n' --date=format:%Y%m%d%H%M%S -1 |
    sed "1s/([0-9]*)/($version)/" | compressed "$documents/changelog"

cat >"$root/DEBIAN/control" <<END
Package: trade-executor
Version: $version
Architecture: $architecture
Maintainer: $(git log -1 --format='%an <%ae>')
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Depends: adduser, ${shared#shlibs:Depends=}
Recommends: ca-certificates, sqlite3
Section: misc
Priority: optional
Description: executes trade decisions from ZeroMQ at Alpaca
 Strategies in any language publish decisions on a ZeroMQ socket. One worker
 executes each at the broker Alpaca, in order and once, keeps every request and
 answer in SQLite, and publishes what came of it.
 .
 With units for systemd, a broker simulator to try it on, and a runbook.
END
install -m 755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)

find "$root" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
package="$output/trade-executor_${version}_${architecture}.deb"
dpkg-deb --root-owner-group -Z"$compression" --build "$root" "$package" >&2
echo "$package"
