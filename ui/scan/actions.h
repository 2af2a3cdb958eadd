/* ui/scan/actions: what can be done at a screen, in one table: its key, its
 * command barcode, its words. Key line, key help and barcode sheet are drawn
 * from it, and there is no other way to do anything. */
#ifndef LINESIDE_UI_ACTIONS_H
#define LINESIDE_UI_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of keys, whatever the terminal calls them. */
enum key {
    KEY_NONE,
    K_F1, K_F2, K_F3, K_F4, K_F5, K_F6, K_F7, K_F8, K_F9, K_F10,
    K_UP, K_DOWN, K_LEFT, K_RIGHT, K_PAGE_UP, K_PAGE_DOWN,
    K_ENTER, K_ESCAPE, K_ERASE,
    K_RESIZE, /* the terminal has another size */
    KEYS
};

enum act {
    ACT_NONE,
    ACT_HELP,
    ACT_LINE,
    ACT_LOGIN,
    ACT_LOGOUT,
    ACT_MENU,
    ACT_LANGUAGE,
    ACT_SOUND,
    ACT_LEAVE,
    ACT_UP, ACT_DOWN, ACT_LEFT, ACT_RIGHT,
    ACT_BACK, ACT_FORTH, /* pages */
    ACT_CHOOSE,
    ACT_CANCEL
};

struct action {
    enum act act;
    enum key key;
    const char *key_name; /* as it stands on keyboards: "F1" */
    const char *barcode;  /* after COMMAND_PREFIX */
    const char *label;    /* one word */
    const char *help;     /* one sentence */
};
extern const struct action actions[];
extern const size_t action_count;

const struct action *action_of_key(enum key k);  /* NULL: none */

/* Command barcodes: letters, digits and a hyphen, so that any symbology and any
 * scanner carries them. "LINESIDE-HELP", and "LINESIDE-" and a screen's name. */
#define COMMAND_PREFIX "LINESIDE-"
/* It is a command's, be it known or not; *word is what follows. */
bool command_is(const char *text, const char **word);
const struct action *action_of_command(const char *word);

#endif
