/*
 * Names of kinds and verdicts, and which verdict is an answer to which kind of conflict.
 */
#ifndef MODEL_VERDICT_H
#define MODEL_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/conflict.h>

#include "base/attr.h"

/* As in SQL and configuration; "unknown" for a number that is none */
const char *kind_name(uint32_t kind);
const char *kind_text(uint32_t kind);
const char *verdict_name(uint32_t action);

/* May a policy say that to a conflict of this kind?  Abstaining suits every kind. */
MUST_USE bool verdict_suits(uint32_t action, uint32_t kind);

/* All verdicts that suit the kind, abstaining left out: "keep_local, retry or stop". */
#define VERDICT_LIST_SIZE 160
const char *verdict_list(char text[VERDICT_LIST_SIZE], uint32_t kind);

#endif
