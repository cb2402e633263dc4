/*
 * wait.h - sleeping until something captured has committed.
 *
 * A session that waits enters a slot of a small area of shared memory; a transaction that
 * has captured something sets the latches of those who wait in its database once others
 * can see it.
 */
#ifndef ELVIS_EXT_WAIT_H
#define ELVIS_EXT_WAIT_H

void wait_init(void);

/*
 * Looks for the shared memory, once in a session: that may take a subtransaction, and is
 * not for the moment of a commit.
 */
void wait_attach(void);

/* Whoever waits in this database is woken when this transaction has committed. */
void wait_wake_at_commit(void);

/* Counts such commits of this database; read it before looking for what is new. */
uint64 wait_counter(void);

/*
 * Sleeps until the counter is above `seen` or `timeout_ms` (at most 1000) have passed.
 * Without shared memory or a free slot it sleeps in short steps.
 */
void wait_sleep(uint64 seen, long timeout_ms);

/* Sleeps whatever commits; may return a little early. */
void wait_nap(long timeout_ms);

#endif
