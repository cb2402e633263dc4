/*
 * route.h - which link brings the changes of an origin.
 */
#ifndef ELVIS_EXT_ROUTE_H
#define ELVIS_EXT_ROUTE_H

#include "position.h"

void route_init(void);

/*
 * May the session's link bring changes of this origin?  The first that does owns them; EL012 when
 * that is another one.  Waits for who is just claiming one.
 */
void route_claim(const Position *position, uint32 origin);

#endif
