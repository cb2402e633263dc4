#include "conf/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024

struct entry {
	struct finding_place place;
	const char *format;
	enum topology_severity severity;
	const char *text;
	size_t more;
	struct entry *next;
};

struct findings {
	struct arena *arena;
	struct entry *first, **last;
	size_t count;
};

struct findings *
findings_new(struct arena *arena)
{
	struct findings *findings = arena_zalloc(arena, sizeof(*findings));

	findings->arena = arena;
	findings->last = &findings->first;
	return findings;
}

static struct entry *
find(struct findings *findings, const struct finding_place *place, const char *format)
{
	for (struct entry *entry = findings->first; entry != NULL; entry = entry->next)
		if (entry->place.about == place->about && entry->place.also == place->also &&
		    strcmp(entry->format, format) == 0)
			return entry;
	return NULL;
}

void
finding_add(struct findings *findings, enum topology_severity severity,
	    const struct finding_place *place, const char *format, ...)
{
	struct entry *entry = find(findings, place, format);
	char text[TEXT_MAX];
	va_list args;

	if (entry != NULL) {
		entry->more++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	entry = arena_zalloc(findings->arena, sizeof(*entry));
	*entry = (struct entry){
		.place = *place, .format = format, .severity = severity,
		.text = arena_strdup(findings->arena, text),
	};
	*findings->last = entry;
	findings->last = &entry->next;
	findings->count++;
}

const struct topology_finding *
findings_finish(struct findings *findings, size_t *count)
{
	struct topology_finding *list =
		arena_zalloc(findings->arena, (findings->count + 1) * sizeof(*list));
	size_t n = 0;

	for (const struct entry *entry = findings->first; entry != NULL; entry = entry->next)
		list[n++] = (struct topology_finding){
			.severity = entry->severity,
			.text = entry->more == 0
					? entry->text
					: arena_printf(findings->arena,
						       "%s (and so for %zu more)", entry->text,
						       entry->more),
			.file = entry->place.file,
			.line = entry->place.line,
		};
	*count = n;
	return list;
}
