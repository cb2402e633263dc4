# What tests ask again and again.
package Elvis::Util;

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(sleep time);

our @EXPORT = qw(checksum links_conf poll_until same_rows);

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

# links_conf([$paris, $lyon], ['paris', 'lyon', 'policy = "skip";'], ...): the text of a
# configuration with these nodes and links, each of them of all tables of public unless
# what it says has tables of its own
sub links_conf
{
	my ($nodes, @links) = @_;
	my @nodes = map {
		sprintf '{ name = "%s"; id = %d; conninfo = "@conninfo %s@"; }',
		  $_->name, $_->id, $_->name
	} @$nodes;
	my @texts = map {
		my ($from, $to, $more) = @$_;
		$more //= '';
		$more .= ' tables = "public.*";' if $more !~ /\btables\b/;
		qq({ name = "${from}_$to"; from = "$from"; to = "$to"; $more })
	} @links;

	local $" = ",\n";
	return "nodes = ( @nodes );\nlinks = ( @texts );\n";
}

# checksum($node, $table): of all its rows, in whatever order they lie and in whatever
# encoding the database has them
sub checksum
{
	my ($node, $table) = @_;

	return $node->sql(<<"SQL");
select count(*) || ' ' || coalesce(md5(string_agg(row, '\\x0a' order by row)), '-')
from (select convert_to(t::text, 'UTF8') from $table t) as rows (row)
SQL
}

# same_rows($table, $node, $node...): the same rows on all of them
sub same_rows
{
	my ($table, @nodes) = @_;
	my %sums = map { checksum($_, $table) => 1 } @nodes;

	return keys %sums == 1;
}

1;
