# What the kernel knows of a process: CPU time and memory.  CPU is in seconds.
package Bench::Cpu;

use strict;
use warnings;

use Exporter 'import';
use List::Util 'sum0';
use POSIX ();

our @EXPORT_OK = qw(cpu_of_backend cpu_of_process cpu_of_server descendants
	peak_megabytes);

my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);

sub slurp
{
	my ($path) = @_;

	open my $file, '<', $path or return undef;
	local $/;
	return scalar <$file>;
}

# The fields of /proc/PID/stat after the program's name, which may hold anything: state is
# the first of them.
sub stat_fields
{
	my ($pid) = @_;
	my $stat = slurp("/proc/$pid/stat");

	return unless defined $stat && $stat =~ /.*\) (.*)/s;
	return split ' ', $1;
}

# One thread's, to the nanosecond: for backends.  0 when it is gone.
sub cpu_of_backend
{
	my ($pid) = @_;
	my $schedstat = slurp("/proc/$pid/schedstat");

	return 0 unless defined $schedstat;
	return (split ' ', $schedstat)[0] / 1e9;
}

# All threads', to the nanosecond; those that have ended are left out, and daemons keep theirs.
sub cpu_of_process
{
	my ($pid) = @_;

	return sum0(map { (split ' ', slurp($_) // '0')[0] } glob "/proc/$pid/task/*/schedstat")
		/ 1e9;
}

sub children
{
	my ($parent) = @_;
	my @children;

	for my $pid (map { m{/(\d+)$} ? $1 : () } glob '/proc/[0-9]*')
	{
		my @field = stat_fields($pid);
		push @children, $pid if @field && $field[1] == $parent;
	}
	return @children;
}

# A process, its children and theirs
sub descendants { return map { ($_, map { descendants($_) } children($_)) } @_; }

# A whole server's: the postmaster, what it has buried, and every process that lives.  A
# process buried while we look would be missed, so then we look again.
sub cpu_of_server
{
	my ($postmaster) = @_;

	while (1)
	{
		my @children = children($postmaster);
		my @field = stat_fields($postmaster);
		my $sum = ($field[11] + $field[12] + $field[13] + $field[14]) / $ticks;

		$sum += cpu_of_backend($_) for @children;
		return $sum if "@children" eq join " ", children($postmaster);
	}
}

# The most that a process ever had in memory
sub peak_megabytes
{
	my ($pid) = @_;
	my $status = slurp("/proc/$pid/status") // '';

	return $status =~ /^VmHWM:\s+(\d+) kB/m ? $1 / 1024 : 0;
}

1;
