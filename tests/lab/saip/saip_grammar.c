#include "tests/lab/saip/saip_grammar.h"

#define ANY SAIP_PACKAGE_MAX /* no bound but the package's own */
#define OPT true
#define MUST false
#define LAST { 0, NULL, SAIP_T_NULL, false, 0, 0, NULL }

#define NUL(tag, name) { tag, name, SAIP_T_NULL, OPT, 0, 0, NULL }
#define OCT(tag, name, opt, min, max) \
    { tag, name, SAIP_T_OCTETS, opt, min, max, NULL }
#define UINT(tag, name, opt, max) \
    { tag, name, SAIP_T_UINT, opt, 0, max, NULL }
#define SEQ(tag, name, opt, members) \
    { tag, name, SAIP_T_SEQ, opt, 0, 0, members }
#define RUN(tag, name, opt, min, max, members) \
    { tag, name, SAIP_T_RUN, opt, min, max, members }
#define AID(tag, name, opt) OCT(tag, name, opt, 5, 16)
#define PE_HEADER SEQ(0xA0, "PE header", MUST, saip_pe_header)

const struct saip_field saip_pe_header[] = {
    NUL(0x80, "mandated"),
    UINT(0x81, "identification", MUST, 0x7fff),
    LAST,
};

/* --- file system (SAIP 8.3) ---------------------------------------------- */

static const struct saip_field proprietary_info[] = {
    OCT(0xC0, "specialFileInformation", OPT, 1, 1),
    OCT(0xC1, "fillPattern", OPT, 1, 200),
    OCT(0xC2, "repeatPattern", OPT, 1, 200),
    OCT(0x86, "maximumFileSize", OPT, 1, 8),
    OCT(0x84, "fileDetails", OPT, 1, 1),
    LAST,
};

const struct saip_field saip_fcp[] = {
    OCT(0x82, "fileDescriptor", OPT, 2, 4),
    OCT(0x83, "fileID", OPT, 2, 2),
    AID(0x84, "dfName", OPT),
    OCT(0x8A, "lcsi", OPT, 1, 1),
    OCT(0x8B, "securityAttributesReferenced", OPT, 1, 3),
    OCT(0x80, "efFileSize", OPT, 1, 8),
    OCT(0xC6, "pinStatusTemplateDO", OPT, 0, ANY),
    OCT(0x88, "shortEFID", OPT, 0, 1),
    SEQ(0xA5, "proprietaryEFInfo", OPT, proprietary_info),
    OCT(0xC7, "linkPath", OPT, 0, 8),
    LAST,
};

const struct saip_field saip_file_commands[] = {
    NUL(SAIP_CMD_DO_NOT_CREATE, "doNotCreate"),
    SEQ(SAIP_CMD_FCP, "fileDescriptor", OPT, saip_fcp),
    UINT(SAIP_CMD_OFFSET, "fillFileOffset", OPT, UINT16_MAX),
    OCT(SAIP_CMD_CONTENT, "fillFileContent", OPT, 0, ANY),
    LAST,
};

static const struct saip_field gfm_command[] = {
    OCT(SAIP_GFM_PATH, "filePath", OPT, 0, 8),
    SEQ(SAIP_GFM_FCP, "createFCP", OPT, saip_fcp),
    UINT(SAIP_GFM_OFFSET, "fillFileOffset", OPT, UINT16_MAX),
    OCT(SAIP_GFM_CONTENT, "fillFileContent", OPT, 0, ANY),
    LAST,
};
static const struct saip_field gfm_list[] = {
    RUN(0x30, "FileManagement", MUST, 1, ANY, gfm_command),
    LAST,
};
const struct saip_field saip_pe_gfm[] = {
    PE_HEADER,
    RUN(0xA1, "fileManagementCMD", MUST, 1, ANY, gfm_list),
    LAST,
};

/* --- header (SAIP 8.2) --------------------------------------------------- */

