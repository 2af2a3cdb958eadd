/* lineside-states: prints docs/states.md, drawn from the tables that the
 * ledger itself acts by. tests/e2e/docs.sh compares. */
#include "storage/states.h"

#include <stdio.h>
#include <string.h>

/* One row, whichever table it comes from. */
struct row {
    int from, to;
    const char *cause, *only_if, *what;
};

struct machine {
    int states;
    const char *(*name)(int state);
    const char *born; /* the event that a thing of this kind begins with */
    const char *const *means; /* of each state */
    struct row rows[64];
    size_t n;
};

static const char *const bpp_means[BPP_STATES] = {
    [BPP_IN_STOCK] = "received, and no octet of it is on its way to a card",
    [BPP_RESERVED] = "a fixture works on its eUICC; not sent in this visit yet",
    [BPP_LOADING] = "a card may have seen an octet of it",
    [BPP_INSTALLED] = "the eUICC signed that it is installed; a later deletion "
        "is a mark on it, no other state",
    [BPP_FAILED] = "the eUICC signed that it is not installed; the one-time "
        "key is gone",
    [BPP_QUARANTINED] = "the one-time key is gone and nobody knows for what; it is "
        "never loaded again",
    [BPP_VOIDED] = "never to be used: its one-time key was used by somebody else, "
        "or two people gave it up",
};

static const char *const position_means[POSITION_STATES] = {
    [POSITION_OPEN] = "known, or being worked on",
    [POSITION_PASSED] = "all evidence is committed",
    [POSITION_STOCKED] = "it gave its profiles back; or done so far, one-time keys "
        "kept for another visit; or registered only",
    [POSITION_FAILED] = "its last visit failed",
    [POSITION_UNRESOLVED] = "its eUICC has to be asked what became of a BPP",
    [POSITION_QUARANTINED] = "held back: no fixture works on it until two people "
        "have acted",
    [POSITION_SCRAPPED] = "given up by two people",
};

static const char *const order_means[ORDER_STATES] = {
    [ORDER_WAITING] = "imported or made here; nothing is made by it",
    [ORDER_ACTIVE] = "fixtures can be bound to it, and make units by it",
    [ORDER_CLOSED] = "nothing more is made by it",
};

static const char *bpp_name(int s)
{
    return bpp_state_name((enum bpp_state)s);
}

static const char *position_name(int s)
{
    return position_state_name((enum position_state)s);
}

static const char *order_name(int s)
{
    return order_state_name((enum order_state)s);
}

static const char *rule_text(enum attempts_rule r)
{
    static const char *const text[] = {
        [ATTEMPTS_ANY] = "",
        [ATTEMPTS_NONE] = "no load begun",
        [ATTEMPTS_SOME] = "a load begun",
    };

    return text[r];
}

static void row_add(struct machine *m, struct row r)
{
    if (m->n < sizeof m->rows / sizeof *m->rows)
        m->rows[m->n++] = r;
}

static void bpps_take(struct machine *m)
{
    for (size_t i = 0; i < stock_transition_count; i++) {
        const struct stock_transition *t = &stock_transitions[i];
        row_add(m, (struct row){ (int)t->from, (int)t->to,
                                 stock_cause_name(t->cause),
                                 rule_text(t->attempts), t->what });
    }
}

static void positions_take(struct machine *m)
{
    for (size_t i = 0; i < position_transition_count; i++) {
        const struct position_transition *t = &position_transitions[i];
        row_add(m, (struct row){ (int)t->from, (int)t->to,
                                 position_cause_name(t->cause), "", t->what });
    }
}

static void orders_take(struct machine *m)
{
    for (size_t i = 0; i < order_transition_count; i++) {
        const struct order_transition *t = &order_transitions[i];
        row_add(m, (struct row){ (int)t->from, (int)t->to,
                                 order_cause_name(t->cause), "", t->what });
    }
}

/* --- what the rows say together -------------------------------------------- */

static bool leads_out(const struct machine *m, int state)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->rows[i].from == state)
            return true;
    return false;
}

/* Reached from state 0, the first of every machine. */
static unsigned reached(const struct machine *m)
{
    unsigned set = 1, before = 0;

    while (set != before) {
        before = set;
        for (size_t i = 0; i < m->n; i++)
            if (set & 1u << m->rows[i].from)
                set |= 1u << m->rows[i].to;
    }
    return set;
}

/* --- drawing --------------------------------------------------------------- */

/* Mermaid takes no hyphen in a name. */
static void put_id(const char *name)
{
    for (; *name; name++)
        putchar(*name == '-' ? '_' : *name);
}

static bool first_of_arrow(const struct machine *m, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (m->rows[i].from == m->rows[at].from &&
            m->rows[i].to == m->rows[at].to)
            return false;
    return true;
}

/* All rows from one state to another are one arrow with several labels. */
static void put_arrow(const struct machine *m, size_t at)
{
    const char *before = " : ";

    if (!first_of_arrow(m, at))
        return;
    printf("    ");
    put_id(m->name(m->rows[at].from));
    printf(" --> ");
    put_id(m->name(m->rows[at].to));
    for (size_t i = at; i < m->n; i++) {
        const struct row *r = &m->rows[i];
        if (r->from != m->rows[at].from || r->to != m->rows[at].to)
            continue;
        printf("%s%s", before, r->cause);
        if (*r->only_if)
            printf(" (%s)", r->only_if);
        before = ", ";
    }
    putchar('\n');
}

