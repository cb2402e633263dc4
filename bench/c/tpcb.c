/*
 * tpcb - what a TPC-B transaction costs several servers, in turn.
 *
 *	tpcb [-M simple|prepared] [-c CPU] [-s SLICE] [-r ROUNDS] [-a ACCOUNTS]
 *	     NAME=CONNINFO...
 *
 * One connection a server.  Client and backends are pinned to one CPU, and every SLICE
 * transactions the next server has its turn: what else the machine does meets all of them
 * alike.  In a round every server gets the same transactions; the order in which they have
 * their turns moves on by one each round.
 *
 * On stdout, for each slice: round,name,transactions,wall ns,backend CPU ns,client CPU ns.
 * The tables, the statements and the meaning of -M are pgbench's.  A backend's CPU time is
 * the kernel's, /proc/PID/schedstat.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* What stands for %1$s is a parameter or, in the simple protocol, the value. */
static const struct statement {
	const char *name, *text;
	int n_params;
} statements[] = {
	{ "begin", "begin", 0 },
	{ "account", "update pgbench_accounts set abalance = abalance + %1$s "
		     "where aid = %2$s", 2 },
	{ "balance", "select abalance from pgbench_accounts where aid = %1$s", 1 },
	{ "teller", "update pgbench_tellers set tbalance = tbalance + %1$s "
		    "where tid = %2$s", 2 },
	{ "branch", "update pgbench_branches set bbalance = bbalance + %1$s "
		    "where bid = %2$s", 2 },
	{ "history", "insert into pgbench_history (tid, bid, aid, delta, mtime) "
		     "values (%1$s, %2$s, %3$s, %4$s, current_timestamp)", 4 },
	{ "commit", "commit", 0 },
};

enum { BEGIN, ACCOUNT, BALANCE, TELLER, BRANCH, HISTORY, COMMIT, N_STATEMENTS };

static bool is_prepared;

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
fill_in(char *sql, size_t size, int statement, const char *const *values)
{
	const char *of[4] = { "", "", "", "" };

	for (int i = 0; i < statements[statement].n_params; i++)
		of[i] = values[i];
	snprintf(sql, size, statements[statement].text, of[0], of[1], of[2], of[3]);
}

static void
execute(struct server *server, int statement, const char *const *values)
{
	const struct statement *s = &statements[statement];
	ExecStatusType status;
	PGresult *result;
	char sql[256];

	if (is_prepared) {
		result = PQexecPrepared(server->conn, s->name, s->n_params, values, NULL,
					NULL, 0);
	} else {
		fill_in(sql, sizeof(sql), statement, values);
		result = PQexec(server->conn, sql);
	}
	status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		die("%s: %s: %s", server->name, s->name, PQerrorMessage(server->conn));
	PQclear(result);
}

static void
prepare(struct server *server, int statement)
{
	static const char *const parameters[] = {
		"$1::int", "$2::int", "$3::int", "$4::int",
	};
	const struct statement *s = &statements[statement];
	PGresult *result;
	char sql[256];

	fill_in(sql, sizeof(sql), statement, parameters);
	result = PQprepare(server->conn, s->name, sql, s->n_params, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s: %s: %s", server->name, s->name, PQerrorMessage(server->conn));
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
	for (int i = 0; is_prepared && i < N_STATEMENTS; i++)
		prepare(server, i);
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
	execute(server, BEGIN, NULL);
	execute(server, ACCOUNT, (const char *const[]){ t->delta, t->account });
	execute(server, BALANCE, (const char *const[]){ t->account });
	execute(server, TELLER, (const char *const[]){ t->delta, t->teller });
	execute(server, BRANCH, (const char *const[]){ t->delta, t->branch });
	execute(server, HISTORY,
		(const char *const[]){ t->teller, t->branch, t->account, t->delta });
	execute(server, COMMIT, NULL);
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

	while ((option = getopt(argc, argv, "M:c:s:r:a:")) != -1)
		switch (option) {
		case 'M': is_prepared = strcmp(optarg, "prepared") == 0; break;
		case 'c': cpu = atoi(optarg); break;
		case 's': count = atoi(optarg); break;
		case 'r': rounds = atoi(optarg); break;
		case 'a': accounts = (uint32_t) atoi(optarg); break;
		default: die("usage: tpcb [-M simple|prepared] [-c CPU] [-s SLICE] "
			     "[-r ROUNDS] [-a ACCOUNTS] NAME=CONNINFO...\n");
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
