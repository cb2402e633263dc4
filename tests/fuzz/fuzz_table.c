/* What a source tells of a table */
#include "fuzz.h"

#include "model/table.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elvis_bytes in = { data, data + size };
	AUTO_ARENA struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	const struct elvis_table *table = table_decode(in, arena, &err);
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, 1 << 20);
	if (table != NULL) {
		table_key_literal(&text, table);
		table_columns_literal(&text, table);
	}
	return 0;
}
