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
# is done when the workers have ended, who have all there is, or each measurement would pay for
# those before it.
sub settle
{
	my ($source) = @_;

	$source->sql("checkpoint");
	my $reached = $source->sql("select pg_current_wal_insert_lsn()");
	wait_until("slots to be let go", sub {
		$source->sql("select bool_or(active) from pg_replication_slots") ne "t" });
	$source->sql("select pg_replication_slot_advance(slot_name, '$reached') " .
		"from pg_replication_slots");
	return;
}

1;
