# A row trigger in C that does nothing: the least that any trigger costs.
package empty_trigger;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Data 'tables_of';

sub about { return 'an AFTER ROW trigger in C that does nothing'; }

sub capture
{
	my ($self, $source) = @_;
	my $module = $self->{place}->compile_module('empty_trigger');

	$source->sql("create function bench_empty_trigger() returns trigger " .
		"language c as '$module'");
	$source->sql("create trigger empty after insert or update or delete on $_ " .
		"for each row execute function bench_empty_trigger()") for tables_of($source);
	return;
}

1;
