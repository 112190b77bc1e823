#!/usr/bin/env bash
# `SLUICE FOLDER`, as root: `make install` and the Debian package, on this host's own file system, of which only a copy is written
# to (an overlay in a mount namespace, with networks and processes of its own). A stand-in for systemctl does what the
# maintainer scripts ask systemd for. Prints `package checked` at the end.
set -euo pipefail
sluice=$1 folder=$2
if [[ ${PACKAGE_CHECK_INSIDE:-} != 1 ]]; then
    exec env PACKAGE_CHECK_INSIDE=1 unshare --mount --net --pid --fork --kill-child "$BASH" "$0" "$@"
fi
cd "$(dirname "$0")/../../.."
fail() { printf 'package check: %s\n' "$*" >&2; tail -n 20 "$folder"/*.log >&2 || true; exit 1; }
absent() { for path in "$@"; do [[ ! -e $path ]] || fail "$path is still there"; done; }
wait_for() {
    local what=$1
    shift
    for _ in {1..300}; do "$@" && return; sleep 0.05; done
    fail "no $what"
}

# `make install` and `make uninstall`
export SLUICE_BINARY=$sluice
for prefix in /usr /opt/sluice; do
    DESTDIR=$folder/tree PREFIX=$prefix scripts/install
    [[ $("$folder/tree$prefix/bin/sluice" version) == "$("$sluice" version)" ]] || fail "another version is installed in $prefix"
    grep -qx "ExecStart=$prefix/bin/sluice run" "$folder/tree$prefix/lib/systemd/system/sluice.service" || fail "ExecStart"
    echo 'SLUICE_WORKERS=1' >"$folder/tree/etc/default/sluice"
    DESTDIR=$folder/tree PREFIX=$prefix scripts/install
    grep -qx 'SLUICE_WORKERS=1' "$folder/tree/etc/default/sluice" || fail "make install writes over /etc/default/sluice"
    DESTDIR=$folder/tree PREFIX=$prefix scripts/install remove >/dev/null
    [[ $(cd "$folder/tree" && find . -type f) == ./etc/default/sluice ]] || fail "make uninstall leaves files of $prefix"
done

for version in 1.0.0-rc.1 1.0.0; do SLUICE_PACKAGE_VERSION=$version scripts/package-deb "$folder" >>"$folder/build.log" 2>&1; done
first=$(echo "$folder"/sluice_1.0.0~rc.1_*.deb) second=$(echo "$folder"/sluice_1.0.0_*.deb)
dpkg --compare-versions '1.0.0~rc.1' lt 1.0.0
[[ $(dpkg-deb -f "$first" Depends) == *libssl3* ]] || fail "the package does not depend on OpenSSL"
[[ -z $(dpkg-deb --fsys-tarfile "$first" | tar -tv | grep -v ' root/root ') ]] || fail "files of others than root"

# A copy of the host
mkdir "$folder/upper" "$folder/root"
mount -t tmpfs none "$folder/upper"
mkdir "$folder/upper/new" "$folder/upper/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper/new,workdir=$folder/upper/work" "$folder/root"
root=$folder/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
ip link set lo up
mkdir -p "$root/run/systemd/system" "$root/packages"
cp "$first" "$second" "$root/packages/"
cat >"$root/usr/local/bin/systemctl" <<'END'
#!/bin/bash
# What the package's scripts ask systemd for, of one service. Links are made by the real one, which needs no systemd for it.
echo "systemctl $*" >>/run/asked
case "$*" in
*is-active*) [[ -e /run/sluice.pid ]] ;;
*"--signal=USR2 sluice.service") kill -USR2 "$(</run/sluice.pid)" ;;
*preset*|*is-enabled*|*mask*) exec /usr/bin/systemctl "$@" ;;
esac
END
chmod 755 "$root/usr/local/bin/systemctl"
rm -f "$root/usr/sbin/policy-rc.d"
readonly variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
in_root() { chroot "$root" env -i "${variables[@]}" "$@"; }
dpkg_in_root() { in_root dpkg --force-unsafe-io "$@" >>"$folder/dpkg.log" 2>&1 || fail "dpkg $*"; }
asked() { grep -q -e "$1" "$root/run/asked" || fail "systemctl was not asked: $1: $(<"$root/run/asked")"; }

# Install
dpkg_in_root -i "/packages/${first##*/}"
in_root getent passwd sluice | grep -q ':/var/lib/sluice:/usr/sbin/nologin$' || fail "no user"
[[ $(in_root stat -c '%a %U %G' /etc/sluice/manifests) == "750 root sluice" ]] || fail "rights of /etc/sluice/manifests"
[[ -L $root/etc/systemd/system/multi-user.target.wants/sluice.service ]] || fail "the unit is not enabled"
asked 'start.* sluice.service'
in_root systemd-analyze verify --man=no /usr/lib/systemd/system/sluice.service >"$folder/verify.log" 2>&1 ||
    fail "systemd-analyze verify"
