# The peers' programs, which are Debian packages.
package Bench::Packages;

use strict;
use warnings;

use File::Basename 'basename';

# Nothing but these and what they need: nothing is upgraded or removed, and no service is
# started.  That the server is a package already keeps a cluster from being made.
my $install = <<'SH';
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod 755 "$guard"
	trap 'rm -f "$guard"' EXIT
fi
apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-upgrade \
	--no-remove install "$@"
SH

# Installs what is not there, where that can be; says why not, where it cannot.
sub install
{
	my ($place, @packages) = @_;
	my @wanted = grep { !is_installed($_) } @packages;
	my @as_root = $> == 0 ? () : ('sudo', '-n');

	return unless @wanted;
	return "$place->{programs} is not a package's"
		unless succeeds("dpkg-query -S $place->{programs}/postgres");
	return 'neither root nor sudo' if @as_root && !succeeds('sudo -n true');
	print STDERR "installing @wanted\n";
	open my $words, '-|', @as_root, 'sh', '-c', "exec 2>&1\n$install", 'sh', @wanted
		or return "sh: $!";
	my @words = <$words>;
	return close $words ? () : "apt-get failed: $words[-1]";
}

sub is_installed
{
	return succeeds("dpkg-query -W -f '\${Status}' $_[0] | grep -q '^install ok'");
}

sub succeeds { return system("($_[0]) >/dev/null 2>&1") == 0; }

# A private copy of the server has links to all that was there when it was made; here it gets
# those to what has come since.
sub link_new
{
	my ($place) = @_;

	return unless $place->{root};
	for my $dir (@$place{qw(modules share)}, "$place->{share}/extension")
	{
		for my $file (glob "$dir/*")
		{
			my $name = basename($file);
			my $link = "$place->{root}$dir/$name";
			next if $name =~ /^elvis(--|\.|$)/ || -e $link;
			symlink $file, $link or warn "$link: $!\n";
		}
	}
	return;
}

1;
