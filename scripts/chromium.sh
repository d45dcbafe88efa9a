#!/bin/sh
# Print where Chromium is; install Debian's, with Chinese fonts, where this user may. The rest goes to stderr.
set -eu
found() {
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return 0
    done
    return 1
}
found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian's chromium for the browser tests …" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 || true
    apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >&2 </dev/null || true
    found && exit 0
fi
echo "The browser tests need Chromium: apt-get install chromium fonts-noto-cjk as root, or name one with CHROMIUM=/path." >&2
exit 1