! grep -q sluice "$folder/verify.log" || fail "systemd-analyze verify has remarks"
in_root systemd-analyze security --offline=true --no-pager --threshold=20 /usr/lib/systemd/system/sluice.service \
    >"$folder/security.log" 2>&1 || fail "systemd-analyze security"
tail -n 1 "$folder/security.log"

# Run, as the unit does
cat >"$root/etc/sluice/manifests/gateway.yaml" <<'END'
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: sluice, listeners: [{name: p, port: 7000, protocol: TCP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{group: sluice.dev, kind: Backend, name: echo}]}]}
---
apiVersion: sluice.dev/v1alpha1
kind: Backend
metadata: {name: echo}
spec: {endpoints: [{ip: {address: 127.0.0.1, port: 7001}}]}
END
chroot "$root" chgrp sluice /etc/sluice/manifests/gateway.yaml
chmod 640 "$root/etc/sluice/manifests/gateway.yaml"
"$sluice" echo --port 7001 --name package >"$folder/echo.log" 2>&1 &
in_root setpriv --reuid=sluice --regid=sluice --clear-groups env SLUICE_MANIFESTS=/etc/sluice/manifests /usr/bin/sluice run \
    >"$folder/run.log" 2>&1 &
greeting() { exec 7<>/dev/tcp/127.0.0.1/7000 && read -r -t 5 line <&7 && [[ $line == *'"backend":"package"'* ]]; } 2>/dev/null
wait_for "connection through the installed gateway" greeting
exec 8<>/dev/tcp/127.0.0.1/7000
read -r -t 5 <&8
pidof_run() { in_root pgrep -u sluice -x sluice; }
pidof_run >"$root/run/sluice.pid"
echo 'SLUICE_DRAIN_DEADLINE=30s' >>"$root/etc/default/sluice"

# Upgrade: the new program takes over from the one that runs
: >"$root/run/asked"
dpkg_in_root -i "/packages/${second##*/}"
asked '--signal=USR2 sluice.service'
! grep -q 'stop' "$root/run/asked" || fail "an upgrade stops the service"
wait_for "handover" grep -q 'taken over' "$folder/run.log"
grep -q SLUICE_DRAIN_DEADLINE=30s "$root/etc/default/sluice" || fail "an upgrade writes over /etc/default/sluice"
[[ $(in_root stat -c '%a %G' /etc/sluice/manifests/gateway.yaml) == "640 sluice" ]] || fail "an upgrade changes manifests"
greeting || fail "no connection after the upgrade"
echo still there >&8
read -r -t 5 line <&8 && [[ $line == "still there" ]] || fail "the established connection is gone"
exec 8>&-
exec 7>&-
wait_for "end of the old process" eval '[[ $(pidof_run | wc -l) == 1 ]]'

# Remove: what is the administrator's stays
dpkg_in_root -r sluice
asked 'stop.* sluice.service'
kill -INT "$(pidof_run)"
absent "$root/usr/bin/sluice" "$root/usr/lib/systemd/system/sluice.service" "$root/usr/share/doc/sluice"
[[ -e $root/etc/default/sluice && -e $root/etc/sluice/manifests/gateway.yaml ]] || fail "remove takes configuration away"

# Purge: and is not taken even then
mkdir -p "$root/var/cache/sluice" "$root/var/lib/sluice/spool" "$root/var/log/sluice"
wait_for "end of the process" eval '! pidof_run >/dev/null'
dpkg_in_root -P sluice
absent "$root/etc/default/sluice" "$root/var/cache/sluice" "$root/var/lib/sluice" "$root/var/log/sluice" \
    "$root/etc/systemd/system/multi-user.target.wants/sluice.service" "$root/etc/systemd/system/sluice.service"
! in_root getent passwd sluice >/dev/null || fail "purge leaves the user"
[[ -e $root/etc/sluice/manifests/gateway.yaml ]] || fail "purge takes manifests away"
# Without manifests nothing at all is left.
dpkg_in_root -i "/packages/${second##*/}"
rm "$root/etc/sluice/manifests/gateway.yaml"
dpkg_in_root -P sluice
absent "$root/etc/sluice" "$root/etc/default/sluice"
left=$(in_root find /etc /usr /var/lib /var/log -name '*sluice*' -newer "/packages/${first##*/}" -not -path '/var/lib/dpkg/*')
[[ -z $left ]] || fail "purge leaves $left"
printf 'package checked\n'
