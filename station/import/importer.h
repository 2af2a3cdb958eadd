/* import/importer.h: the process that reads a medium. It holds the directory
 * and two pipes, nothing else: no ledger, no key, no terminal. */
#ifndef LINESIDE_IMPORT_IMPORTER_H
#define LINESIDE_IMPORT_IMPORTER_H

#define IMPORTER_TRUST_FD 0
#define IMPORTER_OUT_FD 1
#define IMPORTER_DIR_FD 3

/* main() of that process; returns its exit code. */
int importer_main(void);

#endif
