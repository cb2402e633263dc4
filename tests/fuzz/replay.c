/*
 * replay.c - main() of a fuzzing target where there is no fuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "fuzz.h"

/* Bytes that are likely to mean something else: a varint's end, its longest, a tag, a head */
static const uint8_t others[] = { 0x00, 0x01, 0x03, 0x05, 0x7f, 0x80, 0xff };

/* In memory of exactly that size, for the address sanitizer to see what lies outside */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
run_neighbours(uint8_t *data, size_t size)
{
	for (size_t length = 0; length <= size; length++)
		run(data, length);
	for (size_t i = 0; i < size; i++) {
		uint8_t saved = data[i];

		for (size_t j = 0; j < sizeof(others); j++) {
			data[i] = others[j];
			run(data, size);
		}
		data[i] = (uint8_t) (saved ^ 0x10);
		run(data, size);
		data[i] = saved;
	}
}

static bool
read_seed(const char *path, struct strbuf *seed)
{
	FILE *file = fopen(path, "rb");
	char block[4096];
	size_t n;

	if (file == NULL)
		return false;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		strbuf_add(seed, block, n);
	fclose(file);
	return seed->length > 0;
}

static bool
replay(const char *dir, const char *name)
{
	AUTO_STRBUF struct strbuf seed;
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&seed, 1 << 20);
	strbuf_init(&path, 4096);
	strbuf_printf(&path, "%s/%s", dir, name);
	if (!read_seed(path.data, &seed))
		return false;
	run_neighbours((uint8_t *) seed.data, seed.length);
	return true;
}

int
main(int argc, char **argv)
{
	const char *program = strrchr(argv[0], '/');
	const char *target = strstr(program != NULL ? program : argv[0], "fuzz_");
	const char *sources = getenv("ELVIS_SRCDIR");
	AUTO_STRBUF struct strbuf dir;
	struct dirent *entry;
	int n = 0;
	DIR *seeds;

	strbuf_init(&dir, 4096);
	if (argc > 1)
		strbuf_puts(&dir, argv[1]);
	else
		strbuf_printf(&dir, "%s/tests/fuzz/corpus/%s", sources != NULL ? sources : ".",
			      target != NULL ? target + strlen("fuzz_") : "");
	seeds = opendir(dir.data);
	if (seeds == NULL) {
		printf("Bail out! no corpus in %s\n", dir.data);
		return EXIT_FAILURE;
	}
	while ((entry = readdir(seeds)) != NULL)
		if (entry->d_name[0] != '.')
			printf("%s %d - %s\n", replay(dir.data, entry->d_name) ? "ok" : "not ok",
			       ++n, entry->d_name);
	closedir(seeds);
	printf("1..%d\n", n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
