/* Firmware in C that calls a network in Rust, on a Cortex-M4F: classifies digits that lie in flash, and says how many are right.
   run.sh builds and runs it. */
#include "constnet_digits.h"

#include <stdint.h>

/* Laid out by link.ld. */
extern uint32_t stack_top, bss_start, bss_end;

/* 64 pixels and the class, one after the other. */
extern const uint8_t images[], images_end[];
__asm__(".section .rodata\n.global images, images_end\nimages: .incbin \"../data/digits.bin\"\nimages_end:\n.previous");

/* Asks QEMU, or a debugger: semihosting. */
static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void say(const char *text)
{
    semihosting(0x04, text); /* SYS_WRITE0 */
}

static void say_number(uint32_t number)
{
    char text[11] = {0};
    int at = 10;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    say(text + at);
}

static int run(void)
{
    uint32_t count = 0, right = 0;
    for (const uint8_t *image = images; image < images_end; image += CONSTNET_DIGITS_PIXELS + 1) {
        float pixels[CONSTNET_DIGITS_PIXELS];
        for (int i = 0; i < CONSTNET_DIGITS_PIXELS; i++) {
            pixels[i] = image[i];
        }
        count += 1;
        right += constnet_digits_classify(pixels) == image[CONSTNET_DIGITS_PIXELS];
    }
    float blank[CONSTNET_DIGITS_PIXELS] = {0}, logits[CONSTNET_DIGITS_CLASSES] = {0};
    constnet_digits_predict(blank, logits);
    say("C calls Rust: ");
    say_number(right);
    say(" of ");
    say_number(count);
    say(" digits are right\n");
    return count > 0 && right * 100 >= count * 97 && logits[0] != 0.0f;
}

void reset(void);

void reset(void)
{
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the unit for floating point */
    __asm__ volatile("dsb\nisb");
    for (uint32_t *at = &bss_start; at < &bss_end; at++) {
        *at = 0;
    }
    semihosting(0x18, (const void *)(run() ? 0x20026 : 0x20023)); /* SYS_EXIT */
    for (;;) {
    }
}

static void fault(void)
{
    semihosting(0x18, (const void *)0x20023);
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault,
};
