/* ifpp/tags.h: every tag, OID and command of the binding that SGP.42 may one
 * day replace. Nothing outside this header writes such a number. */
#ifndef LINESIDE_IFPP_TAGS_H
#define LINESIDE_IFPP_TAGS_H

/* Universal. */
#define TAG_BOOLEAN 0x01
#define TAG_INTEGER 0x02
#define TAG_BITS 0x03
#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_UTF8 0x0C
#define TAG_PRINTABLE 0x13
#define TAG_UTCTIME 0x17
#define TAG_GTIME 0x18
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31

/* SGP.22. */
#define TAG_EID 0x5A
#define TAG_ICCID 0x5A
#define TAG_AID 0x4F
#define TAG_SIGNATURE 0x5F37  /* raw r||s, 64 octets          */
#define TAG_OTPK 0x5F49       /* uncompressed point, 65 octets */
#define TAG_PROFILE_STATE 0x9F70
#define TAG_PROFILE_INFO 0xE3
#define TAG_BPP 0xBF36
#define TAG_INIT_SECURE_CHANNEL 0xBF23
#define TAG_CONFIGURE_ISDP 0xBF24
#define TAG_STORE_METADATA 0xBF25
#define TAG_REPLACE_SESSION_KEYS 0xBF26
#define TAG_SEG_ENC 0x87
#define TAG_SEG_MAC 0x88
#define TAG_SEG_PROFILE 0x86
#define TAG_INSTALL_RESULT 0xBF37
#define TAG_INSTALL_RESULT_DATA 0xBF27
#define TAG_NOTIFICATION_METADATA 0xBF2F
#define TAG_CONFIGURED_ADDRESSES 0xBF20
#define TAG_CHALLENGE 0xBF2E
#define TAG_INFO1 0xBF20
#define TAG_INFO2 0xBF22
#define TAG_LIST_NOTIFICATION 0xBF28
#define TAG_SET_NICKNAME 0xBF29
#define TAG_RETRIEVE_NOTIFICATIONS 0xBF2B
#define TAG_PROFILES_INFO 0xBF2D
#define TAG_REMOVE_NOTIFICATION 0xBF30
#define TAG_ENABLE 0xBF31
#define TAG_DISABLE 0xBF32
#define TAG_DELETE 0xBF33
#define TAG_MEMORY_RESET 0xBF34
#define TAG_PREPARE_DOWNLOAD 0xBF21
#define TAG_AUTHENTICATE_SERVER 0xBF38
#define TAG_CONFIGURED_DATA 0xBF3C
#define TAG_EUICC_DATA 0xBF3E
#define TAG_SET_DEFAULT_DP 0xBF3F
#define TAG_GET_RAT 0xBF43
#define TAG_GET_CERTS 0xBF56
#define TAG_ENABLE_IOT 0xBF5A

/* NotificationEvent (SGP.22 2.4a.1.1), first octet of bits. */
#define NOTIFICATION_EVENT_INSTALL 0x80
#define NOTIFICATION_EVENT_ENABLE 0x40
#define NOTIFICATION_EVENT_DISABLE 0x20
#define NOTIFICATION_EVENT_DELETE 0x10

/* Ours (binding, clause 4). */
#define TAG_IFPP_STATUS 0xBF70
#define TAG_AUTHORISE_SMDPF 0xBF71
#define TAG_DELETE_OTK 0xBF72
#define TAG_CLOSE_FPA 0xBF73
#define IFPP_ERROR_KEYS_REMAIN 1

/* Segment bounds (binding, clause 3). */
#define BPP_SEGMENT_MAX 1020       /* whole TLV, what we write     */
#define BPP_SEGMENT_READ_MAX 1036  /* whole TLV, what we accept    */
#define BPP_PLAIN_MAX 1007
#define BPP_PLAIN_MAC_ONLY_MAX 1008
#define BPP_MAC_LEN 8
#define BPP_MAX (1024 * 1024)
#define BPP_KEY_TYPE 0x88
#define BPP_KEY_LEN 0x10

/* Certificates: policy 2.23.146.1.2.1.x, permittedEins 2.23.146.1.2.2.0. */
#define OID_RSP_ROLE "2.23.146.1.2.1."
#define OID_ROLE_CI "2.23.146.1.2.1.0"
#define OID_ROLE_EUICC "2.23.146.1.2.1.1"
#define OID_ROLE_EUM "2.23.146.1.2.1.2"
#define OID_ROLE_DPAUTH "2.23.146.1.2.1.4"
#define OID_ROLE_DPPB "2.23.146.1.2.1.5"
#define OID_PERMITTED_EINS "2.23.146.1.2.2.0"

/* EKUs (ours): under the UUID arc, since nobody issued us one. */
#define OID_OURS "2.25.318467226109451937402659136052"
#define OID_EKU_EUICC_DATA OID_OURS ".1"
#define OID_EKU_STATION OID_OURS ".2"
#define OID_EKU_ORDER OID_OURS ".3"
#define OID_EKU_AUTHORITY OID_OURS ".4"
#define OID_EKU_RELEASE OID_OURS ".5"
#define OID_EKU_RECOVERY OID_OURS ".6"

#endif
