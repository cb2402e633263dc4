/*
 * Random identifiers (RFC 4122, version 4) as text.  Any thread.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#define UUID_TEXT_SIZE 37 /* 36 and the end */

/* From the kernel's random source; waits for it in the first moments after boot only. */
void uuid_make(char text[UUID_TEXT_SIZE]);

#endif
