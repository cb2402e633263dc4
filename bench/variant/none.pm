# A server with nothing on it: what the others are compared with.
package none;

use strict;
use warnings;
use parent 'Bench::Variant';

sub about { return 'no replication'; }

1;
