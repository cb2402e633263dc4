#include "base/uuid.h"

#include <ctype.h>
#include <string.h>

#include "unit.h"

START_TEST(the_text_has_the_form_of_version_4)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
	char text[UUID_TEXT_SIZE];

	uuid_make(text);

	ck_assert_uint_eq(strlen(text), strlen(form));
	for (size_t i = 0; i < strlen(form); i++) {
		if (form[i] == 'x')
			ck_assert(isxdigit((unsigned char) text[i]));
		else if (form[i] == 'v')
			ck_assert(strchr("89ab", text[i]) != NULL);
		else
			ck_assert_int_eq(text[i], form[i]);
	}
}
END_TEST

START_TEST(no_two_are_the_same)
{
	char one[UUID_TEXT_SIZE], other[UUID_TEXT_SIZE];

	uuid_make(one);
	uuid_make(other);

	ck_assert_str_ne(one, other);
}
END_TEST

UNIT_MAIN("uuid", the_text_has_the_form_of_version_4, no_two_are_the_same)
