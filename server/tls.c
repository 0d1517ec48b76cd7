#include "server/tls.h"
#include "server/clock.h"
#include "server/log.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1 << 20, CHAIN_MAX = 16, FAULT_SIZE = 600, ID_BYTES = 64 };

struct tls_pair {
    atomic_uint references;
    unsigned count;
    gnutls_pcert_st chain[CHAIN_MAX];
    gnutls_privkey_t key;
    bool key_is_open;          /* to others on this machine */
    int64_t from_ms, until_ms; /* the certificate is valid, by wall time */
};

struct tls {
    const char *certificate_file, *key_file;
    pthread_mutex_t lock; /* for the pointer, which tls_reload alone changes */
    struct tls_pair *pair;
};

static void pair_unref(struct tls_pair *pair)
{
    if (pair == NULL || atomic_fetch_sub(&pair->references, 1) > 1) return;
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    gnutls_privkey_deinit(pair->key);
    free(pair);
}

/* ---- files ---- */

static bool fail(char fault[FAULT_SIZE], const char *option, const char *file, const char *why)
{
    snprintf(fault, FAULT_SIZE, "%s '%s': %s", option, file, why);
    return false;
}

static void data_done(gnutls_datum_t *data)
{
    if (data->data != NULL) gnutls_memset(data->data, 0, FILE_BYTES);
    free(data->data);
    *data = (gnutls_datum_t){NULL, 0};
}

static bool read_all(int fd, gnutls_datum_t *data)
{
    ssize_t got = 1;
    while (got > 0 && data->size < FILE_BYTES) {
        got = read(fd, data->data + data->size, FILE_BYTES - data->size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            data->size += (unsigned)got;
    }
    if (got > 0) errno = EFBIG;
    return got == 0;
}

/* Past the buffer of a stream, which would keep a copy of the key. */
static bool read_file(const char *option, const char *file, gnutls_datum_t *ret_data, mode_t *mode,
                      char fault[FAULT_SIZE])
{
    gnutls_datum_t data = {malloc(FILE_BYTES), 0};
    struct stat about;
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    const bool read = data.data != NULL && fd >= 0 && fstat(fd, &about) == 0 && read_all(fd, &data);
    if (!read) {
        fail(fault, option, file, strerror(errno));
        data_done(&data);
    }
    if (fd >= 0) close(fd);
    if (!read) return false;
    *mode = about.st_mode;
    *ret_data = data;
    return true;
}

/* ---- the pair ---- */

static bool import_chain(struct tls_pair *pair, const gnutls_datum_t *data, const char **ret_why)
{
    gnutls_x509_crt_t *certificates = NULL;
    unsigned size = 0;
    int status = gnutls_x509_crt_list_import2(&certificates, &size, data, GNUTLS_X509_FMT_PEM,
                                              GNUTLS_X509_CRT_LIST_SORT);
    /* GnuTLS itself sorts no more than that. */
    *ret_why = size > CHAIN_MAX || status == GNUTLS_E_UNIMPLEMENTED_FEATURE
                   ? "holds more than 16 certificates"
                   : gnutls_strerror(status);
    if (status < 0) return false;
    for (unsigned i = 0; i < size && size <= CHAIN_MAX && status >= 0; i++) {
        status = gnutls_pcert_import_x509(&pair->chain[i], certificates[i], 0);
        if (status >= 0) pair->count++;
        if (status < 0) *ret_why = gnutls_strerror(status);
    }
    pair->from_ms = (int64_t)gnutls_x509_crt_get_activation_time(certificates[0]) * 1000;
    pair->until_ms = (int64_t)gnutls_x509_crt_get_expiration_time(certificates[0]) * 1000;
    for (unsigned i = 0; i < size; i++)
        gnutls_x509_crt_deinit(certificates[i]);
    gnutls_free(certificates);
    return pair->count == size;
}

static bool import_key(struct tls_pair *pair, const gnutls_datum_t *data, const char **ret_why)
{
    const int status =
        gnutls_privkey_import_x509_raw(pair->key, data, GNUTLS_X509_FMT_PEM, NULL, 0);
    *ret_why = status == GNUTLS_E_DECRYPTION_FAILED
                   ? "is encrypted; it must be there without a passphrase"
                   : "holds no private key (PEM) that can be read";
    return status >= 0;
}

static bool key_id(gnutls_pubkey_t key, unsigned char id[ID_BYTES])
{
    size_t size = ID_BYTES;
    memset(id, 0, ID_BYTES);
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &size) >= 0;
}

/* Whether the key belongs to the first certificate. */
static bool pair_fits(const struct tls_pair *pair)
{
    unsigned char of_chain[ID_BYTES], of_key[ID_BYTES];
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key) < 0) return false;
    const bool fits = gnutls_pubkey_import_privkey(key, pair->key, 0, 0) >= 0 &&
                      key_id(key, of_key) && key_id(pair->chain[0].pubkey, of_chain) &&
                      memcmp(of_chain, of_key, ID_BYTES) == 0;
    gnutls_pubkey_deinit(key);
    return fits;
}

static struct tls_pair *pair_new(void)
{
    struct tls_pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL || gnutls_privkey_init(&pair->key) < 0) {
        free(pair);
        return NULL;
    }
    atomic_init(&pair->references, 1);
    return pair;
}

