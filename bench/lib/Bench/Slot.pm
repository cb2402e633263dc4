# What variants with replication slots share.
package Bench::Slot;

use strict;
use warnings;

use Bench::Wait;

# A worker that was stopped is started again at once, not after 5 s.
our $conf = <<'CONF';
wal_level = logical
wal_retrieve_retry_interval = 10ms
wal_receiver_status_interval = 1s
CONF

# A slot's restart point moves on only where running transactions are logged, and all after
# it is decoded again at the next start.  A server that lives does that every 15 s; here it
# is done before the worker is stopped, or each measurement would pay for those before it.
sub settle
{
	my ($source) = @_;
	my $reached = $source->sql("select pg_current_wal_insert_lsn()");

	wait_until("slots to move on", sub {
		$source->sql("checkpoint");
		$source->sql("select bool_and(restart_lsn >= '$reached') " .
			"from pg_replication_slots") eq "t"
	}, 0.2);
	return;
}

1;
