/*
 * Fuzzing of the decoders: one target each, with the function that libFuzzer calls.
 *
 *	clang -g -fsanitize=fuzzer,address,undefined -Isrc -Isrc/include -Itests/unit \
 *		tests/fuzz/fuzz_filter.c src/model/... src/base/... && ./a.out tests/fuzz/corpus/filter
 *
 * In `make check` replay.c is its main(): every seed as it is, cut off at every length, and with
 * every byte changed in several ways.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
