#include "station/show/imported.h"

json_t *show_imported(const struct import_result *r, const char *path)
{
    json_t *j = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
        "container", path, "kind", kind_name(r->kind), "id", r->id,
        "issuer", r->issuer, "sequence", (json_int_t)r->sequence,
        "records", (json_int_t)r->sum.records, "keys",
        (json_int_t)r->sum.keys, "withoutDelete",
        (json_int_t)r->sum.without_delete, "missing",
        (json_int_t)r->sum.missing, "event", (json_int_t)r->sum.event);
    if (r->kind == KIND_REPORT_RECEIPT)
        json_object_set_new(j, "report", json_pack(
            "{s:s, s:I, s:I, s:I, s:I}", "id", r->receipt.report, "sequence",
            (json_int_t)r->receipt.sequence, "records",
            (json_int_t)r->receipt.records, "accepted",
            (json_int_t)r->receipt.accepted, "waiting",
            (json_int_t)r->receipt.waiting));
    return j;
}
