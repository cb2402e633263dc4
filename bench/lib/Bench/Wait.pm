# Waiting for what comes about by itself.
package Bench::Wait;

use strict;
use warnings;

use Carp;
use Exporter 'import';
use Time::HiRes qw(sleep time);

our @EXPORT = qw(wait_until);

# Looks every $pause seconds until it is true; dies after $limit, ten minutes if not said.
sub wait_until
{
	my ($what, $condition, $pause, $limit) = @_;
	my $end = time + ($limit // 600);

	until ($condition->())
	{
		croak "waited in vain for $what" if time > $end;
		sleep($pause // 0.01);
	}
	return;
}

1;
