#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void
uuid_make(char text[UUID_TEXT_SIZE])
{
	unsigned char u[16];
	ssize_t got;

	/* up to 256 bytes come whole, or not at all when a signal interrupts the wait */
	do
		got = getrandom(u, sizeof(u), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(u))
		abort();

	u[6] = (unsigned char) ((u[6] & 0x0f) | 0x40); /* version 4 */
	u[8] = (unsigned char) ((u[8] & 0x3f) | 0x80); /* the variant of the RFC */
	snprintf(text, UUID_TEXT_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
		 u[12], u[13], u[14], u[15]);
}
