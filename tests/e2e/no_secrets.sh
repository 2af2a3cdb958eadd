#!/bin/sh
# The station cannot decrypt a profile: no object of the lab is in it, and it
# imports no key agreement, KDF, MAC or cipher function of OpenSSL. (scrypt, for
# people's PINs, is a password hash; no profile is under one.) Backups are sealed
# by a program that can only seal, and opened by one that no station needs.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

forbidden='EVP_PKEY_derive|EVP_KDF|EVP_MAC|CMAC_|HMAC|ECDH_|EVP_PKEY_encrypt|EVP_PKEY_decrypt|EVP_(Encrypt|Decrypt|Cipher|CIPHER)|AES_|CMS_(Auth|Enveloped|Encrypted|decrypt|encrypt|RecipientInfo|add._recipient)|EVP_aes|EVP_aria|EVP_camellia|EVP_des|EVP_chacha'

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

# lineside-backup seals, and has nothing that opens; lineside-restore opens, and
# has nothing that seals. Neither has more than that, nor an object of the lab.
may_seal='CMS_encrypt|CMS_add1_recipient_cert|CMS_RecipientInfo_get0_pkey_ctx|EVP_PKEY_CTX_set_ecdh_kdf_md|EVP_aes_256_gcm'
may_open='CMS_decrypt'
for p in lineside-backup lineside-restore; do
    may=$may_seal
    [ $p = lineside-backup ] || may=$may_open
    imports "$BIN/$p" >"$WORK/imports"
    grep -Eq "^(CMS_encrypt|CMS_decrypt)\$" "$WORK/imports" || die "$p: its imports cannot be read"
    if grep -E "^($forbidden)|^EVP_PBE|^PKCS5_" "$WORK/imports" | grep -vxE "$may"; then
        die "$p imports more than it needs"
    fi
    nm --defined-only "$BIN/$p" | awk 'NF == 3 { print $3 }' | sort -u >"$WORK/mine"
    if comm -12 "$WORK/lab" "$WORK/mine" | grep .; then
        die "$p contains objects of the lab"
    fi
done
# The private key never reaches the program that seals.
if imports "$BIN/lineside-backup" | grep -E 'PrivateKey'; then die "lineside-backup reads private keys"; fi

# This check can fail: the lab's program, which does decrypt, is caught by it.
imports "$LAB" | grep -Eq "^($forbidden)" || die "the lab decrypts, and this test does not see it"

# What the station starts is itself (the importer is the same program) and
# lineside-backup; lineside-verify needs libcrypto alone.
if strings -a "$BIN/lineside" | grep -E 'lineside-(lab|verify|restore)$'; then
    die "the station names another program"
fi
libs=$(objdump -p "$BIN/lineside-verify" | awk '/NEEDED/ { print $2 }' | sort | tr '\n' ' ')
[ "$libs" = "libc.so.6 libcrypto.so.3 " ] || die "lineside-verify links $libs"
# The operator's screen has a terminal and the control socket: no ledger, no key.
# What keeps the ledger has no terminal.
libs=$(objdump -p "$BIN/lineside-ui" | awk '/NEEDED/ { print $2 }' | sort | tr '\n' ' ')
[ "$libs" = "libc.so.6 libjansson.so.4 libncursesw.so.6 libtinfo.so.6 " ] || die "lineside-ui links $libs"
if objdump -p "$BIN/lineside" | grep NEEDED | grep -E 'ncurses|tinfo|zint'; then
    die "the station's program draws"
fi
echo "no secrets: lineside, lineside-backup and lineside-verify can open nothing"
