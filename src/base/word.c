#include "base/word.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 64

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
word_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t rows[3][WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				       least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *
word_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t best = 1 + strlen(word) / 3;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t distance = word_distance(word, candidates[i]);

		if (distance <= best && distance < strlen(candidates[i])) {
			best = distance == 0 ? 0 : distance - 1;
			nearest = candidates[i];
		}
	}
	return nearest;
}
