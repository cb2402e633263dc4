# machine.sh: from a bare Debian or Ubuntu machine to a build; ./runtests and ./quickstart source it.
#
# Whoever sources it stands in the source directory, has set $keep to yes or no, and has a
# function give_up WORDS that says what is in the way and exits.

jobs=$(nproc 2>/dev/null || echo 2)

say() {
	printf '\n==> %s\n' "$*"
}

# Packages ----------------------------------------------------------------------------

missing=
need() {	# need PACKAGE TEST...: the package, unless the test succeeds
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_server_headers() {
	test -f "$("${PG_CONFIG:-pg_config}" --includedir-server)/postgres.h"
}

has_server() {
	test -x "$("${PG_CONFIG:-pg_config}" --bindir)/initdb"
}

# A tarball has its ./configure; a checkout makes it.
from_tarball() {
	test -f configure -a ! -e .git
}

look_for_packages() {
	missing=
	need gcc command -v cc
	need libc6-dev test -f /usr/include/stdio.h
	need make command -v make
	need pkg-config command -v pkg-config
	need xz-utils command -v xz
	need libconfig-dev pkg-config --exists libconfig
	need libjansson-dev pkg-config --exists jansson
	need libmd-dev pkg-config --exists libmd
	need check pkg-config --exists check
	need libpq-dev pkg-config --exists libpq
	need libipc-run-perl perl -MIPC::Run -e 1
	need postgresql-server-dev-all has_server_headers
	need postgresql has_server
	if ! from_tarball; then
		need autoconf command -v autoconf
		need automake command -v automake
		need libtool command -v libtoolize
	fi
}

install_packages() {
	command -v apt-get >/dev/null 2>&1 ||
		give_up "missing, by their Debian names:$missing"
	if [ "$(id -u)" -eq 0 ]; then
		as_root=env
	elif sudo -n true 2>/dev/null; then
		as_root='sudo env'
	elif [ -t 0 ] && command -v sudo >/dev/null 2>&1; then
		as_root='sudo env'	# it will ask
	else
		give_up "missing, and neither root nor sudo to install them: apt-get install$missing"
	fi
	say "installing$missing"
	$as_root DEBIAN_FRONTEND=noninteractive apt-get -q update &&
	$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		install $missing ||
		give_up "apt-get did not install$missing"
}

need_packages() {
	look_for_packages
	[ -n "$missing" ] || return 0
	install_packages
	look_for_packages
	[ -z "$missing" ] || give_up "still missing after installing it:$missing"
}

# A directory, and who works in it --------------------------------------------------------

child=
leave_running=no	# servers, when the script ends well

# make_directory: sets $dir, and $user when that is not who we are; what is below goes when the
# script ends.
make_directory() {
	# Short, because the path of a Unix socket has to be.
	dir=$(mktemp -d "${TMPDIR:-/tmp}/elvis.XXXXXX") || give_up "no directory to build in"
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	where=$dir
	user=
	[ "$(id -u)" -eq 0 ] || return 0
	for user in postgres nobody; do
		id "$user" >/dev/null 2>&1 && break
	done
}

# The processes of the stage that runs: it is the leader of a session of its own.
stage_pids() {
	awk -v session="$child" '{
		pid = $1
		sub(/.*\) /, "")
		if ($4 == session)
			print pid
	}' /proc/[0-9]*/stat 2>/dev/null
}

# What is cut off gets a moment to stop its servers; those that are left are ended by the pid in
# our directory.
clean_up() {
	if [ -n "$child" ]; then
		stage_pids | xargs -r kill 2>/dev/null
		for second in 1 2 3 4 5; do
			[ -n "$(stage_pids)" ] || break
			sleep 1
		done
		stage_pids | xargs -r kill -KILL 2>/dev/null
	fi
	[ "$leave_running" = yes ] ||
		find "$dir" -name postmaster.pid -exec head -n 1 {} \; 2>/dev/null |
			xargs -r kill -QUIT 2>/dev/null
	if [ "$keep" = yes ]; then
		echo "${0##*/}: left for a look: $dir" >&2
	else
		chmod -R u+w "$dir" 2>/dev/null
		rm -rf "$dir"
	fi
}

as_user() {
	if [ -z "$user" ]; then
		exec setsid "$@"
	fi
	exec setsid setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups \
		env HOME="$dir" USER="$user" LOGNAME="$user" "$@"
}

# stage NAME FILTER COMMAND...: runs it as the user in $where, shows what passes the
# filter, keeps all in $dir/NAME.log.  In the background, so that a signal ends it at once.
stage() {
	name=$1
	filter=$2
	shift 2
	: >"$dir/$name.log"	# tail may come first
	(cd "$where" && as_user "$@") >"$dir/$name.log" 2>&1 </dev/null &
	child=$!
	tail -n +1 -f --pid="$child" "$dir/$name.log" | sed -unE "$filter" &
	shower=$!
	wait "$child"
	status=$?
	child=
	wait "$shower"
	return "$status"
}

quiet=d

must() {	# must WHAT STAGE-ARGUMENTS...
	what=$1
	shift
	stage "$@" && return
	tail -n 60 "$dir/$1.log"
	give_up "$what failed"
}

# copy_sources: into $dir/source, without what builds have left, for $user to work in
copy_sources() {
	mkdir "$dir/source" "$dir/build" || give_up "cannot write $dir"
	tar -cf - --exclude=./.git --exclude='./build*' --exclude=./autom4te.cache \
		--exclude=./tests/pg/root --exclude=./tests/tmp --exclude=./tests/majors --exclude='*.o' --exclude='*.lo' \
		--exclude='*.la' --exclude=.libs --exclude=.deps --exclude='*.log' --exclude='*.trs' \
		--exclude=./config.status --exclude=./config.h --exclude=./Makefile . |
		tar -xf - -C "$dir/source" || give_up "copying the sources failed"
	[ -z "$user" ] || chown -R "$user:$(id -g "$user")" "$dir"
}

# build [CONFIGURE-OPTION...]: from $dir/source in $dir/build, where the next stage then runs
build() {
	if ! from_tarball; then
		where=$dir/source
		must "bootstrap" bootstrap $quiet ./bootstrap
	fi
	where=$dir/build
	must "configure" configure '/^  [a-zA-Z]/p' ../source/configure \
		${PG_CONFIG:+--with-pg-config="$PG_CONFIG"} "$@"
	must "the build" build '/warning:|error:/p' make -s -j"$jobs"
}
