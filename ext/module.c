/*
 * The module's face to the server.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
