/* A terminal over PC/SC: the first reader with a card in it, then for each line
 * of hex on stdin one command APDU, over T=0 or, if asked with the word T=1,
 * over that. 61xx is followed up with GET RESPONSE in the class of the command. Prints the data and the last status
 * word as hex, one line each. Ends at the first command that has no answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winscard.h>

#define WAIT_S 30
#define NAMES_MAX 4096

static SCARDHANDLE card;
static DWORD wanted = SCARD_PROTOCOL_T0;

static void die(const char *what, LONG rc)
{
    fprintf(stderr, "%s: %s\n", what, pcsc_stringify_error(rc));
    exit(1);
}

/* The service, the reader and the card come up in their own time. */
static void wait_for_card(SCARDCONTEXT *context)
{
    char names[NAMES_MAX];
    DWORD n, protocol;
    LONG rc = SCARD_E_NO_SERVICE;

    for (int i = 0; i < WAIT_S * 10; i++, usleep(100000)) {
        if (*context == 0 &&
            (rc = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL,
                                        context)) != SCARD_S_SUCCESS) {
            *context = 0;
            continue;
        }
        n = sizeof names;
        rc = SCardListReaders(*context, NULL, names, &n);
        if (rc != SCARD_S_SUCCESS)
            continue;
        for (const char *p = names; *p; p += strlen(p) + 1) {
            rc = SCardConnect(*context, p, SCARD_SHARE_EXCLUSIVE,
                              wanted, &card, &protocol);
            if (rc == SCARD_S_SUCCESS) {
                printf("reader %s\n", p);
                return;
            }
        }
    }
    die("no card in any reader", rc);
}

static size_t unhex(const char *line, unsigned char *out, size_t cap)
{
    size_t n = 0;

    for (; n < cap && sscanf(line + 2 * n, "%2hhx", &out[n]) == 1; n++)
        ;
    return n;
}

static DWORD transmit(const unsigned char *cmd, size_t n, unsigned char *rsp)
{
    DWORD got = 258;
    LONG rc = SCardTransmit(card,
                            wanted == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0
                                                        : SCARD_PCI_T1,
                            cmd, (DWORD)n, NULL, rsp, &got);

    if (rc != SCARD_S_SUCCESS)
        die("SCardTransmit", rc);
    if (got < 2) {
        fprintf(stderr, "an answer without a status word\n");
        exit(1);
    }
    return got;
}

static void print_hex(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%02X", p[i]);
}

int main(int argc, char **argv)
{
    SCARDCONTEXT context = 0;
    unsigned char cmd[300], rsp[258];
    char line[700];

    if (argc > 1 && strcmp(argv[1], "T=1") == 0)
        wanted = SCARD_PROTOCOL_T1;
    wait_for_card(&context);
    while (fgets(line, sizeof line, stdin)) {
        size_t n = unhex(line, cmd, sizeof cmd);
        if (n < 4)
            continue;
        DWORD got = transmit(cmd, n, rsp);
        while (rsp[got - 2] == 0x61) {
            const unsigned char more[] = { cmd[0], 0xC0, 0, 0, rsp[got - 1] };
            print_hex(rsp, got - 2);
            got = transmit(more, sizeof more, rsp);
        }
        print_hex(rsp, got);
        putchar('\n');
    }
    SCardDisconnect(card, SCARD_UNPOWER_CARD);
    SCardReleaseContext(context);
    return 0;
}
