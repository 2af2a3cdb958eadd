/* A plain main for fuzz harnesses: runs every file named (folders are walked
 * one level) through LLVMFuzzerTestOneInput, and every prefix of the small
 * ones, so that a committed corpus is replayed under any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIX_MAX 512

static size_t inputs;

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    uint8_t *all = malloc(n > 0 ? (size_t)n : 1);
    size_t got = all ? fread(all, 1, (size_t)n, f) : 0;
    fclose(f);
    for (size_t k = got <= PREFIX_MAX ? 0 : got; k <= got; k++) {
        /* A copy of exactly k octets: the sanitizer sees one octet too far. */
        uint8_t *exact = malloc(k ? k : 1);
        if (exact) {
            memcpy(exact, all, k);
            LLVMFuzzerTestOneInput(exact, k);
            inputs++;
        }
        free(exact);
    }
    free(all);
    return 0;
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0) {
            perror(argv[i]);
            bad = 1;
        } else if (S_ISDIR(st.st_mode)) {
            DIR *d = opendir(argv[i]);
            struct dirent *de;
            while (d && (de = readdir(d))) {
                char path[4096];
                if (de->d_name[0] == '.')
                    continue;
                snprintf(path, sizeof path, "%s/%s", argv[i], de->d_name);
                bad |= replay_file(path);
            }
            if (d)
                closedir(d);
        } else {
            bad |= replay_file(argv[i]);
        }
    }
    printf("%s: %zu inputs\n", argv[0], inputs);
    return bad || inputs == 0;
}