static const struct saip_field services[] = {
    NUL(0x80, "contactless"),
    NUL(0x81, "usim"),
    NUL(0x82, "isim"),
    NUL(0x83, "csim"),
    NUL(0x84, "milenage"),
    NUL(0x85, "tuak128"),
    NUL(0x86, "cave"),
    NUL(0x87, "gba-usim"),
    NUL(0x88, "gba-isim"),
    NUL(0x89, "mbms"),
    NUL(0x8A, "eap"),
    NUL(0x8B, "javacard"),
    NUL(0x8C, "multos"),
    NUL(0x8D, "multiple-usim"),
    NUL(0x8E, "multiple-isim"),
    NUL(0x8F, "multiple-csim"),
    NUL(0x90, "tuak256"),
    NUL(0x91, "usim-test-algorithm"),
    NUL(0x92, "ber-tlv"),
    NUL(0x93, "dfLink"),
    NUL(0x94, "cat-tp"),
    NUL(0x95, "get-identity"),
    NUL(0x96, "profile-a-x25519"),
    NUL(0x97, "profile-b-p256"),
    NUL(0x98, "suciCalculatorApi"),
    NUL(0x99, "dns-resolution"),
    NUL(0x9A, "scp11ac"),
    NUL(0x9B, "scp11c-authorization-mechanism"),
    NUL(0x9C, "s16mode"),
    NUL(0x9D, "eaka"),
    LAST,
};
static const struct saip_field gfste[] = {
    { 0x06, "template OID", SAIP_T_OID, OPT, 0, 0, NULL },
    LAST,
};
static const struct saip_field mandatory_aid[] = {
    AID(0x80, "aid", MUST),
    OCT(0x81, "version", MUST, 2, 2),
    LAST,
};
static const struct saip_field mandatory_aids[] = {
    SEQ(0x30, "eUICC-Mandatory-AID", MUST, mandatory_aid),
    LAST,
};
const struct saip_field saip_pe_profile_header[] = {
    UINT(0x80, "major-version", MUST, 255),
    UINT(0x81, "minor-version", MUST, 255),
    { 0x82, "profileType", SAIP_T_UTF8, OPT, 1, SAIP_TYPE_MAX, NULL },
    OCT(0x83, "iccid", MUST, 10, 10),
    OCT(0x84, "pol", OPT, 0, ANY),
    SEQ(0xA5, "eUICC-Mandatory-services", MUST, services),
    RUN(0xA6, "eUICC-Mandatory-GFSTEList", MUST, 0, ANY, gfste),
    OCT(0x87, "connectivityParameters", OPT, 0, ANY),
    RUN(0xA8, "eUICC-Mandatory-AIDs", OPT, 0, ANY, mandatory_aids),
    LAST,
};

/* --- PINs and PUKs (SAIP 8.4) -------------------------------------------- */

static const struct saip_field pin_config[] = {
    UINT(0x80, "keyReference", MUST, 255),
    OCT(0x81, "pinValue", MUST, 8, 8),
    UINT(0x82, "unblockingPINReference", OPT, 255),
    UINT(0x83, "pinAttributes", OPT, 255),
    UINT(0x84, "maxNumOfAttemps-retryNumLeft", OPT, 255),
    LAST,
};
static const struct saip_field pin_list[] = {
    SEQ(0x30, "PINConfiguration", MUST, pin_config),
    LAST,
};
static const struct saip_field pin_choice[] = {
    RUN(0xA0, "pinconfig", OPT, 1, 26, pin_list),
    OCT(0x81, "filePath", OPT, 0, 8),
    LAST,
};
const struct saip_field saip_pe_pin[] = {
    PE_HEADER,
    RUN(0xA1, "pinCodes", MUST, 1, 1, pin_choice),
    LAST,
};

static const struct saip_field puk_config[] = {
    UINT(0x80, "keyReference", MUST, 255),
    OCT(0x81, "pukValue", MUST, 8, 8),
    UINT(0x82, "maxNumOfAttemps-retryNumLeft", OPT, 255),
    LAST,
};
static const struct saip_field puk_list[] = {
    SEQ(0x30, "PUKConfiguration", MUST, puk_config),
    LAST,
};
const struct saip_field saip_pe_puk[] = {
    PE_HEADER,
    RUN(0xA1, "pukCodes", MUST, 1, 16, puk_list),
    LAST,
};

/* --- network access parameters (SAIP 8.5) -------------------------------- */

