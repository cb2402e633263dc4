# A link without a daemon: reads a source's log and has it applied, step by step, so that a
# test decides what happens between.
#
#	my $link = Elvis::Link->new($paris, $lyon, rules => { public.t => rules(...) });
#	$link->start;
#	... changes at paris ...
#	my $told = $link->step;		# { state => 'd', changes => 3 }
#
# Members a test may set: rules, by table or for '*'; as => the role that applies.
# Options of step: answers => [ verdict(...), ... ] for conflicts that are asked about;
# alone => 1; keep => 1 to roll back instead of committing.
package Elvis::Link;

use strict;
use warnings;

use Carp;
use Exporter 'import';

our @EXPORT = qw(rules verdict always greater conflict_of varint string hex_of);

my @kinds = qw(none insert_exists update_exists multiple_unique_conflicts update_missing
  update_differs delete_missing delete_differs constraint_violation type_error
  target_table_missing target_column_missing policy_error gap);
my @verdicts = qw(abstain apply_remote keep_local merge insert_remote delete_local
  replace_blockers retry stop);
my %detects = (before_image => 0, changed_columns => 1, key => 2, order => 3);
my $serial = 0;

sub number_of
{
	my ($word, @words) = @_;

	for my $i (0 .. $#words) { return $i if $words[$i] eq $word; }
	croak "no such word: $word";
}

# ---- bytes ----

sub varint
{
	my ($value) = @_;
	my $bytes = '';

	while ($value >= 128) { $bytes .= chr($value % 128 + 128); $value = int($value / 128); }
	return $bytes . chr($value);
}

sub string { return varint(length $_[0]) . $_[0]; }
sub record { return chr($_[0]) . string($_[1]); }

# Bytes as SQL has them
sub hex_of { return "'\\x" . unpack('H*', $_[0]) . "'"; }

sub get_varint
{
	my ($in) = @_;
	my ($value, $shift) = (0, 1);

	while (1)
	{
		my $byte = ord substr($$in, 0, 1, '');
		$value += ($byte & 127) * $shift;
		return $value if $byte < 128;
		$shift *= 128;
	}
}

# ---- rules and verdicts ----

sub always { return [ 1, number_of($_[0], @verdicts), '', $_[1] // 'test' ]; }
sub greater { return [ 2, 0, $_[0], $_[1] // 'test' ]; }

# rules(detect => 'key', ignore => [ 'c' ], update_differs => always('keep_local'), ...)
sub rules
{
	my (%given) = @_;
	my $detect = $detects{ delete($given{detect}) // 'before_image' };
	my $ignored = delete($given{ignore}) // [];
	my $bytes = chr($detect) . varint(scalar @$ignored) . join('', map { string($_) } @$ignored);
	my $other = delete($given{other}) // [ 0, 0, '', 'test' ];

	$bytes .= varint(scalar @kinds);
	for my $kind (@kinds)
	{
		my $rule = delete($given{$kind}) // $other;
		$bytes .= chr($rule->[0]) . chr($rule->[1]) . string($rule->[2]) . string($rule->[3]);
	}
	croak 'unknown rules: ' . join(' ', keys %given) if %given;
	return $bytes;
}

# verdict('merge', undef, 'x', \0): for a merge the row, undef leaves a column, \0 is NULL
sub verdict
{
	my ($action, @row) = @_;
	my $bytes = chr(number_of($action, @verdicts)) . string('tester') . string('said so');

	for my $value (@row)
	{
		$bytes .= !defined $value ? varint(3) : ref $value ? varint(0)
		  : varint(4 + length $value) . $value;
	}
	return $bytes;
}

# What elvis.apply() tells of a conflict: its kind, and which parts it has.
sub conflict_of
{
	my ($hex) = @_;
	my $bytes = pack('H*', $hex);
	my %conflict = (kind => $kinds[ ord substr($bytes, 0, 1, '') ],
		operation => ord substr($bytes, 0, 1, ''));

	$conflict{$_} = get_varint(\$bytes) for qw(version seq ordinal attempt origin);
	substr($bytes, 0, 8, '');
	$conflict{xid} = get_varint(\$bytes);
	$conflict{parts} = ord substr($bytes, 0, 1, '');
	$conflict{rest} = $bytes;
	return \%conflict;
}

# ---- the link ----

sub new
{
	my ($class, $from, $to, %option) = @_;

	$serial++;
	return bless {
		from => $from,
		to => $to,
		name => $option{name} // "link_$serial",
		uuid => sprintf('00000000-0000-4000-8000-%012d', $option{number} // $serial),
		rules => $option{rules} // {},
		portable => $option{portable} // 'stored',
	}, $class;
}

sub open_sql
{
	my ($self) = @_;
	my $incarnation = $self->{from}->sql('select incarnation from elvis.node');

	return "select elvis.link_open('$self->{uuid}', '$self->{name}', "
	  . $self->{from}->id . ", $incarnation)";
}

# Begins here and now.
sub start
{
	my ($self) = @_;
	my ($id, $token) = split /\|/, $self->{from}->sql(
		"select id, token from elvis.subscribe('$self->{uuid}', '$self->{name}', 'test')");
	my $incarnation = $self->{from}->sql('select incarnation from elvis.node');

	$self->{to}->sql("select elvis.link_start('$self->{uuid}', '$self->{name}', "
		  . $self->{from}->id . ", $incarnation, $id, $token)");
	return $self;
}

# The target forgets the link, the source its subscriber.
sub forget
{
	my ($self) = @_;

	$self->{to}->sql("select elvis.link_forget('$self->{uuid}')");
	$self->{from}->sql("select elvis.unsubscribe('$self->{uuid}')");
	return;
}

# (from_id, from_token, to_id, to_token, seq)
sub position
{
	my ($self) = @_;

	return split /\|/, $self->{to}->sql(
		"select from_id, from_token, to_id, to_token, seq from elvis.position "
		  . "where link = '$self->{uuid}'");
}

sub rules_of
{
	my ($self, $table) = @_;
	my $rules = $self->{rules};

	return $rules->{$table} // $rules->{'*'} // rules();
}

# TABLE records of every version there is
sub tables
{
	my ($self) = @_;
	my $portable = $self->{portable} eq 'stored' ? 'false' : 'true';
	my $bytes = '';

	for my $line (split /\n/, $self->{from}->sql(
			"select schema_name || '.' || table_name, "
			  . "encode(elvis.describe(id, $portable), 'hex') from elvis.relation order by id"))
	{
		my ($table, $hex) = split /\|/, $line;
		$bytes .= record(0x42, pack('H*', $hex) . $self->rules_of($table));
	}
	return $bytes;
}

# Everything since the position, up to a snapshot taken now: (records, id, token)
sub read
{
	my ($self) = @_;
	my @at = $self->position;
	my ($id, $token) = split /\|/, $self->{from}->sql(
		'select id, token from elvis.take_snapshot()');
	my ($records, $seq, $inside, $finished) = ('', 0, 0, 'f');

	while ($finished ne 't')
	{
		(my $hex, $seq, $inside, $finished) = split /\|/, $self->{from}->sql(
			"select encode(body, 'hex'), seq, inside, finished from elvis.read("
			  . "$at[0], $at[1], $id, $token, $seq, $inside, 1000000, '$self->{portable}')");
		$records .= pack('H*', $hex // '');
	}
	return ($records, $id, $token);
}

# The frame of records that moves the position to a snapshot
sub frame
{
	my ($self, $records, $id, $token, $flags) = @_;
	my @at = $self->position;

	return chr(1) . chr($flags) . ($flags & 1 ? pack('q<5', @at) : '')
	  . ($flags & 2 ? pack('q<6', $id, $token, 0, 0, 0, 1_700_000_000_000_000) : '')
	  . $self->tables . $records;
}

sub apply_sql
{
	my ($self, $frame, %option) = @_;
	my $call = 'elvis.apply(' . hex_of($frame) . ')';
	my $told = "state, changes, coalesce(encode(conflict, 'hex'), '') as conflict";
	my @answers = @{ $option{answers} // [] };
	my $sql = ($self->{as} ? "set role $self->{as};\n" : '') . $self->open_sql . " \\gset\n";

	return "$sql select $told from $call;" if $option{alone};
	$sql .= "begin; select $told, state = 'a' as asked from $call \\gset told_\n";
	for my $answer (@answers)
	{
		$sql .= "\\if :told_asked\nselect $told, state = 'a' as asked from elvis.answer("
		  . hex_of($answer) . ") \\gset told_\n\\endif\n";
	}
	$sql .= "select :'told_state' || '|' || :told_changes || '|' || :'told_conflict';\n";
	return $sql . ($option{keep} ? 'rollback;' : "select :'told_state' = 'd' as done \\gset\n"
		  . "\\if :done\ncommit;\n\\else\nrollback;\n\\endif\n");
}

# Has the frame applied: { state, changes, conflict } or { error => text }
sub apply
{
	my ($self, $frame, %option) = @_;
	my ($status, $out, $error) = $self->{to}->try_sql($self->apply_sql($frame, %option));

	return { state => 'error', error => $error } if $status != 0;
	my ($state, $changes, $hex) = split /\|/, (split /\n/, $out)[-1];
	return { state => $state, changes => $changes,
		conflict => $hex ? conflict_of($hex) : undef, hex => $hex };
}

# Delivers all there is.
sub step
{
	my ($self, %option) = @_;
	my ($records, $id, $token) = $self->read;

	return $self->apply($self->frame($records, $id, $token, $option{alone} ? 7 : 3), %option);
}

1;
