#include "ui/scan/actions.h"

#include "ui/words/words.h"

#include <string.h>
#include <strings.h>

const struct action actions[] = {
    { ACT_HELP, K_F1, "F1", "HELP", N_("Help"), N_("Shows what keys and command barcodes do.") },
    { ACT_LINE, K_F2, "F2", "LINE", N_("Line"), N_("Goes back to the line with its fixtures.") },
    { ACT_LOGIN, K_F3, "F3", "LOGIN", N_("Log in"), N_("Asks for badge and PIN; scanning the badge does the same.") },
    { ACT_LOGOUT, K_F4, "F4", "LOGOUT", N_("Log out"), N_("Logs out who is logged in at this station.") },
    { ACT_MENU, K_F5, "F5", "MENU", N_("Menu"), N_("Lists every screen.") },
    { ACT_LANGUAGE, K_F8, "F8", "LANGUAGE", N_("Language"), N_("Goes on to the next language.") },
    { ACT_SOUND, K_F9, "F9", "SOUND", N_("Sound"), N_("Turns sounds off and on.") },
    { ACT_LEAVE, K_F10, "F10", "LEAVE", N_("Leave"), N_("Ends this screen, when pressed twice. The line goes on.") },
    { ACT_UP, K_UP, "↑", "UP", N_("Up"), N_("Chooses the fixture or the row above.") },
    { ACT_DOWN, K_DOWN, "↓", "DOWN", N_("Down"), N_("Chooses the fixture or the row below.") },
    { ACT_LEFT, K_LEFT, "←", "LEFT", N_("Left"), N_("Chooses the fixture to the left.") },
    { ACT_RIGHT, K_RIGHT, "→", "RIGHT", N_("Right"), N_("Chooses the fixture to the right.") },
    { ACT_BACK, K_PAGE_UP, "PgUp", "BACK", N_("Page up"), N_("Goes one page back.") },
    { ACT_FORTH, K_PAGE_DOWN, "PgDn", "FORTH", N_("Page down"), N_("Goes one page forth.") },
    { ACT_CHOOSE, K_ENTER, "Enter", "CHOOSE", N_("Choose"), N_("Hands over what was typed, or opens the chosen row.") },
    { ACT_CANCEL, K_ESCAPE, "Esc", "CANCEL", N_("Cancel"), N_("Forgets what was typed or chosen.") },
};
const size_t action_count = sizeof actions / sizeof *actions;

const struct action *action_of_key(enum key k)
{
    for (size_t i = 0; i < action_count; i++)
        if (actions[i].key == k)
            return &actions[i];
    return NULL;
}

bool command_is(const char *text, const char **word)
{
    size_t n = strlen(COMMAND_PREFIX);

    if (strncasecmp(text, COMMAND_PREFIX, n) != 0)
        return false;
    *word = text + n;
    return true;
}

const struct action *action_of_command(const char *word)
{
    for (size_t i = 0; i < action_count; i++)
        if (strcasecmp(actions[i].barcode, word) == 0)
            return &actions[i];
    return NULL;
}
