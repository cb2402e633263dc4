/*
 * setting.h - a setting as the user wrote it, before anybody has said what it means.
 *
 * The configuration makes these for what belongs to plugins, whose options only the plugin knows;
 * the plugin host checks them against the plugin's list of options.
 */
#ifndef MODEL_SETTING_H
#define MODEL_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_BOOL,
	SETTING_INT,
	SETTING_FLOAT,
	SETTING_STRING,
	SETTING_STRINGS,
};

struct setting {
	const char *name;
	enum setting_type type;
	bool boolean;
	int64_t integer;
	double real;
	const char *string;
	const char *const *strings;
	size_t n_strings;
	const char *file;	/* "command line" when it was given there */
	int line;		/* 0: unknown */
};

/* Owned by whoever made them; the configuration's live as long as the configuration. */
struct setting_list {
	const struct setting *items;
	size_t count;
};

#endif
