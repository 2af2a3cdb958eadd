/* base/start.h: what a program that keeps a ledger does first. */
#ifndef LINESIDE_BASE_START_H
#define LINESIDE_BASE_START_H

/* Descriptors 0 to 2 are taken, so that no file of the ledger is opened in the
 * place of one that was closed, and scans read from it or answers written into
 * it; files are their owner's alone; a reader that went away is an error code,
 * not a death. */
void program_start(void);

/* For a screen, whose keys are its own: until it has its terminal in hand, Ctrl-\ and
 * Ctrl-Z would end or stop it. They do nothing from here on, and Ctrl-C waits to be
 * read (signalfd). Also for the program that this one becomes. */
void program_keys(void);

#endif
