# What tests ask again and again.
package Elvis::Util;

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(sleep time);

our @EXPORT = qw(checksum poll_until same_rows);

# poll_until { condition } [seconds]: true as soon as the block says so, false when the
# time is over
sub poll_until(&;$)
{
	my ($condition, $seconds) = @_;
	my $end = time + ($seconds // 60);

	while (1)
	{
		return 1 if $condition->();
		return 0 if time > $end;
		sleep 0.05;
	}
}

# checksum($node, $table): of all its rows, in whatever order they lie
sub checksum
{
	my ($node, $table) = @_;

	return $node->sql(
		"select count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' "
		  . "order by t::text collate \"C\")), '-') from $table t");
}

# same_rows($table, $node, $node...): the same rows on all of them
sub same_rows
{
	my ($table, @nodes) = @_;
	my %sums = map { checksum($_, $table) => 1 } @nodes;

	return keys %sums == 1;
}

1;
