# elvis with two links from one node to the other, which apply side by side: one of
# pgbench_accounts, and one of all other tables.  Each has a mark of its own, as neither waits
# for the other.
package elvis_two_links;

use strict;
use warnings;

use FindBin;
BEGIN { require "$FindBin::RealBin/variant/elvis.pm"; }
use parent -norequire, 'elvis';

my $beside = 'mark_beside';

sub about { return 'elvis, two links: accounts, and the rest'; }
sub marks { return ('mark', $beside); }

sub takes_part
{
	my ($self, $measurement, $case) = @_;

	return $measurement eq 'catchup' && ($case // 'TPC-B') eq 'TPC-B';
}

sub link
{
	my ($self, @servers) = @_;

	$_->sql("create table $beside (id int primary key)") for @servers;
	$self->SUPER::link(@servers);
	return;
}

sub links
{
	my ($self, $target) = @_;
	my @first = map { "\"public.$_\"" } 'pgbench_accounts', $beside;
	my @rest = (map({ "{ match = $_; exclude = true; }" } @first), '"public.*"');
	my $uuid = 'uuid = "1c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10";';

	return ($self->link_text("source_$target", $target, '', @rest),
		$self->link_text('accounts', $target, $uuid, @first));
}

1;
