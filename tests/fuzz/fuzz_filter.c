/* The stream of a source, through a link's filter */
#include "fuzz.h"

#include "model/filter.h"

static bool
find(void *context, uint64_t version, struct filter_table **table, struct err *err)
{
	static struct filter_table ours = {
		.wanted = true, .gap_stops = true, .schema = "public", .name = "ours",
	};
	static struct filter_table others = {
		.wanted = false, .gap_stops = true, .schema = "public", .name = "others",
	};

	(void) context;
	if (version == 13)
		return err_set(err, ERR_REFUSED, "no such version");
	*table = version % 2 ? &ours : &others;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int gaps_pass = 0; gaps_pass < 2; gaps_pass++) {
		struct filter filter = { .target = 2, .cut.limit = 64, .cut.most = 256, .lookup = find };
		struct elvis_bytes in = { data, data + size };
		struct outlet out;
		struct err err = ERR_INIT;

		outlet_init(&out, 1 << 20);
		filter.gaps_pass = gaps_pass;
		filter_start(&filter, 0);
		while (filter_run(&filter, &in, &out, &err) == FILTER_CUT)
			;
		outlet_free(&out);
	}
	return 0;
}
