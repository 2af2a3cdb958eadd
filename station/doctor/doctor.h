/* doctor/doctor.h: is this station well? doctor_look gathers what there is to
 * see and changes nothing; each check of the table judges what was seen, and
 * is a function of that alone, so that a test can make up any station. */
#ifndef LINESIDE_DOCTOR_DOCTOR_H
#define LINESIDE_DOCTOR_DOCTOR_H

#include "storage/backups.h"
#include "storage/events.h"
#include "storage/exports.h"
#include "storage/receipts.h"

/* --- limits ---------------------------------------------------------------- */

/* One shift: eight fixtures, a unit in 20 seconds, eight hours: 11 520 units,
 * taken as 12 000. Each brings a BPP into the ledger, assumed to have
 * 64 KiB; its evidence, events and indices are measured at 6 KiB, and its part
 * of an export in the outbox at as much: taken as 16 KiB each. The WAL (bound: 32 MiB) is small beside that. */
#define DOCTOR_SHIFT_UNITS 12000
#define DOCTOR_UNIT_OCTETS ((64 + 16 + 16) * 1024)
#define DOCTOR_SHIFT_OCTETS ((uint64_t)DOCTOR_SHIFT_UNITS * DOCTOR_UNIT_OCTETS)
/* The ledger is a handful of files; an export has one for each segment. */
#define DOCTOR_SHIFT_INODES 1000
/* With less than this part of a shift's need the line stops within the hour. */
#define DOCTOR_SHIFT_PART 10
/* Time for the authority to answer, and for a stick to travel both ways. */
#define DOCTOR_CERT_DAYS 30
/* For a report to travel, be checked, and its receipt to travel back. */
#define DOCTOR_RECEIPT_DAYS 14
#define DOCTOR_RECEIPT_DAYS_MAX 3650

struct doctor_limits {
    uint64_t octets, inodes; /* of one shift */
    int cert_days;
    int receipt_days; /* a report may wait so long to be acknowledged */
};
extern const struct doctor_limits doctor_limits_default;

/* --- what was seen ---------------------------------------------------------- */

struct doctor_file {
    int error; /* errno of stat; 0: it is there */
    bool is_dir;
    unsigned mode, owner; /* mode: permissions alone */
};

enum doctor_holder { DOCTOR_OF_STATION, DOCTOR_OF_CI, DOCTOR_OF_SMDP };

struct doctor_cert {
    enum doctor_holder of;
    char name[128]; /* for people: "CI root 2" */
    int64_t not_before, not_after;
};

#define DOCTOR_LIST_MAX 159 /* names with commas; longer ends in "..." */
typedef char doctor_list[DOCTOR_LIST_MAX + 1];

/* An err whose code is ERR_NONE: that went well. */
struct doctor_seen {
    struct doctor_limits limits;
    char dir[256]; /* plain text */
    unsigned self; /* effective user */
    struct doctor_file data, ledger_file, key_file;

    struct err open; /* of the ledger; what follows is there only if it opened */
    int schema;
    struct err damage, books, chain, key, trust, counts, clock, backups;
    uint64_t events;
    struct ledger_clock time;
    int64_t machine;
    bool commissioned;
    struct doctor_cert *certs;
    size_t cert_count;
    struct unexported pending;
    struct reports_open unacknowledged;
    uint64_t undelivered; /* containers in the outbox */
    uint64_t received, loading, quarantined, units_unresolved, units_quarantined;
    struct backup_need backup;
    uint64_t epoch;       /* more than 1: restored from a backup */
    bool adds_up;

    struct err space;
    uint64_t free_octets, free_inodes;
    bool inodes_counted; /* some file systems have no such number */

    struct err line;
    bool running;
    long pid; /* 0: not known */

    bool usb_asked;
    struct err usb;
    unsigned slots, refused, scanners, absent;
    doctor_list slot_names, refused_names, absent_names;

    struct err network;
    unsigned interfaces; /* up, not loopback */
    doctor_list interface_names;
};

struct doctor_ask {
    const char *data_dir;
    struct doctor_limits limits;
    bool usb;
    const struct db_options *db; /* NULL: the default */
};
/* Never fails: what cannot be seen is what was seen. Reads the whole ledger.
 * Clear with doctor_clear. */
void doctor_look(const struct doctor_ask *ask, struct doctor_seen *out);
void doctor_clear(struct doctor_seen *s);

/* --- what it means ---------------------------------------------------------- */

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD };
const char *doctor_verdict_name(enum doctor_verdict v); /* "warn" */

#define DOCTOR_FIGURES 8
struct doctor_finding {
    enum doctor_verdict verdict;
    char what[600]; /* plain text, as next */
    char next[300]; /* "" when ok; else who does what now */
    struct { const char *name; int64_t value; } figures[DOCTOR_FIGURES];
    size_t figure_count;
};

struct doctor_check {
    const char *name;
    /* Is there anything to judge? NULL: always. */
    bool (*applies)(const struct doctor_seen *s);
    void (*judge)(const struct doctor_seen *s, struct doctor_finding *f);
};
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* False: it does not apply, *out is not touched. */
bool doctor_judge(const struct doctor_check *c, const struct doctor_seen *s,
                  struct doctor_finding *out);

#endif