/* From the texts of both files. */
static struct tls_pair *pair_import(const struct tls *tls, const gnutls_datum_t *certificate,
                                    const gnutls_datum_t *key, char fault[FAULT_SIZE])
{
    const char *why = "memory is out";
    struct tls_pair *pair = pair_new();
    bool sound = false;
    if (pair == NULL || !import_chain(pair, certificate, &why))
        fail(fault, "--tls-cert", tls->certificate_file, why);
    else if (!import_key(pair, key, &why))
        fail(fault, "--tls-key", tls->key_file, why);
    else if (!pair_fits(pair))
        fail(fault, "--tls-key", tls->key_file, "is not the key of the first certificate");
    else
        sound = true;
    if (sound) return pair;
    pair_unref(pair);
    return NULL;
}

static struct tls_pair *load(const struct tls *tls, char fault[FAULT_SIZE])
{
    gnutls_datum_t certificate = {NULL, 0}, key = {NULL, 0};
    struct tls_pair *pair = NULL;
    mode_t mode = 0, key_mode = 0;
    if (read_file("--tls-cert", tls->certificate_file, &certificate, &mode, fault) &&
        read_file("--tls-key", tls->key_file, &key, &key_mode, fault))
        pair = pair_import(tls, &certificate, &key, fault);
    data_done(&certificate);
    data_done(&key);
    if (pair != NULL) pair->key_is_open = (key_mode & (S_IROTH | S_IWOTH)) != 0;
    return pair;
}

/* What is in use now, and what about it serves, but should not stay as it is. */
static void tell(const struct tls *tls)
{
    const struct tls_pair *pair = tls->pair;
    char quoted[LOG_QUOTED_SIZE], date[CLOCK_TEXT_SIZE];
    const int64_t now_ms = clock_wall_ms();
    log_info("tls", "certificate=%s chain=%u until=%s", log_quote(tls->certificate_file, quoted),
             pair->count, clock_format(pair->until_ms, date));
    if (pair->key_is_open)
        log_warning("tls", "file=%s reason=\"others on this machine may read or write the key\"",
                    log_quote(tls->key_file, quoted));
    if (pair->until_ms < now_ms)
        log_warning("tls", "file=%s reason=\"the certificate has expired\" until=%s",
                    log_quote(tls->certificate_file, quoted), clock_format(pair->until_ms, date));
    if (pair->from_ms > now_ms)
        log_warning("tls", "file=%s reason=\"the certificate is not valid yet\" from=%s",
                    log_quote(tls->certificate_file, quoted), clock_format(pair->from_ms, date));
}

/* ---- life ---- */

struct tls *tls_open(const char *certificate_file, const char *key_file)
{
    char fault[FAULT_SIZE];
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) return NULL;
    pthread_mutex_init(&tls->lock, NULL);
    tls->certificate_file = certificate_file;
    tls->key_file = key_file;
    tls->pair = load(tls, fault);
    if (tls->pair != NULL) {
        tell(tls);
        return tls;
    }
    fprintf(stderr, "gradcheckd: %s\n", fault);
    tls_close(tls);
    return NULL;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL) return;
    pair_unref(tls->pair);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

void tls_reload(struct tls *tls)
{
    char fault[FAULT_SIZE], quoted[LOG_QUOTED_SIZE];
    struct tls_pair *pair = load(tls, fault);
    if (pair == NULL) {
        log_error("tls", "reason=%s kept=\"the pair before\"", log_quote(fault, quoted));
        return;
    }
    pthread_mutex_lock(&tls->lock);
    struct tls_pair *before = tls->pair;
    tls->pair = pair;
    pthread_mutex_unlock(&tls->lock);
    pair_unref(before);
    tell(tls);
}

/* ---- connections ---- */

const char *tls_priorities(void)
{
    /* Without key exchange by RSA, which lets a stolen key read what was recorded before. */
    return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE";
}

struct tls_pair *tls_begin(struct tls *tls, void *session)
{
    pthread_mutex_lock(&tls->lock);
    struct tls_pair *pair = tls->pair;
    atomic_fetch_add(&pair->references, 1);
    pthread_mutex_unlock(&tls->lock);
    gnutls_session_set_ptr(session, pair);
    return pair;
}

void tls_end(struct tls_pair *pair)
{
    pair_unref(pair);
}

/* Lends what the connection holds; nothing for GnuTLS to free. */
static int choose(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                  gnutls_pcert_st **ret_chain, unsigned *ret_count, gnutls_ocsp_data_st **ret_ocsp,
                  unsigned *ret_ocsp_count, gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
    (void)info;
    struct tls_pair *pair = gnutls_session_get_ptr(session);
    if (pair == NULL) return -1;
    *ret_chain = pair->chain;
    *ret_count = pair->count;
    *ret_ocsp = NULL;
    *ret_ocsp_count = 0;
    *ret_key = pair->key;
    *ret_flags = 0;
    return 0;
}

void *tls_chooser(void)
{
    gnutls_certificate_retrieve_function3 *const chooser = choose;
    void *pointer;
    _Static_assert(sizeof pointer == sizeof chooser, "POSIX: a function fits into void *");
    memcpy(&pointer, &chooser, sizeof pointer);
    return pointer;
}
