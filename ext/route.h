/*
 * route.h - which link brings an origin's changes to a table.
 */
#ifndef ELVIS_EXT_ROUTE_H
#define ELVIS_EXT_ROUTE_H

#include "position.h"
#include "target.h"

void route_init(void);

/*
 * May the session's link bring changes of this origin to the table?  The first that does owns
 * them; EL012 when that is another one.  Waits for who is just claiming the same.
 */
void route_claim(const Position *position, TargetMap *map, uint32 origin);

#endif
