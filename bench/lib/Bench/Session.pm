# A session that stays: psql with its ends in our hands.  Its backend is there to be looked
# at, and a query costs no new connection.
package Bench::Session;

use strict;
use warnings;

use Carp;
use IPC::Open3;
use Symbol 'gensym';

my $end = 'end of the answer';

sub new
{
	my ($class, $psql, $conninfo) = @_;
	my $self = bless { conninfo => $conninfo, err => gensym }, $class;

	$self->{pid} = open3($self->{in}, $self->{out}, $self->{err}, $psql, '-XAtq',
		'-v', 'ON_ERROR_STOP=1', '-d', $conninfo);
	$self->{backend} = $self->query('select pg_backend_pid()');
	return $self;
}

# The answer to one statement or several, without the last newline
sub query
{
	my ($self, $sql) = @_;
	my $answer = '';

	local $SIG{PIPE} = 'IGNORE';
	print { $self->{in} } "$sql;\n\\echo $end\n";
	$self->{in}->flush;
	while (defined(my $line = readline $self->{out}))
	{
		if ($line eq "$end\n")
		{
			chomp $answer;
			return $answer;
		}
		$answer .= $line;
	}
	my $error = join '', readline $self->{err};
	croak "$error\nin: $sql";
}

sub close
{
	my ($self) = @_;

	close $self->{in};
	waitpid $self->{pid}, 0;
	return;
}

1;
