#!/bin/sh
# check-majors.sh DIRECTORY [SUITE...]: ./runtests on releases with other PostgreSQLs: of
# Debian trixie has 17, forky 18; of Ubuntu, when named, jammy has 14 and noble 16.
#
# Each release is a small system in DIRECTORY/SUITE, made by debootstrap and kept, so that
# the next run only tests.  Debian comes from the mirror this machine uses or $ELVIS_MIRROR,
# Ubuntu from $ELVIS_UBUNTU_MIRROR, checked with $ELVIS_UBUNTU_KEYRING.  Needs root, for
# chroot and mounts; the mounts are in a namespace of their own and end with the run, as do all
# its processes.  Nothing outside DIRECTORY is touched.
set -eu

source_dir=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
directory=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- trixie forky

refuse() {
	echo "check-majors: $*" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] || refuse "needs root, to change into other systems"
for program in debootstrap unshare chroot; do
	command -v $program >/dev/null 2>&1 || refuse "$program is missing (Debian: debootstrap)"
done

# The first source of this machine that is Debian itself and not its updates
mirror() {
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
		sed 's,/*$,,' | head -n 1
}
debian_mirror=${ELVIS_MIRROR:-$(mirror)}
ubuntu_mirror=${ELVIS_UBUNTU_MIRROR:-}
ubuntu_keyring=${ELVIS_UBUNTU_KEYRING:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}

# from_mirror SUITE: sets $mirror, $model (debootstrap's script; a release younger than it is
# made like others) and $options
from_mirror() {
	case $1 in
	jammy | noble)
		mirror=$ubuntu_mirror
		model=jammy
		options="--components=main,universe --keyring=$ubuntu_keyring"
		;;
	*)
		mirror=$debian_mirror
		model=sid
		options=
		;;
	esac
	[ ! -e "/usr/share/debootstrap/scripts/$1" ] || model=$1
	[ -n "$mirror" ] || refuse "no mirror to get $1 from; name one by" \
		"ELVIS_MIRROR (Debian) or ELVIS_UBUNTU_MIRROR (Ubuntu)"
}

make_system() {	# make_system SUITE ROOT
	rm -rf "$2" "$2.new"
	debootstrap --variant=minbase $options "$1" "$2.new" "$mirror" \
		"/usr/share/debootstrap/scripts/$model" >"$2.log" 2>&1 ||
		{ tail -n 20 "$2.log"; return 1; }

	# A mirror may be a snapshot, whose word is signed but no longer fresh.
	echo 'Acquire::Check-Valid-Until "false";' >"$2.new/etc/apt/apt.conf.d/snapshot"
	# the packages' own servers are not wanted
	mkdir -p "$2.new/etc/postgresql-common"
	echo 'create_main_cluster = false' >"$2.new/etc/postgresql-common/createcluster.conf"
	printf '#!/bin/sh\nexit 101\n' >"$2.new/usr/sbin/policy-rc.d"
	chmod +x "$2.new/usr/sbin/policy-rc.d"
	mv "$2.new" "$2"
}

# run_in ROOT: runtests on a fresh copy of the sources
run_in() {
	rm -rf "$1/elvis"
	mkdir "$1/elvis"
	tar -C "$source_dir" -cf - --exclude=./.git --exclude='./build*' \
		--exclude=./configure --exclude="./tests/majors" . | tar -C "$1/elvis" -xf -
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	unshare --mount --pid --fork --kill-child --propagation private sh -c '
		mount -t proc proc "$1/proc" &&
		mkdir -p "$1/dev/shm" &&
		mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" &&
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
			/elvis/runtests
	' sh "$1"
}

failed=
for suite in "$@"; do
	root=$directory/$suite
	if [ ! -d "$root" ]; then
		from_mirror "$suite"
		echo "==> $suite: making it from $mirror"
		if ! make_system "$suite" "$root"; then
			failed="$failed $suite"
			continue
		fi
	fi
	echo "==> $suite"
	run_in "$root" >"$directory/$suite.log" 2>&1 || failed="$failed $suite"
	grep -E '^(FAIL|ERROR|XPASS|runtests): ' "$directory/$suite.log" |
		grep -v 'missing test plan' | sort -u | head -n 40 || true
	version=$(sed -n 's/^  PostgreSQL  *\([0-9]*\), asked.*/PostgreSQL \1, /p' "$directory/$suite.log")
	echo "$suite: $version$(tail -n 1 "$directory/$suite.log")"
done

[ -z "$failed" ] || refuse "failed:$failed; the whole story is in $directory/SUITE.log"
