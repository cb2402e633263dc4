/*
 * keep.h - memory that a session does not give back between two calls.
 */
#ifndef ELVIS_EXT_KEEP_H
#define ELVIS_EXT_KEEP_H

/*
 * From now on this session gives memory back to the system only when it has much too
 * much.  For those that read or apply one piece after the other.
 */
void keep_memory(void);

#endif
