# What every variant is: a way to capture the changes of a server, or none, and perhaps to
# deliver them to others.  A variant is a file in bench/variant whose package, named after
# it, inherits from this and says what differs.  An object serves one source.
package Bench::Variant;

use strict;
use warnings;

use Bench::Machine;

sub new
{
	my ($class, $place, %setting) = @_;

	return bless { place => $place, %setting }, $class;
}

# One line for the table of variants
sub about { die "a variant says what it is"; }

# Its version, where it is not the server's
sub version { return ''; }

# What the extension's control file says
sub extension_version
{
	my ($place, $name) = @_;
	my $control = "$place->{extensions}/$name.control";

	return "$name " . Bench::Machine::first_match($control, qr/^default_version = '(.*)'/);
}

# Why it cannot run here, or ''; and the Debian packages that mend it
sub missing { return ''; }
sub packages { return (); }

# Why it is left out of the measurement of this name, or ''
sub cannot { return ''; }

# False if it is not meant for the measurement of this name, or for a case of it, which then
# does not speak of it
sub takes_part { return 1; }

# Tables of which a row says, once it has arrived, that all before it has: one for each way that
# changes go
sub marks { return ('mark'); }

# The largest backlog that it can be asked to bring over in reasonable time
sub most_changes { return 1e9; }

# True if it has link() and what follows
sub delivers { return 0; }

# Lines for postgresql.conf of its servers
sub conf { return ''; }

# From now on changes to the tables are captured; nobody takes them.
sub capture { return; }

# Bytes that it has written into tables of its own, indexes included; undef without such
sub log_bytes { return undef; }

# From now on changes are kept for the targets, which hold the same rows; delivery has not
# begun.
sub link { die "this variant does not deliver"; }

# Delivery begins, and ends; both return when it is so.
sub start { die "this variant does not deliver"; }
sub stop { die "this variant does not deliver"; }

# The processes without which nothing is delivered
sub carriers
{
	my ($self, $source, @targets) = @_;

	return $self->daemons if $self->has_daemon;
	return ($source->backends('walsender'), map { $self->apply_backends($_) } @targets);
}

# True if it fills new targets: prepare_copy(SOURCE, TARGET) does all that can be done before,
# copy(SOURCE, TARGET) returns when the rows are there.
sub copies { return 0; }
sub prepare_copy { die "this variant does not copy"; }
sub copy { die "this variant does not copy"; }

# The processes that are no server's, while delivery runs; whether there are such, and the
# megabytes that they are told to keep changes in
sub daemons { return (); }
sub has_daemon { return 0; }
sub cache_megabytes { return 0; }

# The backends on a target that write the changes, while delivery runs
sub apply_backends
{
	my ($self, $target) = @_;

	return $target->backends('client backend');
}

1;
