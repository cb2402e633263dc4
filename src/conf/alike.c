/*
 * alike.c - policies compared, with their settings.
 */
#include "conf/alike.h"

#include <string.h>

static bool
settings_equal(const struct setting *a, const struct setting *b)
{
	if (strcmp(a->name, b->name) != 0 || a->type != b->type)
		return false;
	switch (a->type) {
	case SETTING_BOOL:
		return a->boolean == b->boolean;
	case SETTING_INT:
		return a->integer == b->integer;
	case SETTING_FLOAT:
		return a->real >= b->real && a->real <= b->real;
	case SETTING_STRING:
		return strcmp(a->string, b->string) == 0;
	case SETTING_STRINGS:
		if (a->n_strings != b->n_strings)
			return false;
		for (size_t i = 0; i < a->n_strings; i++)
			if (strcmp(a->strings[i], b->strings[i]) != 0)
				return false;
		return true;
	}
	return false;
}

static bool
chains_equal(const struct conf_chain *a, const struct conf_chain *b)
{
	if (a->n_policies != b->n_policies)
		return false;
	for (size_t i = 0; i < a->n_policies; i++) {
		const struct conf_plugin *p = &a->policies[i], *q = &b->policies[i];

		if (strcmp(p->use, q->use) != 0 || p->settings.count != q->settings.count)
			return false;
		for (size_t j = 0; j < p->settings.count; j++)
			if (!settings_equal(&p->settings.items[j], &q->settings.items[j]))
				return false;
	}
	return true;
}

bool
rule_decides_alike(const struct conf_rule *a, const struct conf_rule *b)
{
	for (int kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (!chains_equal(conf_rule_chain(a, (enum elvis_conflict_kind) kind),
				  conf_rule_chain(b, (enum elvis_conflict_kind) kind)))
			return false;
	return true;
}
