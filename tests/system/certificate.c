#include "certificate.h"
#include "client.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400 };

#define OK(CALL) ck_assert_int_ge(CALL, 0)

void file_write(const char *folder, const char *file, const char *text)
{
    int fd = open(format("%s/%s", folder, file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s", file);
    close(fd);
}

const char *file_read(const char *folder, const char *file)
{
    char *text = keep(calloc(1, 65536));
    FILE *stream = fopen(format("%s/%s", folder, file), "r");
    ck_assert_msg(stream != NULL && fread(text, 1, 65535, stream) > 0, "%s", file);
    fclose(stream);
    return text;
}

static gnutls_x509_privkey_t key_new(bool rsa)
{
    gnutls_x509_privkey_t key;
    OK(gnutls_x509_privkey_init(&key));
    if (rsa)
        OK(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0));
    else
        OK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    return key;
}

static gnutls_x509_crt_t certificate_new(struct certificate want, gnutls_x509_privkey_t key)
{
    static unsigned char serial;
    static const char host[] = "localhost";
    gnutls_x509_crt_t made;
    const time_t now = time(NULL);
    const int until = want.until_days != 0 ? want.until_days : 10;
    serial++;
    OK(gnutls_x509_crt_init(&made));
    OK(gnutls_x509_crt_set_version(made, 3));
    OK(gnutls_x509_crt_set_serial(made, &serial, sizeof serial));
    OK(gnutls_x509_crt_set_activation_time(made, now - 3600 + (time_t)want.from_days * DAY));
    OK(gnutls_x509_crt_set_expiration_time(made, now + (time_t)until * DAY));
    OK(gnutls_x509_crt_set_dn_by_oid(made, GNUTLS_OID_X520_COMMON_NAME, 0, want.name,
                                     (unsigned)strlen(want.name)));
    OK(gnutls_x509_crt_set_subject_alt_name(made, GNUTLS_SAN_DNSNAME, host, sizeof host - 1,
                                            GNUTLS_FSAN_SET));
    OK(gnutls_x509_crt_set_basic_constraints(made, 1, -1));
    OK(gnutls_x509_crt_set_key(made, key));
    return made;
}

static void sign(gnutls_x509_crt_t made, gnutls_x509_privkey_t key, const char *folder,
                 const char *issuer)
{
    gnutls_x509_crt_t by = made;
    gnutls_x509_privkey_t with = key;
    if (issuer != NULL) {
        const char *certificate = file_read(folder, format("%s.cert", issuer));
        const char *pem = file_read(folder, format("%s.key", issuer));
        OK(gnutls_x509_crt_init(&by));
        OK(gnutls_x509_privkey_init(&with));
        OK(gnutls_x509_crt_import(
            by, &(gnutls_datum_t){(void *)certificate, (unsigned)strlen(certificate)},
            GNUTLS_X509_FMT_PEM));
        OK(gnutls_x509_privkey_import(with, &(gnutls_datum_t){(void *)pem, (unsigned)strlen(pem)},
                                      GNUTLS_X509_FMT_PEM));
    }
    OK(gnutls_x509_crt_sign2(made, by, with, GNUTLS_DIG_SHA256, 0));
    if (issuer == NULL) return;
    gnutls_x509_crt_deinit(by);
    gnutls_x509_privkey_deinit(with);
}

void certificate_write(const char *folder, const char *file, struct certificate want)
{
    gnutls_datum_t text;
    gnutls_x509_privkey_t key = key_new(want.rsa);
    gnutls_x509_crt_t made = certificate_new(want, key);
    sign(made, key, folder, want.issuer);
    OK(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_PEM, &text));
    const char *chain =
        want.issuer != NULL ? file_read(folder, format("%s.cert", want.issuer)) : "";
    file_write(folder, format("%s.cert", file), format("%s%s", (char *)text.data, chain));
    gnutls_free(text.data);
    OK(gnutls_x509_privkey_export2_pkcs8(
        key, GNUTLS_X509_FMT_PEM, want.password,
        want.password != NULL ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, &text));
    file_write(folder, format("%s.key", file), format("%s", (char *)text.data));
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(made);
    gnutls_x509_privkey_deinit(key);
}
