/* Report descriptors that several tests use, in hex. */
#ifndef LINESIDE_TESTS_UNIT_SCANNER_DESCRIPTORS_H
#define LINESIDE_TESTS_UNIT_SCANNER_DESCRIPTORS_H

/* As HID 1.11, appendix B.1 has it: modifiers, an octet of nothing, LEDs, six
 * keys. */
#define BOOT_KEYBOARD                                               \
    "05010906A101"                                                  \
    "050719E029E715002501750195088102"                              \
    "950175088101"                                                  \
    "950575010508190129059102950175039101"                          \
    "95067508150025650507190029658100"                              \
    "C0"

/* Report 5: a bitmap of keys 04 to 73, then the modifiers. */
#define ODD_KEYBOARD                                                \
    "05010906A1018505"                                              \
    "05071904297315002501750195708102"                              \
    "19E029E795088102"                                              \
    "C0"

/* Report 2: length, three octets of symbology, 56 of data, two more, and a
 * bit that says there is more. */
#define POS_SCANNER                                                 \
    "058C0902A1010912A1028502150026FF007508"                        \
    "95010501093B8102"                                              \
    "058C09FB09FC09FD95038102"                                      \
    "09FE9538820201"                                                \
    "95028103"                                                      \
    "09FF2501750195018102"                                          \
    "75078103"                                                      \
    "C0C0"

#endif
