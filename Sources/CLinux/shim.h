/* Linux calls that Swift's Glibc module leaves out. */
#include <malloc.h>
#include <linux/filter.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <signal.h>

/* prctl is variadic, which Swift does not import. */
static inline int clinux_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int clinux_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/* So is ioctl. How many bytes wait to be read from a socket, and how many were written to it and not taken yet. */
static inline int clinux_unread(int socket, int *count) { return ioctl(socket, FIONREAD, count); }
static inline int clinux_unsent(int socket, int *count) { return ioctl(socket, TIOCOUTQ, count); }

/* Makes a listening socket drop every packet that asks for a connection, or no more. */
static inline int clinux_drop_all(int listener) {
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &drop};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
static inline int clinux_drop_nothing(int listener) {
    int unused = 0;
    return setsockopt(listener, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}
