/* Packages written down so that they can be read: TAG(members) and TAG:HEX,
 * separated by spaces. "A0(80: 81:01)" is A0 05 80 00 81 01 01. Lengths are
 * worked out. RAW:HEX puts octets as they are. */
#ifndef LINESIDE_UNIT_SAIP_DER_TEXT_H
#define LINESIDE_UNIT_SAIP_DER_TEXT_H

#include "station/base/span.h"

/* Append what the text says; fails the test when it says nothing clear. */
void der_text(struct buf *b, const char *text);

/* A small package that is right, element by element. */
#define T_ICCID "89000123456789012341"
#define T_HEADER_OF(iccid) \
    "A0(80:02 81:03 82:4C6162 83:" iccid " A5(81: 84:) A6(06:67810F010201))"
#define T_HEADER T_HEADER_OF(T_ICCID)
#define T_MF_OF(iccid) \
    "B0(A0(80: 81:01) 81:67810F010201 A2(A1(8B:2F0601 C6:010A))" \
    " A4(" iccid ") A5(A1(82:42210008 80:08) 83:61)" \
    " A6(A1(82:42210010 80:10) 83:80))"
#define T_EF_ICCID "A1(82:4121 83:2FE2) 83:98001032547698103214"
#define T_MF T_MF_OF(T_EF_ICCID)
#define T_PUK "A3(A0(81:02) A1(30(80:01 81:3131313131313131)))"
#define T_PIN "A2(A0(81:03) A1(A0(30(80:01 81:30303030FFFFFFFF 82:01))))"
#define T_USIM_OF(imsi, rest) \
    "B3(A0(80: 81:04) 81:67810F010204 A2(A1(83:7FD0 84:A0000000871002))" \
    " A3(" imsi ") A4(A1(82:42210010 80:10)) A8(83:00) " rest ")"
#define T_REST "AD() AE() B2() B6()"
#define T_EF_IMSI "83:080910101032540636"
#define T_USIM T_USIM_OF(T_EF_IMSI, T_REST)
#define T_K "000102030405060708090A0B0C0D0E0F"
#define T_OPC "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"
#define T_AKA_OF(id, k, opc) \
    "A4(A0(81:05) A1(A1(80:" id " 81:01 82:" k " 83:" opc ")))"
#define T_AKA T_AKA_OF("01", T_K, T_OPC)
#define T_END "AA(A0(81:1F))"
#define T_UPP_OF(mf, usim) \
    T_HEADER " " mf " " T_PUK " " T_PIN " " usim " " T_AKA " " T_END
#define T_UPP T_UPP_OF(T_MF, T_USIM)

#endif
