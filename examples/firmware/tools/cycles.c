/* A plugin of QEMU 7.2 that estimates what the marked parts of a firmware take on a Cortex-M4F: instructions, cycles, and which
   functions, blocks of instructions and kinds of instructions they go to. ../cycles.sh builds and uses it.

   A part begins with `mov r10, r10` and ends with `mov r11, r11`, which count::ticks executes around what it counts.

   Cycles are those of Arm's "Cortex-M4 Technical Reference Manual", tables 3-1 and 7-1, for memory without wait states:
     - a load of one register takes 2, the next one right behind it 1; of n registers 1 + n;
     - a multiplication and addition in one instruction takes 3, a division or a square root 14, other arithmetic 1;
     - a result of floating point that the next instruction uses costs 1 more;
     - a branch that is taken costs 2 more.
   Debian has no header for plugins, so what is used of version 1 of their interface is declared here. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed)(unsigned int, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed, int, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const void *, int, char **);

enum { START = 0x46D2, STOP = 0x46DB, NAMES = 4096, LONGEST = 96, SHOWN = 12 };

/* What an instruction, or all of one name, has taken. */
struct name {
    char text[LONGEST];
    uint64_t count;
};
struct names {
    struct name all[NAMES];
    size_t length;
};

/* An instruction as it stands in the firmware. */
struct instruction {
    uint64_t address, behind;
    unsigned cycles;
    struct name *mnemonic, *function, *block;
};

static struct names mnemonics, functions, blocks;
static bool counting, detailed;
static unsigned part;
static uint64_t instructions, cycles, expected;