static const struct saip_field mapping_parameter[] = {
    OCT(0x80, "mappingOptions", MUST, 1, 1),
    AID(0x81, "mappingSource", MUST),
    LAST,
};
static const struct saip_field algo_parameter[] = {
    UINT(0x80, "algorithmID", MUST, 3),
    OCT(0x81, "algorithmOptions", MUST, 1, 1),
    OCT(0x82, "key", MUST, 16, 32),
    OCT(0x83, "opc", MUST, 0, 32),
    OCT(0x84, "rotationConstants", OPT, 5, 5),
    OCT(0x85, "xoringConstants", OPT, 80, 80),
    OCT(0x86, "authCounterMax", OPT, 3, 3),
    UINT(0x87, "numberOfKeccak", OPT, 255),
    LAST,
};
static const struct saip_field algo_choice[] = {
    SEQ(0xA0, "mappingParameter", OPT, mapping_parameter),
    SEQ(0xA1, "algoParameter", OPT, algo_parameter),
    LAST,
};
static const struct saip_field sqn_list[] = {
    OCT(0x04, "sequence number", MUST, 6, 6),
    LAST,
};
const struct saip_field saip_pe_aka[] = {
    PE_HEADER,
    RUN(0xA1, "algoConfiguration", MUST, 1, 1, algo_choice),
    OCT(0x82, "sqnOptions", OPT, 1, 1),
    OCT(0x83, "sqnDelta", OPT, 6, 6),
    OCT(0x84, "sqnAgeLimit", OPT, 6, 6),
    RUN(0xA5, "sqnInit", OPT, 32, 32, sqn_list),
    LAST,
};

const struct saip_field saip_pe_cdma[] = {
    PE_HEADER,
    OCT(0x81, "authenticationKey", MUST, 8, 8),
    OCT(0x82, "ssd", OPT, 16, 16),
    OCT(0x83, "hrpdAccessAuthenticationData", OPT, 2, 32),
    OCT(0x84, "simpleIPAuthenticationData", OPT, 3, 483),
    OCT(0x85, "mobileIPAuthenticationData", OPT, 5, 957),
    LAST,
};

/* --- applications, security domains, RFM (SAIP 8.6 to 8.8) --------------- */

static const struct saip_field contactless_parameters[] = {
    OCT(0x80, "protocolParameterData", MUST, 0, ANY),
    LAST,
};
static const struct saip_field system_parameters[] = {
    OCT(0xC7, "volatileMemoryQuotaC7", OPT, 2, 4),
    OCT(0xC8, "nonVolatileMemoryQuotaC8", OPT, 2, 4),
    OCT(0xCB, "globalServiceParameters", OPT, 0, ANY),
    OCT(0xCF, "implicitSelectionParameter", OPT, 0, ANY),
    OCT(0xD7, "volatileReservedMemory", OPT, 2, 4),
    OCT(0xD8, "nonVolatileReservedMemory", OPT, 2, 4),
    OCT(0xCA, "ts102226SIMFileAccessToolkitParameter", OPT, 0, ANY),
    SEQ(0xA0, "ts102226AdditionalContactlessParameters", OPT,
        contactless_parameters),
    OCT(0xD9, "contactlessProtocolParameters", OPT, 0, ANY),
    OCT(0xDA, "userInteractionContactlessParameters", OPT, 0, ANY),
    OCT(0x82, "cumulativeGrantedVolatileMemory", OPT, 2, 4),
    OCT(0x83, "cumulativeGrantedNonVolatileMemory", OPT, 2, 4),
    LAST,
};
static const struct saip_field uicc_parameters[] = {
    OCT(0x80, "uiccToolkitApplicationSpecificParametersField", OPT, 0, ANY),
    OCT(0x81, "uiccAccessApplicationSpecificParametersField", OPT, 0, ANY),
    OCT(0x82, "uiccAdministrativeAccessApplicationSpecificParametersField",
        OPT, 0, ANY),
    LAST,
};
static const struct saip_field octet_strings[] = {
    OCT(0x04, "OCTET STRING", MUST, 0, ANY),
    LAST,
};
static const struct saip_field control_reference[] = {
    OCT(0x5F20, "applicationProviderIdentifier", MUST, 0, ANY),
    LAST,
};
static const struct saip_field instance[] = {
    AID(0x4F, "applicationLoadPackageAID", MUST),
    AID(0x4F, "classAID", MUST),
    AID(0x4F, "instanceAID", MUST),
    AID(0x4F, "extraditeSecurityDomainAID", OPT),
    OCT(0x82, "applicationPrivileges", MUST, 0, ANY),
    OCT(0x83, "lifeCycleState", OPT, 1, 1),
    OCT(0xC9, "applicationSpecificParametersC9", MUST, 0, ANY),
    SEQ(0xEF, "systemSpecificParameters", OPT, system_parameters),
    SEQ(0xEA, "applicationParameters", OPT, uicc_parameters),
    RUN(0x30, "processData", OPT, 1, ANY, octet_strings),
    SEQ(0xB0, "controlReferenceTemplate", OPT, control_reference),
    LAST,
};

