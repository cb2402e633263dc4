/*
 * numeric.c - what a numeric looks like on disk, for bytes that nobody vouches for.
 *
 * The server keeps this layout to itself; it has been the same since 9.1, and the format signature
 * that both ends compare contains the major version.
 */
#include "postgres.h"

#include "value.h"

/*
 * A numeric as the server keeps it: a u16 with sign, display scale and weight; or, when those do
 * not fit, a u16 with sign and scale and an i16 weight; then digits of base 10000, the first and
 * last not zero, none of them beyond the display scale.  NaN and the infinities are one u16.
 */
struct numeric_image {
	bool special, negative;
	int scale, weight, n_digits;
};

static inline int
read_u16(const uint8 *bytes)
{
	uint16 value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static bool
numeric_image_read(const uint8 *bytes, size_t length, struct numeric_image *image)
{
	int head, header_size;

	if (length < 2 || length % 2 != 0)
		return false;
	head = read_u16(bytes);
	image->special = (head & 0xc000) == 0xc000;
	if (image->special)
		return length == 2 && (head == 0xc000 || head == 0xd000 || head == 0xf000);
	if (head & 0x8000) {
		image->negative = (head & 0x2000) != 0;
		image->scale = head >> 7 & 0x3f;
		image->weight = (head & 0x3f) - (head & 0x40);
		header_size = 2;
	} else {
		if (length < 4)
			return false;
		image->negative = (head & 0x4000) != 0;
		image->scale = head & 0x3fff;
		image->weight = (int16) read_u16(bytes + 2);
		header_size = 4;
	}
	image->n_digits = (int) ((length - header_size) / 2);
	return true;
}

/* The last digit may show only as many of its four places as the display scale leaves it. */
static bool
numeric_scale_covers(const struct numeric_image *image, int last_digit)
{
	static const int unit[] = { 1, 10, 100, 1000 };
	int hidden = (image->n_digits - image->weight - 1) * 4 - image->scale;

	return hidden <= 0 || (hidden < 4 && last_digit % unit[hidden] == 0);
}

bool
value_numeric_valid(const uint8 *bytes, size_t length)
{
	struct numeric_image image;
	const uint8 *digits;

	if (length > 0x20000 || !numeric_image_read(bytes, length, &image))
		return false;
	if (image.special)
		return true;
	if (image.n_digits == 0)
		return image.weight == 0 && !image.negative;
	digits = bytes + length - 2 * image.n_digits;
	for (int i = 0; i < image.n_digits; i++)
		if (read_u16(digits + 2 * i) > 9999)
			return false;
	return read_u16(digits) != 0 && read_u16(bytes + length - 2) != 0 &&
	       numeric_scale_covers(&image, read_u16(bytes + length - 2));
}

bool
value_numeric_fits(const uint8 *bytes, size_t length, int32 typmod)
{
	struct numeric_image image;
	int precision = (typmod - VARHDRSZ) >> 16 & 0xffff;
	int scale = (typmod - VARHDRSZ) & 0x7ff;

	return numeric_image_read(bytes, length, &image) && !image.special &&
	       image.scale == scale && (image.weight + 1) * 4 <= precision - scale;
}
