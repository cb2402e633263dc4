/*
 * owner.h - doing a table's work as its owner, whose code may run within it.
 */
#ifndef ELVIS_EXT_OWNER_H
#define ELVIS_EXT_OWNER_H

/* Who we were. */
struct before_owner {
	Oid user;
	int context;
	int settings;		/* nest level to go back to; 0: no code can have changed any */
};

/*
 * From here to owner_leave() we have the owner's rights and none to leave them; the settings that
 * his code changes, if he has any there, are put back.  An error puts back all of it, too.
 */
void owner_become(struct before_owner *before, Oid owner, bool has_code);
void owner_leave(struct before_owner *before);

#endif