static void put_diagram(const struct machine *m)
{
    puts("```mermaid\nstateDiagram-v2");
    for (int s = 0; s < m->states; s++) {
        printf("    state \"%s\" as ", m->name(s));
        put_id(m->name(s));
        putchar('\n');
    }
    printf("    [*] --> ");
    put_id(m->name(0));
    printf(" : %s\n", m->born);
    for (size_t i = 0; i < m->n; i++)
        put_arrow(m, i);
    for (int s = 0; s < m->states; s++)
        if (!leads_out(m, s)) {
            printf("    ");
            put_id(m->name(s));
            puts(" --> [*]");
        }
    puts("```\n");
}

static void put_states(const struct machine *m)
{
    unsigned set = reached(m);

    puts("| state | means | |\n| --- | --- | --- |");
    for (int s = 0; s < m->states; s++)
        printf("| %s | %s | %s |\n", m->name(s), m->means[s],
               !(set & 1u << s) ? "no row leads here"
               : !leads_out(m, s) ? "final" : "");
    putchar('\n');
}

static void put_rows(const struct machine *m, bool rule)
{
    printf("| from | to | cause |%s what happened |\n", rule ? " only if |" : "");
    printf("| --- | --- | --- |%s --- |\n", rule ? " --- |" : "");
    for (size_t i = 0; i < m->n; i++) {
        const struct row *r = &m->rows[i];
        printf("| %s | %s | %s |", m->name(r->from), m->name(r->to), r->cause);
        if (rule)
            printf(" %s |", r->only_if);
        printf(" %s |\n", r->what);
    }
    putchar('\n');
}

/* --- the page -------------------------------------------------------------- */

static const char head[] =
"# States\n"
"\n"
"What a Bound Profile Package (BPP), a position of a unit and a work order can be, and what makes it something else. This page is printed by\n"
"`build/bin/lineside-states` from the tables in `storage/states.c` that the ledger acts by; a test fails when they differ.\n"
"\n"
"One function changes a BPP's state (`stock_move`, `storage/stock.h`) and one a position's (`position_move`, `storage/units.h`). Both look the\n"
"change up, refuse what is not in the table, and append exactly one event in the same transaction. `tests/unit/storage/test_states.c` and\n"
"`tests/unit/storage/test_states_units.c` try every state with every other, every cause, with and without a load begun.\n"
"\n"
"## What the event says\n"
"\n"
"| event | says |\n"
"| --- | --- |\n"
"| time | the ledger's clock: it never goes back |\n"
"| actor | the person who acted; `line` where no person did, but a running line |\n"
"| `from`, `to`, `cause` | a row below |\n"
"| `serial`, `position` | the unit, if one was known |\n"
"| `fixture` | where; for `leftover`, where the visit stood that nobody ended |\n"
"| `attempt`, `code`, `reason`, `bf37-sha256` | which load; the verdict; a line for people; the eUICC's signed result |\n"
"\n"
"The octets are in [formats/ledger.md](formats/ledger.md). Earlier programs wrote no `cause` of a position, and no place with `leftover`.\n"
"\n"
"## BPPs\n"
"\n"
"*Installed* and *failed* need the eUICC's signed result (BF37). Whether a load was begun is counted by this ledger, for good: it decides\n"
"between \"nobody knows\" (quarantined) and \"somebody else\" (voided).\n"
"\n";

static const char middle[] =
"## Positions of units\n"
"\n"
"A position is one eUICC of a unit. What it is already, with the code that it has, is no change and no event.\n"
"\n";

static const char last[] =
"## Work orders\n"
"\n"
"What orders are is in [formats/order.md](formats/order.md). `order_move` (`storage/orders.h`) changes their state, with one event `order-moved`;\n"
"`tests/unit/storage/test_orders.c` tries all of it.\n"
"\n";

static const char tail[] =
"## Behind the ledger's back\n"
"\n"
"The tables are kept by code. The database itself refuses to change or remove events and evidence, a state that does not exist, and counters of\n"
"a bundle that do not add up to what was received. It does not refuse an UPDATE of a state by somebody who writes to the file.\n"
"`lineside stock --check` counts each bundle's BPPs again from rows and events and names the one where they differ; two BPPs of one\n"
"bundle that changed places, and a position's state, only the events tell. What an audit log has carried out cannot be changed unseen.\n";

int main(void)
{
    struct machine bpps = { .states = BPP_STATES, .name = bpp_name,
                            .born = "bundle-imported", .means = bpp_means };
    struct machine positions = { .states = POSITION_STATES,
                                 .name = position_name,
                                 .born = "unit-registered",
                                 .means = position_means };

    struct machine orders = { .states = ORDER_STATES, .name = order_name,
                              .born = "order-imported, order-made",
                              .means = order_means };

    bpps_take(&bpps);
    positions_take(&positions);
    orders_take(&orders);
    fputs(head, stdout);
    put_diagram(&bpps);
    put_states(&bpps);
    put_rows(&bpps, true);
    fputs(middle, stdout);
    put_diagram(&positions);
    put_states(&positions);
    put_rows(&positions, false);
    fputs(last, stdout);
    put_diagram(&orders);
    put_states(&orders);
    put_rows(&orders, false);
    fputs(tail, stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
