/* A classifier of handwritten digits, from the static library that `cargo build` makes in this folder. */
#ifndef CONSTNET_DIGITS_H
#define CONSTNET_DIGITS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels: 8 rows of 8, from 0 (paper) to 16 (ink). */
#define CONSTNET_DIGITS_PIXELS 64
#define CONSTNET_DIGITS_CLASSES 10

/* Writes a number for each digit: the largest is that of the digit seen. The pointers must not be null, nor overlap. */
void constnet_digits_predict(const float pixels[CONSTNET_DIGITS_PIXELS], float logits[CONSTNET_DIGITS_CLASSES]);

/* The digit seen, 0 to 9; 10 where a pixel is not a number. */
uint32_t constnet_digits_classify(const float pixels[CONSTNET_DIGITS_PIXELS]);

#ifdef __cplusplus
}
#endif

#endif
