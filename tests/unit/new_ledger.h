/* tests/unit/new_ledger.h: ledgers for tests that are not about making one. */
#ifndef LINESIDE_TESTS_UNIT_NEW_LEDGER_H
#define LINESIDE_TESTS_UNIT_NEW_LEDGER_H

/* As db_create in an empty folder. Every migration there ever was runs once per
 * program: under the sanitizers it costs more than most tests do. */
void new_ledger(const char *data_dir);

#endif
