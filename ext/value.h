/*
 * value.h - one column's values as bytes of a record, both ways.
 *
 * Every type travels in one of three forms (enum elvis_column_form): the server's own bytes with
 * the header taken off, for types where each bit pattern is harmless or cheaply checked; the
 * type's send/receive form for the other built-in types; its text for whatever is known by local
 * numbers or is not built in.  The form is a property of the type, never of the value, so that a
 * table's descriptor can say it once.
 *
 * Bytes that come in are hostile until decoded: value_decode() gives a datum the server could have
 * made itself, or raises an error.
 */
#ifndef ELVIS_EXT_VALUE_H
#define ELVIS_EXT_VALUE_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* Settings that the forms of a column depend on; see value_pin(). */
enum value_pins {
	VALUE_PIN_ENCODING = 1,	/* what send and receive functions convert text to */
	VALUE_PIN_FORMATS = 2,	/* what text forms look like and how names in them are found */
};

/* All that is known about a column's type.  Made once, used for every value of the column. */
typedef struct ValueCodec {
	Oid type;		/* as declared */
	Oid base;		/* under all domains; the same as type when it is none */
	int32 typmod;		/* of the base type */
	Oid collation;
	int16 length;
	bool by_value;
	bool is_domain;
	uint8 form;		/* the richest form its values may travel in */
	uint8 stored;		/* which check its stored form needs (value.c) */
	uint8 pins;		/* enum value_pins that encode and decode depend on */
	bool has_equality;	/* known once equality_known is */
	bool equality_known, send_known, receive_known, output_known, input_known;
	Oid receive_param, input_param;
	FmgrInfo send, receive, output, input, equality;
	void *domain;		/* domain_check's own */
	MemoryContext context;	/* where the functions keep their facts */
} ValueCodec;

/*
 * Learns about a type.  `context` must live at least as long as the codec; functions are looked up
 * at their first use, so that an encoder does not pay for a decoder.
 */
void value_codec_init(ValueCodec *codec, Oid type, int32 typmod, Oid collation,
		      MemoryContext context);

/* The form values travel in when nothing richer than `portable` is allowed ('s', 'b' or 't'). */
uint8 value_form(const ValueCodec *codec, uint8 portable);

/*
 * Appends the column of a value that is not null: its head and its bytes in `form`, which must be
 * value_form()'s answer.  Always detoasted and decompressed.  Stored forms of fixed length and of
 * short values allocate nothing; other forms leave garbage in the current memory context, and
 * need the codec's pins.
 */
void value_encode_form(StringInfo out, ValueCodec *codec, uint8 form, Datum value);

/* The same of a value where a row has it, in the codec's own form. */
void value_encode_at(StringInfo out, ValueCodec *codec, const char *at);

/*
 * The value that `length` bytes at `bytes` stand for, in the current memory context; a domain's
 * constraints are checked.  A passed-by-reference value may point into `bytes`, which must stay.
 * Anything but a clean value is an error: EL004 for bytes no encoder makes, the type's own error
 * for a value the column does not take (too long, out of range, not in the enum).
 */
Datum value_decode(ValueCodec *codec, uint8 form, const uint8 *bytes, size_t length);

/* The value of a text in the server's encoding, a domain's constraints checked. */
Datum value_from_text(ValueCodec *codec, char *text);

/* NULL for this column: only a domain may object, by an error. */
void value_decode_null(ValueCodec *codec);

/* Do the bytes stand for exactly this image?  Only for the stored form; runs no type's code. */
bool value_is_stored_as(const ValueCodec *codec, Datum value, const uint8 *bytes,
			size_t length);

/* Equal for conflict detection: the images, or, when they differ, the type's own equality. */
bool value_same_image(ValueCodec *codec, Datum a, Datum b);

/* The value in its type's output form, in the current memory context; needs all pins. */
char *value_text(ValueCodec *codec, Datum value);

/*
 * Text between the server's encoding and the one it travels in (record.h).  Answers may be the
 * argument itself or a copy in the current memory context.  What comes in is verified.
 */
int value_wire_encoding(void);
char *value_to_wire(char *text);
char *value_from_wire(const uint8 *bytes, size_t length);

/* Is this a numeric's image, header taken off, as the server would make it?  Pure. */
bool value_numeric_valid(const uint8 *bytes, size_t length);

/* Sure to fit numeric(p, s) as it is?  When in doubt the type's own function decides.  Pure. */
bool value_numeric_fits(const uint8 *bytes, size_t length, int32 typmod);

/*
 * Sets what the codecs with these pins depend on: ISO dates, hex bytea, shortest exact floats,
 * GMT, search_path pg_catalog and pg_temp, text sent and received as UTF-8.  Costs next to
 * nothing when all of it stands so already.  Returns what value_unpin() wants back; an error's
 * rollback unpins too.
 */
int value_pin(int pins);
void value_unpin(int nest);

#endif
