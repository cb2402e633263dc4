/*
 * sqlstate.c - classes of errors by SQLSTATE.  A whole class of states is named by its first two
 * characters; the first line that fits counts.
 */
#include "pg/sqlstate.h"

#include <string.h>

#include "base/attr.h"

static const struct {
	const char *prefix;
	enum err_class class;
} meanings[] = {
	{ SQLSTATE_POSITION_MOVED, ERR_RETRY },
	{ SQLSTATE_MUST_ASK, ERR_RETRY },
	{ SQLSTATE_ORIGIN_ROUTED, ERR_CONFIG },
	{ "EL", ERR_REFUSED },

	{ "08", ERR_RETRY },	/* connection exceptions */
	{ "25P03", ERR_RETRY },	/* idle in transaction for too long */
	{ "25P04", ERR_RETRY },	/* transaction timeout */
	{ "25006", ERR_RETRY },	/* read only: a standby, which may be promoted */
	{ "40", ERR_RETRY },	/* serialization failure, deadlock */
	{ "53", ERR_RETRY },	/* no space, no memory, too many connections */
	{ "55006", ERR_RETRY },	/* object in use */
	{ "55P03", ERR_RETRY },	/* lock not available */
	{ "57", ERR_RETRY },	/* cancelled, shut down, starting up */
	{ "58", ERR_RETRY },	/* the server's operating system */
	{ "72", ERR_RETRY },	/* snapshot too old */

	{ "28", ERR_CONFIG },	/* not let in */
	{ "3D000", ERR_CONFIG },	/* no such database */
	{ "3F000", ERR_CONFIG },	/* no such schema: extension not created */
	{ "42", ERR_CONFIG },	/* no such function, no privilege */
	{ "0A000", ERR_CONFIG },	/* feature not supported */
};

enum err_class
sqlstate_class(const char *state)
{
	if (state == NULL || *state == '\0')
		return ERR_RETRY;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (strncmp(state, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
			return meanings[i].class;
	return ERR_BUG;
}
