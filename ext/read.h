/*
 * read.h - elvis.read() is called by SQL; the module only has to set it up.
 */
#ifndef ELVIS_EXT_READ_H
#define ELVIS_EXT_READ_H

void read_init(void);

#endif
