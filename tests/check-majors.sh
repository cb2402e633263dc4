#!/bin/sh
# check-majors.sh DIRECTORY [SUITE...]: ./runtests on Debian releases with other PostgreSQLs:
# trixie has 17, forky 18.
#
# Each release is a small Debian in DIRECTORY/SUITE, made by debootstrap from the mirror this
# machine uses (or $ELVIS_MIRROR) and kept, so that the next run only tests.  Needs root, for
# chroot and mounts; the mounts are in a namespace of their own and end with the run, as do
# all its processes.  Nothing outside DIRECTORY is touched.
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

[ "$(id -u)" -eq 0 ] || refuse "needs root, to change into other Debians"
for program in debootstrap unshare chroot; do
	command -v $program >/dev/null 2>&1 || refuse "$program is missing (Debian: debootstrap)"
done

# The first source of this machine that is Debian itself and not its updates
mirror() {
	apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
		sed 's,/*$,,' | head -n 1
}
mirror=${ELVIS_MIRROR:-$(mirror)}
mirror=${mirror:-http://deb.debian.org/debian}

# make_debian SUITE ROOT.  A release younger than debootstrap is made like sid.
make_debian() {
	script=/usr/share/debootstrap/scripts/$1
	[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid

	rm -rf "$2" "$2.new"
	debootstrap --variant=minbase "$1" "$2.new" "$mirror" "$script" >"$2.log" 2>&1 ||
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
		echo "==> $suite: making it from $mirror"
		if ! make_debian "$suite" "$root"; then
			failed="$failed $suite"
			continue
		fi
	fi
	echo "==> $suite"
	run_in "$root" >"$directory/$suite.log" 2>&1 || failed="$failed $suite"
	grep -E '^(FAIL|ERROR|XPASS|runtests):' "$directory/$suite.log" | sort -u || true
	version=$(sed -n 's/^  PostgreSQL  *\([0-9]*\), asked.*/PostgreSQL \1, /p' "$directory/$suite.log")
	echo "$suite: $version$(tail -n 1 "$directory/$suite.log")"
done

[ -z "$failed" ] || refuse "failed:$failed; the whole story is in $directory/SUITE.log"
