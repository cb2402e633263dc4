/*
 * What a source has recorded of a link, and what it says of itself.
 */
#ifndef MODEL_SUBSCRIBER_H
#define MODEL_SUBSCRIBER_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/change.h>

#include "base/uuid.h"

enum link_state {
	LINK_UNKNOWN = 0,	/* the source has not been asked yet */
	LINK_ABSENT,		/* not entered there: its log is not kept for this link */
	LINK_RUNNING,
	LINK_PAUSED,
	LINK_STOPPED,
};

#define REASON_MAX 1024

/* Before the reason for which a link had stopped, once somebody has resumed it: he knew it.  Gone
 * with the next confirmation. */
#define REASON_RESUMED "resumed: "

/* A row of elvis.subscriber */
struct subscriber {
	char uuid[UUID_TEXT_SIZE];
	enum link_state state;
	char reason[REASON_MAX];	/* "": none */
	bool confirmed;		/* it has confirmed something, namely: */
	struct elvis_position position;
};

struct source_facts {
	uint32_t number;	/* of the node; 0: not known yet */
	char name[64];
	int64_t incarnation;
	char signature[128];	/* of what stored bytes depend on */
};

#endif
