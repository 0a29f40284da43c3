#!/usr/bin/env bash
# What the tests need from the system: Chromium, Firefox, CJK fonts, a PostgreSQL and a TURN server.
# Installs when root; otherwise says what is missing and how to get it.
set -euo pipefail

packages=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || packages+=(chromium)
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || packages+=(firefox-esr)
fc-list 2>/dev/null | grep -qi 'cjk' || packages+=(fonts-noto-cjk)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages+=(postgresql)
command -v turnserver >/dev/null || packages+=(coturn)
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "make test needs these system packages: ${packages[*]}" >&2
  echo "install them with: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"