static struct name *find(struct names *names, const char *text, size_t length)
{
    if (length >= LONGEST)
        length = LONGEST - 1;
    for (size_t i = 0; i < names->length; i++)
        if (strlen(names->all[i].text) == length && memcmp(names->all[i].text, text, length) == 0)
            return &names->all[i];
    if (names->length == NAMES)
        return &names->all[NAMES - 1];
    struct name *name = &names->all[names->length++];
    memcpy(name->text, text, length);
    return name;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* How many registers stand between braces: "{s0, s1}", "{r4-r7, lr}"; a d counts twice. */
static unsigned registers(const char *text)
{
    unsigned count = 0;
    const char *at = strchr(text, '{');
    if (at == NULL)
        return 1;
    int first = 0, width = 1;
    bool range = false;
    for (at++; *at != '}' && *at != '\0'; at++) {
        if (*at == '-') {
            range = true;
        } else if (*at >= '0' && *at <= '9') {
            int number = (int)strtol(at, (char **)&at, 10);
            count += (unsigned)(range ? number - first : 1) * (unsigned)width;
            first = number, range = false;
            at--;
        } else if (*at == 'd' || *at == 's' || *at == 'r') {
            width = *at == 'd' ? 2 : 1;
        } else if (*at == 'l' || *at == 'p') { /* lr, pc */
            count++;
        }
    }
    return count;
}

static bool is_float_arithmetic(const char *text)
{
    return text[0] == 'v' && !begins(text, "vldr") && !begins(text, "vstr") && !begins(text, "vldm") && !begins(text, "vstm") &&
           !begins(text, "vpush") && !begins(text, "vpop") && !begins(text, "vmov") && !begins(text, "vmrs");
}

static bool is_single_load(const char *text)
{
    return begins(text, "ldr") && !begins(text, "ldrd");
}

static unsigned cost(const char *text, const char *before)
{
    unsigned own = 1;
    if (begins(text, "vfma") || begins(text, "vfms") || begins(text, "vfnm") || begins(text, "vmla") || begins(text, "vmls") ||
        begins(text, "vnml"))
        own = 3;
    else if (begins(text, "vdiv") || begins(text, "vsqrt"))
        own = 14;
    else if (begins(text, "vldm") || begins(text, "vstm") || begins(text, "vpush") || begins(text, "vpop") || begins(text, "ldm") ||
             begins(text, "stm") || begins(text, "push") || begins(text, "pop"))
        own = 1 + registers(text);
    else if (begins(text, "ldrd") || begins(text, "strd"))
        own = 3;
    else if (begins(text, "vldr") || begins(text, "vstr") || (is_single_load(text) && !is_single_load(before)))
        own = 2;
    else if (begins(text, "sdiv") || begins(text, "udiv"))
        own = 7; /* 2 to 12 */
    if (is_float_arithmetic(before)) {
        /* Its result is the first operand; is it among those of this one but the first? */
        char result[8] = {0};
        if (sscanf(before, "%*s %7[sd0-9]", result) == 1 && !begins(text, "vcmp")) {
            const char *sources = strchr(text, ',');
            size_t length = strlen(result);
            for (const char *at = sources; at != NULL && (at = strstr(at, result)) != NULL; at++)
                if (at[length] < '0' || at[length] > '9') {
                    own++;
                    break;
                }
        }
    }
    return own;
}

static void count(unsigned int processor, void *data)
{
    (void)processor;
    const struct instruction *now = data;
    if (!counting)
        return;
    instructions++;
    cycles += now->cycles + (expected != 0 && now->address != expected ? 2 : 0);
    expected = now->behind;
    now->mnemonic->count++;
    now->function->count++;
    now->block->count++;
}

static void start(unsigned int processor, void *data)
{
    (void)processor, (void)data;
    counting = true;
    instructions = cycles = expected = 0;
    for (size_t i = 0; i < NAMES; i++)
        mnemonics.all[i].count = functions.all[i].count = blocks.all[i].count = 0;
}

static int larger(const void *a, const void *b)
{
    uint64_t x = ((const struct name *)a)->count, y = ((const struct name *)b)->count;
    return (x < y) - (x > y);
}

static void show(const struct names *names)
{
    static struct name sorted[NAMES];
    memcpy(sorted, names->all, sizeof sorted);
    qsort(sorted, NAMES, sizeof *sorted, larger);
    for (size_t i = 0; i < SHOWN && sorted[i].count > 0; i++)
        fprintf(stderr, "    %9" PRIu64 " %s\n", sorted[i].count, sorted[i].text);
}

static void stop(unsigned int processor, void *data)
{
    (void)processor, (void)data;
    counting = false;
    fprintf(stderr, "part %u: %" PRIu64 " instructions, %" PRIu64 " cycles\n", part++, instructions, cycles);
    if (detailed) {
        show(&functions);
        show(&blocks);
        show(&mnemonics);
    }
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    char before[LONGEST] = "", at[24];
    int length = snprintf(at, sizeof at, "block %08" PRIx64, qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0)));
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint16_t half;
        memcpy(&half, qemu_plugin_insn_data(insn), sizeof half);
        if (half == START || half == STOP) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, half == START ? start : stop, 0, NULL);
            continue;
        }
        char *whole = qemu_plugin_insn_disas(insn);
        const char *text = whole + strspn(whole, " ");
        const char *symbol = qemu_plugin_insn_symbol(insn);
        struct instruction *new = calloc(1, sizeof *new); /* for as long as the firmware runs */
        if (new == NULL)
            abort();
        new->address = qemu_plugin_insn_vaddr(insn);
        new->behind = new->address + (half >= 0xE800 ? 4 : 2);
        new->cycles = cost(text, before);
        new->mnemonic = find(&mnemonics, text, strcspn(text, " \t"));
        new->function = find(&functions, symbol != NULL ? symbol : "?", strlen(symbol != NULL ? symbol : "?"));
        new->block = find(&blocks, at, (size_t)length);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, count, 0, new);
        snprintf(before, sizeof before, "%s", text);
        free(whole);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **options)
{
    (void)info;
    for (int i = 0; i < count; i++)
        detailed |= strcmp(options[i], "detailed=on") == 0;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
