#include "station/show/doctor.h"

json_t *show_finding(const char *check, const struct doctor_finding *f)
{
    json_t *figures = json_object();

    for (size_t i = 0; i < f->figure_count; i++)
        json_object_set_new(figures, f->figures[i].name,
                            json_integer((json_int_t)f->figures[i].value));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "check", check, "verdict",
                     doctor_verdict_name(f->verdict), "what", f->what, "next",
                     f->next, "figures", figures);
}
