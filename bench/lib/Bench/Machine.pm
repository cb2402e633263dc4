# On what it was measured.
package Bench::Machine;

use strict;
use warnings;

use POSIX qw(strftime uname);

sub first_match
{
	my ($path, $pattern) = @_;

	open my $file, '<', $path or return 'unknown';
	while (my $line = <$file>)	# not $_, which may be a caller's
	{
		return $1 if $line =~ $pattern;
	}
	return 'unknown';
}

sub count_cpus
{
	open my $file, '<', '/proc/cpuinfo' or return 'unknown';
	return scalar grep { /^processor\s/ } <$file>;
}

sub load { return first_match('/proc/loadavg', qr/^(\S+ \S+ \S+)/); }

sub describe
{
	my ($place, $commit) = @_;
	my ($system, undef, $release) = uname();
	my $model = first_match('/proc/cpuinfo', qr/^model name\s*:\s*(.*)/);
	my $memory = first_match('/proc/meminfo', qr/^MemTotal:\s+(\d+)/);
	my $distribution = first_match('/etc/os-release', qr/^PRETTY_NAME="?([^"\n]*)/);

	chomp(my $postgres = `$place->{bin}/postgres --version`);
	return sprintf "- %s\n- %d x %s, %.0f GiB; %s %s, %s\n" .
		"- %s; fsync off, Unix sockets\n- elvis %s\n",
		strftime('%Y-%m-%d', gmtime), count_cpus(), $model, $memory / 1024 ** 2,
		$system, $release, $distribution, $postgres, $commit;
}

1;
