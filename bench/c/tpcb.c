/*
 * tpcb - what a TPC-B transaction costs several servers, in turn.
 *
 *	tpcb [-c CPU] [-s SLICE] [-r ROUNDS] [-a ACCOUNTS] NAME=CONNINFO...
 *
 * One connection a server.  Client and backends are pinned to one CPU, and every SLICE
 * transactions the next server has its turn: what else the machine does meets all of them
 * alike.  In a round every server gets the same transactions; the order in which they have
 * their turns moves on by one each round.
 *
 * On stdout, for each slice: round,name,transactions,wall ns,backend CPU ns,client CPU ns.
 * The tables are pgbench's.  A backend's CPU time is the kernel's, /proc/PID/schedstat.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define ACCOUNTS_PER_BRANCH 100000
#define TELLERS_PER_BRANCH 10

struct server {
	const char *name;
	PGconn *conn;
};

struct transaction {
	char account[16], teller[16], branch[16], delta[16];
};

static const struct statement {
	const char *name, *sql;
	int n_params;
} statements[] = {
	{ "account", "update pgbench_accounts set abalance = abalance + $1::int "
		     "where aid = $2::int", 2 },
	{ "balance", "select abalance from pgbench_accounts where aid = $1::int", 1 },
	{ "teller", "update pgbench_tellers set tbalance = tbalance + $1::int "
		    "where tid = $2::int", 2 },
	{ "branch", "update pgbench_branches set bbalance = bbalance + $1::int "
		    "where bid = $2::int", 2 },
	{ "history", "insert into pgbench_history (tid, bid, aid, delta, mtime) "
		     "values ($1::int, $2::int, $3::int, $4::int, current_timestamp)", 4 },
	{ "begin", "begin", 0 },
	{ "commit", "commit", 0 },
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tpcb: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	exit(1);
}

static void
pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof(set), &set) != 0)
		die("process %d cannot be pinned to CPU %d: %m\n", (int) pid, cpu);
}

static int
last_cpu(void)
{
	cpu_set_t set;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		die("sched_getaffinity: %m\n");
	while (cpu > 0 && !CPU_ISSET(cpu, &set))
		cpu--;
	return cpu;
}

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static uint64_t
backend_ns(int pid)
{
	char path[64];
	uint64_t ns;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%" SCNu64, &ns) != 1)
		die("%s: %m\n", path);
	fclose(file);
	return ns;
}

static void
execute(struct server *server, const char *statement, int n, const char *const *values)
{
	PGresult *result = PQexecPrepared(server->conn, statement, n, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		die("%s: %s: %s", server->name, statement, PQerrorMessage(server->conn));
	PQclear(result);
}

static void
server_open(struct server *server, char *argument, int cpu)
{
	char *conninfo = strchr(argument, '=');

	if (conninfo == NULL)
		die("'%s' is not NAME=CONNINFO\n", argument);
	*conninfo++ = '\0';
	server->name = argument;
	server->conn = PQconnectdb(conninfo);
	if (PQstatus(server->conn) != CONNECTION_OK)
		die("%s: %s", server->name, PQerrorMessage(server->conn));
	pin(PQbackendPID(server->conn), cpu);
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
		const struct statement *s = &statements[i];
		PGresult *result = PQprepare(server->conn, s->name, s->sql, s->n_params, NULL);

		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("%s: %s: %s", server->name, s->name, PQerrorMessage(server->conn));
		PQclear(result);
	}
}

/* Small, and the same everywhere for the same seed. */
static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t) ((*state >> 33) % below);
}

static struct transaction
next_transaction(uint64_t *state, uint32_t accounts)
{
	uint32_t branches = (accounts + ACCOUNTS_PER_BRANCH - 1) / ACCOUNTS_PER_BRANCH;
	uint32_t teller = draw(state, branches * TELLERS_PER_BRANCH);
	struct transaction t;

	snprintf(t.account, sizeof(t.account), "%u", draw(state, accounts) + 1);
	snprintf(t.teller, sizeof(t.teller), "%u", teller + 1);
	snprintf(t.branch, sizeof(t.branch), "%u", teller / TELLERS_PER_BRANCH + 1);
	snprintf(t.delta, sizeof(t.delta), "%d", (int) draw(state, 10001) - 5000);
	return t;
}

static void
transact(struct server *server, const struct transaction *t)
{
	execute(server, "begin", 0, NULL);
	execute(server, "account", 2, (const char *const[]){ t->delta, t->account });
	execute(server, "balance", 1, (const char *const[]){ t->account });
	execute(server, "teller", 2, (const char *const[]){ t->delta, t->teller });
	execute(server, "branch", 2, (const char *const[]){ t->delta, t->branch });
	execute(server, "history", 4,
		(const char *const[]){ t->teller, t->branch, t->account, t->delta });
	execute(server, "commit", 0, NULL);
}

static void
slice(struct server *server, int round, int count, uint32_t accounts)
{
	int pid = PQbackendPID(server->conn);
	uint64_t state = (uint64_t) round + 1, wall, backend, client;

	wall = clock_ns(CLOCK_MONOTONIC);
	backend = backend_ns(pid);
	client = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < count; i++) {
		struct transaction t = next_transaction(&state, accounts);

		transact(server, &t);
	}
	client = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - client;
	backend = backend_ns(pid) - backend;
	printf("%d,%s,%d,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", round, server->name, count,
	       clock_ns(CLOCK_MONOTONIC) - wall, backend, client);
}

int
main(int argc, char **argv)
{
	int cpu = last_cpu(), count = 300, rounds = 20, n, option;
	uint32_t accounts = ACCOUNTS_PER_BRANCH;
	struct server *servers;

	while ((option = getopt(argc, argv, "c:s:r:a:")) != -1)
		switch (option) {
		case 'c': cpu = atoi(optarg); break;
		case 's': count = atoi(optarg); break;
		case 'r': rounds = atoi(optarg); break;
		case 'a': accounts = (uint32_t) atoi(optarg); break;
		default: die("usage: tpcb [-c CPU] [-s SLICE] [-r ROUNDS] [-a ACCOUNTS] "
			     "NAME=CONNINFO...\n");
		}
	n = argc - optind;
	servers = calloc((size_t) n + 1, sizeof(*servers));
	if (servers == NULL || n == 0)
		die("no server to measure\n");
	pin(0, cpu);
	for (int i = 0; i < n; i++)
		server_open(&servers[i], argv[optind + i], cpu);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			slice(&servers[(round + i) % n], round, count, accounts);
	for (int i = 0; i < n; i++)
		PQfinish(servers[i].conn);
	free(servers);
	return 0;
}
