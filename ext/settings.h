/*
 * settings.h - the extension's settings (elvis.<name> in postgresql.conf).
 */
#ifndef ELVIS_EXT_SETTINGS_H
#define ELVIS_EXT_SETTINGS_H

extern int setting_capture_unchanged;	/* bytes */
extern int setting_segment_size;	/* MB */
extern int setting_keep_confirmed;	/* seconds */
extern int setting_subscriber_limit;	/* MB; 0: none */
extern int setting_read_memory;		/* kB */

void settings_init(void);

#endif