static const struct saip_field key_component[] = {
    OCT(0x80, "keyType", MUST, 1, 2),
    OCT(0x86, "keyData", MUST, 1, ANY),
    UINT(0x87, "macLength", OPT, 255),
    LAST,
};
static const struct saip_field key_components[] = {
    SEQ(0x30, "key component", MUST, key_component),
    LAST,
};
static const struct saip_field key_object[] = {
    OCT(0x95, "keyUsageQualifier", MUST, 1, 2),
    OCT(0x96, "keyAccess", OPT, 1, 1),
    OCT(0x82, "keyIdentifier", MUST, 1, 1),
    OCT(0x83, "keyVersionNumber", MUST, 1, 1),
    OCT(0x85, "keyCounterValue", OPT, 0, ANY),
    RUN(0x30, "keyComponents", MUST, 1, ANY, key_components),
    LAST,
};
static const struct saip_field key_list[] = {
    SEQ(0x30, "KeyObject", MUST, key_object),
    LAST,
};
static const struct saip_field open_perso[] = {
    OCT(0xD9, "restrictParameter", OPT, 1, 1),
    OCT(0x04, "contactlessProtocolParameters", OPT, 0, ANY),
    LAST,
};
static const struct saip_field cat_tp[] = {
    UINT(0x80, "catTpMaxSduSize", MUST, UINT16_MAX),
    UINT(0x81, "catTpMaxPduSize", MUST, UINT16_MAX),
    LAST,
};
const struct saip_field saip_pe_sd[] = {
    PE_HEADER,
    SEQ(0xA1, "instance", MUST, instance),
    RUN(0xA2, "keyList", OPT, 1, ANY, key_list),
    RUN(0xA3, "sdPersoData", OPT, 1, ANY, octet_strings),
    SEQ(0xA4, "openPersoData", OPT, open_perso),
    SEQ(0xA5, "catTpParameters", OPT, cat_tp),
    LAST,
};

static const struct saip_field tar_list[] = {
    OCT(0x04, "TAR", MUST, 3, 3),
    LAST,
};
static const struct saip_field adf_access[] = {
    AID(0x80, "adfAID", MUST),
    OCT(0x81, "adfAccessDomain", MUST, 0, ANY),
    OCT(0x82, "adfAdminAccessDomain", MUST, 0, ANY),
    LAST,
};
const struct saip_field saip_pe_rfm[] = {
    PE_HEADER,
    AID(0x4F, "instanceAID", MUST),
    AID(0x4F, "securityDomainAID", OPT),
    RUN(0xA0, "tarList", OPT, 1, ANY, tar_list),
    OCT(0x81, "minimumSecurityLevel", MUST, 1, 1),
    OCT(0x04, "uiccAccessDomain", MUST, 0, ANY),
    OCT(0x04, "uiccAdminAccessDomain", MUST, 0, ANY),
    SEQ(0x30, "adfRFMAccess", OPT, adf_access),
    LAST,
};

static const struct saip_field load_block[] = {
    AID(0x4F, "loadPackageAID", MUST),
    AID(0x4F, "securityDomainAID", OPT),
    OCT(0xC6, "nonVolatileCodeLimitC6", OPT, 0, ANY),
    OCT(0xC7, "volatileDataLimitC7", OPT, 0, ANY),
    OCT(0xC8, "nonVolatileDataLimitC8", OPT, 0, ANY),
    OCT(0xC1, "hashValue", OPT, 0, ANY),
    OCT(0xC4, "loadBlockObject", MUST, 0, ANY),
    LAST,
};
static const struct saip_field instances[] = {
    SEQ(0x30, "ApplicationInstance", MUST, instance),
    LAST,
};
const struct saip_field saip_pe_application[] = {
    PE_HEADER,
    SEQ(0xA1, "loadBlock", OPT, load_block),
    RUN(0xA2, "instanceList", OPT, 1, ANY, instances),
    LAST,
};

const struct saip_field saip_pe_non_standard[] = {
    PE_HEADER,
    { 0x81, "issuerID", SAIP_T_OID, MUST, 0, 0, NULL },
    OCT(0x82, "content", MUST, 0, ANY),
    LAST,
};
const struct saip_field saip_pe_end[] = {
    PE_HEADER,
    LAST,
};
