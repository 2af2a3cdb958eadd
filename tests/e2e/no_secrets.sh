#!/bin/sh
# The station cannot decrypt a profile: no object of the lab is in it, and it
# imports no key agreement, KDF, MAC or cipher function of OpenSSL. (scrypt, for
# people's PINs, is a password hash; no profile is under one.)
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

forbidden='EVP_PKEY_derive|EVP_KDF|EVP_MAC|CMAC_|HMAC|ECDH_|EVP_PKEY_encrypt|EVP_PKEY_decrypt|EVP_(Encrypt|Decrypt|Cipher|CIPHER)|AES_|CMS_(Enveloped|Encrypted|decrypt|encrypt)'

imports() { nm -D --undefined-only "$1" | awk '{ print $NF }' | sed 's/@.*//'; }

for p in lineside lineside-verify; do
    pbe=EVP_PBE_scrypt
    [ $p = lineside ] || pbe=none
    imports "$BIN/$p" >"$WORK/imports"
    [ "$(grep -c EVP_ "$WORK/imports")" -gt 3 ] || die "$p: its imports cannot be read"
    if grep -E "^($forbidden)" "$WORK/imports"; then
        die "$p imports what could open a profile"
    fi
    # Of password hashes the station has one, for PINs; the auditor's program none.
    if grep -E "^(EVP_PBE|PKCS5_)" "$WORK/imports" | grep -vx "$pbe"; then
        die "$p imports a password hash that it does not need"
    fi
    # Defined by the lab's archive and present in the program: none.
    nm --defined-only -g build/release/lib/liblab.a | awk 'NF == 3 { print $3 }' | sort -u >"$WORK/lab"
    nm --defined-only "$BIN/$p" | awk 'NF == 3 { print $3 }' | sort -u >"$WORK/mine"
    [ -s "$WORK/lab" ] && [ -s "$WORK/mine" ] || die "$p: no symbols to compare"
    if comm -12 "$WORK/lab" "$WORK/mine" | grep .; then
        die "$p contains objects of the lab"
    fi
done

# This check can fail: the lab's program, which does decrypt, is caught by it.
imports "$LAB" | grep -Eq "^($forbidden)" || die "the lab decrypts, and this test does not see it"

# What `lineside run` starts on the line is nothing but itself (the importer
# is the same program), and lineside-verify needs libcrypto alone.
if strings -a "$BIN/lineside" | grep -E 'lineside-(lab|verify)$'; then
    die "the station names another program"
fi
libs=$(objdump -p "$BIN/lineside-verify" | awk '/NEEDED/ { print $2 }' | sort | tr '\n' ' ')
[ "$libs" = "libc.so.6 libcrypto.so.3 " ] || die "lineside-verify links $libs"
echo "no secrets: lineside and lineside-verify can open no profile"
