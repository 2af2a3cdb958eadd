#include "ui/cells/palette.h"

const struct tone_look tone_looks[TONES] = {
    [TONE_PLAIN] = { OWN, OWN, 0, 0 },
    [TONE_DIM] = { CYAN, OWN, 0, 0 },
    [TONE_BOLD] = { OWN, OWN, BOLD, BOLD },
    [TONE_HEAD] = { WHITE, BLUE, BOLD, REVERSE | BOLD },
    [TONE_HELP] = { BLACK, CYAN, 0, 0 },
    [TONE_INPUT] = { BLACK, WHITE, 0, REVERSE },
    [TONE_WARN] = { YELLOW, OWN, BOLD, BOLD | UNDERLINE },
    [TONE_READY] = { BLACK, CYAN, 0, 0 },
    [TONE_SCAN] = { BLACK, WHITE, 0, REVERSE | BOLD },
    [TONE_BUSY] = { WHITE, BLUE, BOLD, BOLD },
    [TONE_PASS] = { WHITE, GREEN, BOLD, BOLD },
    [TONE_FAIL] = { WHITE, RED, BOLD, REVERSE | BOLD },
    [TONE_CHECK] = { BLACK, YELLOW, 0, REVERSE | UNDERLINE },
    [TONE_STOPPED] = { WHITE, MAGENTA, BOLD, REVERSE },
    [TONE_GONE] = { OWN, OWN, 0, UNDERLINE },
};
