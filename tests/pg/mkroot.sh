#!/bin/sh
# mkroot.sh ROOT: a private copy of the PostgreSQL that $PG_CONFIG belongs to.
#
# The server looks for its libraries and its share directory relative to where its own
# program is.  So a copy of the programs, beside two directories of links to everything
# else, is a PostgreSQL into which an extension can be installed without being root and
# without anybody else's server seeing it.
#
# Without server programs (a client-only machine) nothing is made, and what needs a
# server is skipped.
set -eu

root=$1
bin=$("$PG_CONFIG" --bindir)
lib=$("$PG_CONFIG" --pkglibdir)
share=$("$PG_CONFIG" --sharedir)

# link_all FROM TO: links to all of FROM but an elvis installed there
link_all() {
	mkdir -p "$2"
	for entry in "$1"/*; do
		case ${entry##*/} in
		elvis | elvis.* | elvis--*) ;;
		*) ln -sf "$entry" "$2/" ;;
		esac
	done
}

rm -rf "$root"
mkdir -p "$root"
if [ ! -x "$bin/initdb" ]; then
	exit 0
fi

# copies, because a program follows its links before it looks around
mkdir -p "$root$bin"
cp -p "$bin"/* "$root$bin/"

# Where prefix/lib holds both, installing must not write through a link into the server.
link_all "$lib" "$root$lib"
link_all "$share" "$root$share"
rm -f "$root$share/extension"
link_all "$share/extension" "$root$share/extension"
