#include "server/listener.h"
#include "server/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool fail(const char *what, const char *why)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", what, why);
    return false;
}

/* ---- options ---- */

/* What contradicts itself is refused, rather than one half of it taken. */
static bool options_agree(const struct listener *listener, const struct config *config)
{
    const bool tls = config->tls_cert != NULL && config->tls_key != NULL;
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        return fail(config->tls_cert != NULL ? "--tls-cert" : "--tls-key",
                    config->tls_cert != NULL ? "needs --tls-key, too" : "needs --tls-cert, too");
    if (tls && address_is_file(&listener->address))
        return fail("--tls-cert", "on a socket file nothing travels that TLS could protect");
    if (tls && config->insecure)
        return fail("--insecure", "asks for plain HTTP, and --tls-cert for HTTPS: give one");
    return true;
}

bool listener_init(struct listener *listener, const struct config *config)
{
    char fault[NETWORK_FAULT_SIZE];
    *listener = (struct listener){.fd = -1};
    if (!address_parse(config->listen, &listener->address) || !options_agree(listener, config))
        return false;
    if (config->behind_proxy != NULL &&
        !networks_parse(config->behind_proxy, &listener->proxies, fault))
        return fail("--behind-proxy", fault);
    if (config->tls_cert != NULL) listener->tls = tls_open(config->tls_cert, config->tls_key);
    listener->proxies_only =
        !address_is_local(&listener->address) && config->tls_cert == NULL && !config->insecure;
    return config->tls_cert == NULL || listener->tls != NULL;
}

static bool is_protected(const struct config *config)
{
    return config->tls_cert != NULL || config->behind_proxy != NULL || config->insecure;
}

bool listener_may_serve(const struct listener *listener, const struct config *config,
                        bool tokens_exist)
{
    if (address_is_local(&listener->address)) {
        if (config->behind_proxy != NULL && !tokens_exist)
            log_warning("open", "reason=\"there are no tokens: whoever a proxy lets in is local\"");
        return true;
    }
    if (tokens_exist && is_protected(config)) return true;
    fprintf(stderr, "gradcheckd: --listen '%s' can be reached from other machines.%s",
            config->listen, tokens_exist ? "" : " It needs a token: gradcheckd token add NAME");
    if (!tokens_exist && strcmp(config->data_dir, "./gradcheckd-data") != 0)
        fprintf(stderr, " --data-dir '%s'", config->data_dir);
    if (!is_protected(config))
        fprintf(stderr,
                "%s It needs one of --tls-cert FILE with --tls-key FILE, --behind-proxy "
                "NETWORK, or --insecure",
                tokens_exist ? "" : ".");
    fputc('\n', stderr);
    return false;
}

/* ---- the socket ---- */

static bool fail_to_listen(const char *listen_on, const char *why)
{
    fprintf(stderr, "gradcheckd: cannot listen on %s: %s\n", listen_on, why);
    return false;
}

/* Why a socket file must stay; NULL when nobody listens there any more. */
static const char *reason_to_stay(const struct address *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return strerror(errno);
    const int status = connect(fd, &address->socket.any, address->size);
    const int error = status == 0 ? EAGAIN : errno; /* EAGAIN: as many as it lets wait */
    close(fd);
    if (error == ECONNREFUSED || error == ENOENT) return NULL;
    return error == EAGAIN ? "another process listens there" : strerror(error);
}

/* Makes room for a socket file: what a daemon left that was killed goes, anything else stays. */
static bool clear_file(const struct address *address, const char *listen_on)
{
    const char *path = address->socket.file.sun_path;
    struct stat about;
    if (lstat(path, &about) != 0)
        return errno == ENOENT || fail_to_listen(listen_on, strerror(errno));
    if (!S_ISSOCK(about.st_mode))
        return fail_to_listen(listen_on, "there is something that is no socket, and it stays");
    const char *reason = reason_to_stay(address);
    if (reason != NULL) return fail_to_listen(listen_on, reason);
    return unlink(path) == 0 || errno == ENOENT || fail_to_listen(listen_on, strerror(errno));
}

/* The mode is right from the first moment on. */
static bool bind_file(struct listener *listener, const char *listen_on)
{
    const struct address *address = &listener->address;
    if (!clear_file(address, listen_on)) return false;
    const mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
    const bool bound = bind(listener->fd, &address->socket.any, address->size) == 0;
    umask(before);
    return (bound && lstat(address->socket.file.sun_path, &listener->file) == 0) ||
           fail_to_listen(listen_on, strerror(errno));
}

/* [::] takes IPv4, too; any other IPv6 address is itself alone. */
static bool bind_port(struct listener *listener, const char *listen_on)
{
    const struct address *address = &listener->address;
    const int on = 1;
    const int alone = address->socket.any.sa_family == AF_INET6 &&
                      !IN6_IS_ADDR_UNSPECIFIED(&address->socket.v6.sin6_addr);
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->socket.any.sa_family == AF_INET6)
        setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
    return bind(listener->fd, &address->socket.any, address->size) == 0 ||
           fail_to_listen(listen_on, strerror(errno));
}

static void name(struct listener *listener)
{
    const struct address *address = &listener->address;
    struct sockaddr_in6 bound = {0};
    socklen_t size = sizeof bound;
    getsockname(listener->fd, (struct sockaddr *)&bound, &size);
    if (address_is_file(address))
        snprintf(listener->url, sizeof listener->url, "unix:%s", address->socket.file.sun_path);
    else /* the port stands at the same place in both families */
        snprintf(listener->url, sizeof listener->url, "%s://%s:%u",
                 listener->tls != NULL ? "https" : "http", address->host, ntohs(bound.sin6_port));
}

bool listener_bind(struct listener *listener, const char *listen_on)
{
    const int family = listener->address.socket.any.sa_family;
    listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0) return fail_to_listen(listen_on, strerror(errno));
    const bool bound = address_is_file(&listener->address) ? bind_file(listener, listen_on)
                                                           : bind_port(listener, listen_on);
    if (!bound) return false;
    if (listen(listener->fd, SOMAXCONN) != 0) return fail_to_listen(listen_on, strerror(errno));
    name(listener);
    return true;
}

int listener_hand_over(struct listener *listener)
{
    const int fd = listener->fd;
    listener->fd = -1;
    return fd;
}

bool listener_accepts(const struct listener *listener, const struct ip *peer)
{
    return !listener->proxies_only || ip_is_loopback(peer) ||
           networks_hold(&listener->proxies, peer);
}

void listener_remove_file(struct listener *listener)
{
    const char *path = listener->address.socket.file.sun_path;
    struct stat about;
    if (listener->file.st_ino != 0 && lstat(path, &about) == 0 &&
        about.st_ino == listener->file.st_ino && about.st_dev == listener->file.st_dev)
        unlink(path);
    listener->file = (struct stat){0};
}

void listener_done(struct listener *listener)
{
    listener_remove_file(listener);
    if (listener->fd >= 0) close(listener->fd);
    tls_close(listener->tls);
    *listener = (struct listener){.fd = -1};
}
