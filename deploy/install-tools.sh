# shellcheck shell=bash
# What building and testing need, brought in only where it is missing. Sourced by the scripts beside it.

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

step() { printf '\n==> %s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Puts Swift 6.2 or later on PATH.
find_swift() {
    local directory version
    for directory in "" /opt/swift/usr/bin "${SWIFTLY_BIN_DIR:-}" "${HOME:-}/.swiftly/bin" \
        "${HOME:-}/.local/share/swiftly/bin"; do
        [[ -z $directory || -x $directory/swift ]] || continue
        version="$(PATH="${directory:+$directory:}$PATH" swift --version 2>/dev/null |
            sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)" || continue
        [[ $version =~ ^([0-9]+)\ ([0-9]+)$ ]] || continue
        if ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] >= 602)); then
            PATH="${directory:+$directory:}$PATH"
            export PATH
            return
        fi
    done
    fail "Swift 6.2 or later is needed and was not found on PATH, in /opt/swift or in ~/.swiftly.
Install it with swiftly (https://www.swift.org/install/linux/), then run this again:
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init"
}

# What of a program's needs is there is asked of the machine, not of its package manager: it may have come otherwise.
has_program() { command -v "$1" >/dev/null; }
has_header() { echo "#include <$1>" | clang -E -x c - >/dev/null 2>&1; }
has_cpp_header() { echo "#include <$1>" | g++ -E -x c++ - >/dev/null 2>&1; }
has_python_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

missing_packages() {
    local what
    for what in "$@"; do
        case $what in
        libzmq3-dev) has_header zmq.h ;;
        libsqlite3-dev) has_header sqlite3.h ;;
        libcurl4-openssl-dev) has_header curl/curl.h ;;
        python3-venv) has_python_venv ;;
        cppzmq-dev) has_cpp_header zmq.hpp ;;
        nlohmann-json3-dev) has_cpp_header nlohmann/json.hpp ;;
        systemd) has_program systemd-analyze ;;
        dpkg-dev) has_program dpkg-shlibdeps ;;
        binutils) has_program strip ;;
        man-db) has_program man ;;
        systemd-container) has_program systemd-nspawn ;;
        nodejs) has_program node ;;
        libnode-dev) [[ -e /usr/include/node/node_api.h ]] ;;
        golang-go) has_program go ;;
        default-jdk-headless) has_program javac ;;
        libgoogle-gson-java) [[ -e /usr/share/java/gson.jar ]] ;;
        libjna-java) [[ -e /usr/share/java/jna.jar ]] ;;
        libzmq-java) [[ -e /usr/share/java/zmq.jar ]] ;;
        librust-zmq-dev) compgen -G '/usr/share/cargo/registry/zmq-*' >/dev/null ;;
        librust-serde-json-dev) compgen -G '/usr/share/cargo/registry/serde_json-*' >/dev/null ;;
        libzmq-ffi-perl) perl -MZMQ::FFI -e 1 2>/dev/null ;;
        php-cli) has_program php ;;
        php-zmq) php -m 2>/dev/null | grep -q '^zmq$' ;;
        prometheus) has_program promtool ;;
        ruby-ffi-rzmq) ruby -e 'require "ffi-rzmq"' 2>/dev/null ;;
        *) has_program "$what" ;;
        esac || echo "$what"
    done
}

# Installs those of the named Debian packages whose content is missing.
install_packages() {
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    step "installing ${missing[*]}"
    command -v apt-get >/dev/null || fail "Missing, and there is no apt-get here to install it: ${missing[*]}
(names of Debian packages). Install the same with this system's package manager, then run this again."
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "Missing: ${missing[*]}. As root, run this, then try again:
  apt-get update && apt-get install -y ${missing[*]}"
        as_root=(sudo)
    fi
    if ! "${as_root[@]}" apt-get update -q || ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"; then
        fail "Installing ${missing[*]} failed; what apt-get said stands above. Install it, then run this again."
    fi
}

# Compilers and ZeroMQ bindings for the sample clients. What Debian has no package for, the tests replace; R, Octave and
# Haskell are large, and their listings are skipped where they are not. So is every language where we cannot install.
install_client_languages() {
    if ! has_program apt-get || { ((EUID != 0)) && ! has_program sudo; }; then
        echo "Compilers and bindings cannot be installed: the tests skip sample clients whose language is not here."
        return 0
    fi
    # In a shell of its own, so that a package that cannot be had costs its language's tests and no others.
    (install_packages gcc g++ cppzmq-dev nlohmann-json3-dev cargo librust-zmq-dev librust-serde-json-dev golang-go \
        default-jdk-headless libgoogle-gson-java libjna-java libzmq-java nodejs libnode-dev \
        perl libzmq-ffi-perl php-cli php-zmq ruby ruby-ffi-rzmq) ||
        echo "Not all of them could be installed: the tests skip sample clients whose language is not here."
}

# A browser for the monitor's page, and promtool for its alerts. Debian has promtool in the package of the server itself,
# which is then switched off.
install_monitoring_tools() {
    if ! has_program apt-get || { ((EUID != 0)) && ! has_program sudo; }; then
        echo "Chromium and promtool cannot be installed: the tests of the monitor's page and alerts are skipped without."
        return 0
    fi
    local had_promtool=no
    if has_program promtool; then had_promtool=yes; fi
    (install_packages chromium prometheus) ||
        echo "Not all of them could be installed: the tests of the monitor's page and alerts are skipped without."
    if [[ $had_promtool == no && -d /run/systemd/system ]]; then
        if ((EUID == 0)); then systemctl disable --now prometheus; else sudo systemctl disable --now prometheus; fi || true
    fi
}

# Makes .build/python with exactly what requirements.txt names, and sets `python` to it.
make_python() {
    local wanted="$repository/Tests/PythonTests/requirements.txt" home="$repository/.build/python"
    python="$home/bin/python"
    if [[ -x $python ]] && cmp -s "$wanted" "$home/requirements.txt"; then return 0; fi
    step "making a Python environment in .build/python"
    rm -rf "$home"
    python3 -m venv "$home"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$wanted" ||
        fail "pip could not install what $wanted names; what it said stands above."
    # Last, so that an interrupted installation is begun anew.
    cp "$wanted" "$home/requirements.txt"
}
