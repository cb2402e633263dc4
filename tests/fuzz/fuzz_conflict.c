/* What a target tells of a conflict */
#include "fuzz.h"

#include "model/conflict.h"

static const struct elvis_table *
table_of(void *context, uint64_t version)
{
	static const struct elvis_column id = { .name = "id", .type = "integer", .in_key = true };
	static const struct elvis_column value = { .name = "value", .type = "text" };
	static const struct elvis_column *const columns[] = { &id, &value };
	static const uint32_t key[] = { 0 };
	static const struct elvis_table table = {
		.version = 1, .schema = "public", .name = "t", .n_columns = 2,
		.columns = columns, .n_key = 1, .key = key,
	};

	(void) context;
	return version < 4 ? &table : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elvis_bytes in = { data, data + size };
	AUTO_ARENA struct arena *arena = arena_new();
	struct err err = ERR_INIT;

	(void) !conflict_decode(in, table_of, NULL, arena, &err);
	return 0;
}
